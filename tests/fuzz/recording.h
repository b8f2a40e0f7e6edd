// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fuzz {

/// Between a recording and its write-ahead log in one input.
inline constexpr std::string_view kLogFollows = "\n--wal--\n";

}  // namespace fuzz

/// Plays these bytes as a recording; aborts when the reader does what it must not.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
