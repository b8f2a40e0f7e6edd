// SPDX-License-Identifier: BSD-2-Clause
// Which hook serves which need: a table of alternatives, and the pure decision among them.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/facts.h"

namespace waitclose::kernel {

/// One way to serve a need: the programs of the object that must all be attached.
struct Alternative {
    std::string_view hook;  // as --no-hook, doctor and the JSON name it
    std::span<const std::string_view> programs;
    std::string_view since;  // the kernel release that offers it
};

/// One need, with its alternatives in order of preference.
struct Need {
    std::string_view name;
    bool required = false;     // without it there is no tracing at all
    std::string_view without;  // what the user loses
    std::span<const Alternative> alternatives;
};

/// Every need there is, in the order in which doctor shows them.
std::span<const Need> all_needs();

/// What is known of this kernel: hooks that cannot be used, with the reason in words.
using Refusals = std::map<std::string, std::string, std::less<>>;

/// The alternative chosen for each need, in the order of all_needs(); null where none is left.
using Plan = std::vector<const Alternative*>;

/// Chooses for each need the first alternative that is not refused. Pure.
Plan make_plan(std::span<const Need> needs, const Refusals& refused);

/// Whether `name` is the name of a hook of some need.
bool is_hook(std::string_view name);

/// What the plan says to users: need → hook, and needs without one. The census's iterators come first; when
/// nothing is traced they are all there is, and nothing is missing.
model::ProbeFacts probe_facts(std::span<const Need> needs, const Plan& plan, bool traces);

}  // namespace waitclose::kernel
