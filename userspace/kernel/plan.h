// SPDX-License-Identifier: BSD-2-Clause
// Which hook serves which need: the decision among the alternatives of kernel/needs.h, pure.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/facts.h"

namespace waitclose::kernel {

enum class Mechanism { kTypedTracepoint, kFentry, kFexit, kKprobe, kTracepoint, kIterator, kSamplingClock };

/// Where one program of the object is attached.
struct AttachPoint {
    std::string_view program;
    Mechanism mechanism;
    std::string_view target;  // a kernel function; a tracepoint, with its category when it is a classic one
    bool optional = false;    // left out where the kernel has no such target
    std::string_view helper = {};  // a helper function that not every kernel with such a target has
};

/// What a hook costs the machine while it is attached.
enum class Cost {
    kLow,     // tens of nanoseconds, on TCP's own events only
    kMedium,  // around a hundred nanoseconds more an event
    kHigh,    // every system call of the machine takes the kernel's slower, traced way
};

/// "low", "medium" or "high".
std::string_view name_of(Cost cost);

/// One way to serve a need: all of its points are attached.
struct Alternative {
    std::string_view hook;  // as --no-hook, doctor and the JSON name it
    std::span<const AttachPoint> points;
    std::string_view since;  // the kernel release that offers it, as waitclose uses it
    Cost cost = Cost::kLow;
    std::string_view without = {};  // what the user loses against the alternatives before it; empty: nothing
};

/// One need, with its alternatives in order of preference.
struct Need {
    std::string_view name;
    bool required = false;     // without it nothing works (a part of the census), or no tracing
    bool of_census = false;    // needed without tracing as well
    std::string_view without;  // what the user loses
    std::span<const Alternative> alternatives;
    bool of_window = false;   // needed only to tell what threads do over a window
    bool of_capture = false;  // and only to tell it moment by moment
};

/// What the hooks are for.
struct Purpose {
    bool traces = false;  // else only a census is taken
    bool windowed = false;
    bool captures = false;
};

/// Every need there is, in the order in which doctor shows them.
std::span<const Need> all_needs();

/// What is known of this kernel: hooks that cannot be used, with the reason in words.
using Refusals = std::map<std::string, std::string, std::less<>>;

/// The refusals to begin with: the hooks a user does without.
Refusals switched_off(const std::set<std::string, std::less<>>& hooks);

/// Whether it was the user who ruled this hook out.
bool is_switched_off(const Refusals& refused, std::string_view hook);

/// Why a hook cannot be attached that the kernel has: it runs so many programs at one place and no more, and
/// others have them (E2BIG). 64 at a classic tracepoint (BPF_TRACE_MAX_PROGS, in perf_event_attach_bpf_prog),
/// some 38 at a function (BPF_MAX_TRAMP_LINKS, in bpf_trampoline_link_prog; its number has changed).
std::string taken_text(const AttachPoint& point);

/// Whether that is why the hook is refused.
bool is_taken(const Refusals& refused, std::string_view hook);

/// The alternative chosen for each need, in the order of all_needs(); null where none is left.
using Plan = std::vector<const Alternative*>;

/// Chooses for each need that the purpose has the first alternative that is not refused. Pure.
Plan make_plan(std::span<const Need> needs, const Refusals& refused, const Purpose& purpose);

/// Whether a need is to be served.
bool is_wanted(const Need& need, const Purpose& purpose);

/// The need without which nothing can be done and that has no alternative left; null when there is none.
const Need* first_unmet(std::span<const Need> needs, const Plan& plan, bool traces);

/// Whether `name` is the name of a hook of some need.
bool is_hook(std::string_view name);

/// What the plan says to users: need → hook, and needs without one. When nothing is traced the census is all
/// there is, and nothing is missing.
model::ProbeFacts probe_facts(std::span<const Need> needs, const Plan& plan, const Purpose& purpose);

}  // namespace waitclose::kernel
