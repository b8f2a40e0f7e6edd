// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/telling.h"

#include <string_view>

namespace waitclose::diagnose {

bool is_perhaps(Cause cause, Confidence confidence) {
    return confidence == Confidence::kPossible && cause != Cause::kUnknown;
}

std::string past_of(std::string summary) {
    // As end_of_file.cpp words it. Names come before it, and may contain anything: the last one is ours.
    constexpr std::string_view kNever = " never closed ";
    constexpr std::string_view kNobodyHas = ", and nobody has closed ";
    constexpr std::string_view kSince = " since";
    if (const std::size_t at = summary.rfind(kNobodyHas);
        at != std::string::npos && summary.ends_with(kSince)) {
        summary.replace(summary.size() - kSince.size(), kSince.size(), " by then");
        summary.replace(at, kNobodyHas.size(), ", and nobody had closed ");
    } else if (const std::size_t never = summary.rfind(kNever); never != std::string::npos) {
        summary.replace(never, kNever.size(), " by then had not closed ");
    }
    return summary;
}

}  // namespace waitclose::diagnose
