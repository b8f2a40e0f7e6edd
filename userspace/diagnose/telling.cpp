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
    if (const std::size_t at = summary.rfind(kNever); at != std::string::npos)
        summary.replace(at, kNever.size(), " by then had not closed ");
    return summary;
}

}  // namespace waitclose::diagnose
