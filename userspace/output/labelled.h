// SPDX-License-Identifier: BSD-2-Clause
// Lines with a label before them, as headers have.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "output/sink.h"
#include "output/style.h"

namespace waitclose::output {

inline constexpr std::size_t kLabelWidth = 8;  // "States  ": all that follows starts in one column

/// Writes one labelled line of printable text, wrapped beside its label.
void write_labelled(Sink& sink, const TextStyle& style, std::string_view label, std::string_view text,
                    Paint how = Paint::kPlain);

/// "1 socket", "1,200 sockets"
std::string count_of(std::uint64_t count, std::string_view one, std::string_view many);

}  // namespace waitclose::output
