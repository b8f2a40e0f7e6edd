// SPDX-License-Identifier: BSD-2-Clause
// From what was found out to what it means: the limits, each with what to do about it, and the verdict. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/findings.h"
#include "model/remedies.h"

namespace waitclose::model {

struct Limit {
    std::string what;  // what the user loses
    Remedy remedy;
};

enum class Verdict : std::uint8_t { kFull, kLimited, kUnusable };

/// "full", "usable, with limits" or "unusable".
std::string_view name_of(Verdict verdict);

/// The options with which programs are verified as others than without.
inline constexpr std::string_view kProgramOptions = "-L, -D, -4, -6, --netns and --all-transitions";

/// Everything that the user loses here, the gravest first.
std::vector<Limit> limits_of(const Findings& findings);

/// Unusable without a census; full without a limit.
Verdict verdict_of(const Findings& findings);

/// In one sentence, when the verdict is that.
std::string why_unusable(const Findings& findings);

}  // namespace waitclose::model
