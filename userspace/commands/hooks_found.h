// SPDX-License-Identifier: BSD-2-Clause
// The table of needs as doctor shows it: what was chosen, what was ruled out, and what stands in the way.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "kernel/plan.h"
#include "model/findings.h"

namespace waitclose::commands {

/// What explains why a hook is refused.
struct Circumstances {
    std::string kernel;         // the release, e.g. "6.1.0-13-amd64"
    bool may_load = true;       // the privileges suffice to load BPF programs
    bool has_tracefs = true;    // it is mounted
    bool reads_tracefs = true;  // and may be read
    const std::set<std::string, std::less<>>& disabled;
};

/// Joins table, plan and refusals. Pure.
std::vector<model::NeedFinding> hooks_found(std::span<const kernel::Need> needs, const kernel::Plan& plan,
                                            const kernel::Refusals& refused,
                                            const Circumstances& circumstances);

/// Whether a kernel release is older than a version such as "6.3". What cannot be read as a release is not.
bool is_older(std::string_view release, std::string_view version);

}  // namespace waitclose::commands
