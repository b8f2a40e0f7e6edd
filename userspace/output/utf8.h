// SPDX-License-Identifier: BSD-2-Clause
// Reading UTF-8 one character at a time, strictly (RFC 3629): no overlong forms, no surrogates.
#pragma once

#include <cstddef>
#include <string_view>

namespace waitclose::output {

struct Decoded {
    char32_t point = 0;
    std::size_t length = 1;  // bytes consumed; 1 for an invalid byte
    bool valid = false;
};

/// The character at the start of `bytes`, which must not be empty.
Decoded decode_utf8(std::string_view bytes);

/// Columns a character takes on a terminal: 0 for marks, 2 for wide ones.
std::size_t width_of(char32_t point);

/// False where the character database knows no glyph for it: controls, and what is not assigned.
bool has_glyph(char32_t point);

}  // namespace waitclose::output
