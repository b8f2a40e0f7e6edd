// SPDX-License-Identifier: BSD-2-Clause
// What a user can do about a limit, with the command to type where there is one. Pure.
#pragma once

#include <string>
#include <string_view>

#include "model/findings.h"

namespace waitclose::model {

struct Remedy {
    std::string text;     // a line what to do
    std::string command;  // to be typed as it is; empty when there is none

    bool operator==(const Remedy&) const = default;
};

/// Whether a capability is missing. What works without it is allowed by another one: cap_sys_admin contains
/// cap_bpf and cap_perfmon.
bool is_missing(const Findings& findings, const CapabilityFinding& capability);

/// Whether the kernel takes BPF programs from this process, as far as its privileges go.
bool may_load(const Findings& findings);

/// How to get the capabilities that are missing.
Remedy capability_remedy(const Findings& findings);

/// How to see the processes outside this PID namespace.
Remedy pid_namespace_remedy(const Findings& findings);

/// How to read what a security module keeps of other processes.
Remedy hidden_processes_remedy(const Findings& findings);

/// How to serve a need better than it is served.
Remedy hook_remedy(const Findings& findings, const NeedFinding& need);

/// What to do where not even a census is possible.
Remedy census_remedy(const Findings& findings);

/// What to do where other programs have all the places.
inline constexpr std::string_view kEndOtherTracers =
    "end other tracers (further instances of waitclose, bpftrace, perf): 'bpftool perf' and 'bpftool link' "
    "show whose they are";

/// What to do where there is no tracing.
Remedy tracing_remedy(const Findings& findings);

/// A word as a POSIX shell must be given it.
std::string shell_quoted(std::string_view word);

}  // namespace waitclose::model
