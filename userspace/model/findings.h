// SPDX-License-Identifier: BSD-2-Clause
// What doctor found out about the machine, about its own privileges, and by attaching. Plain data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "failure.h"

namespace waitclose::model {

struct CapabilityFinding {
    std::string name;  // as setcap spells it
    bool held = false;
    bool grantable = true;  // in the bounding set: sudo or a file capability can give it
    bool required = false;  // without it nothing works
    std::string why;
    std::string without;  // what the user loses
};

/// What stands in the way of a hook, in the order of how easily it can be removed.
enum class Obstacle : std::uint8_t {
    kNothing,
    kSwitchedOff,  // with --no-hook
    kTaken,        // other programs have all the places that the kernel has for them
    kPrivilege,
    kTracefs,    // not mounted
    kOldKernel,  // older than the release that offers it
    kKernel,     // this kernel does not have it or forbids it
};

/// One way to serve a need, and why it cannot be used here; `refused` is empty when nothing is known against
/// it.
struct HookFinding {
    std::string name;
    std::string since;
    std::string cost;
    std::string without;  // what is lost against better ones
    std::optional<std::string> refused;
    Obstacle obstacle = Obstacle::kNothing;
};

struct NeedFinding {
    std::string name;
    bool of_census = false;
    std::string without;
    std::vector<HookFinding> hooks;     // the best first
    std::optional<std::size_t> chosen;  // into `hooks`

    const HookFinding* choice() const { return chosen ? &hooks[*chosen] : nullptr; }
};

/// Where waitclose runs; what cannot be read is empty.
struct Surroundings {
    std::string kernel;
    bool has_btf = false;
    bool has_tracefs = false;              // it is mounted
    bool reads_tracefs = false;            // and may be read
    std::optional<std::string> lockdown;   // "none", "integrity" or "confidentiality"
    std::optional<std::string> container;  // what kind it looks like, e.g. "docker"
    std::optional<bool> nested_pid_namespace;
    std::optional<bool> nested_user_namespace;
    std::optional<std::uint32_t> netns;
    bool is_root = false;
    bool no_new_privileges = false;     // sudo and file capabilities have no effect
    bool confined_by_apparmor = false;  // a profile is enforced on it
    std::string binary;                 // the path of the running program; empty when that cannot be told
    bool binary_on_nosuid = false;      // file capabilities have no effect there
};

/// The network namespaces that processes live in or that are mounted somewhere.
struct NetworkFinding {
    std::size_t found = 0;
    std::size_t entered = 0;
    std::size_t untold = 0;  // processes that would not show theirs
};

struct Findings {
    Surroundings surroundings;
    std::vector<CapabilityFinding> capabilities;
    std::vector<NeedFinding> needs;
    NetworkFinding networks;
    std::optional<Failure> census;   // why not even a census is possible
    std::optional<Failure> tracing;  // why no tracing is possible
    std::optional<Failure> options;  // why it fails with all options given that programs are verified with
    std::vector<std::string> lost_with_options;  // what is lost only then
    std::uint64_t sockets = 0;                   // in CLOSE_WAIT now
};

}  // namespace waitclose::model
