// SPDX-License-Identifier: BSD-2-Clause
// Descriptors used, their limit, and when it is reached, in words; and sentences of a diagnosis made
// printable.
#pragma once

#include <string>
#include <string_view>

#include "diagnose/descriptors.h"
#include "output/style.h"

namespace waitclose::output {

/// "612 of 65,536 descriptors open; holds grow by 4.0/s (24 holds 2.0 s ago, 32 now): full in 4 h 30 min"
std::string outlook_text(const diagnose::FdOutlook& fds);

/// Printable in the style's character set, with a plain sign for the only one that diagnoses use beyond
/// ASCII.
std::string sentence(std::string_view text, const TextStyle& style);

}  // namespace waitclose::output
