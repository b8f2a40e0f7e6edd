// SPDX-License-Identifier: BSD-2-Clause
// Laying out text in terminal columns: measuring, cutting, padding, wrapping. Takes text that is printable
// already.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "output/style.h"

namespace waitclose::output {

/// Columns the text takes on a terminal.
std::size_t display_width(std::string_view text);

enum class Cut : std::uint8_t { kEnd, kStart };  // which end is given up; kStart keeps the port of an address

/// The text in at most `width` columns, with … (or ~ in ASCII) where something was cut off.
std::string fit(std::string_view text, std::size_t width, Charset charset = Charset::kUtf8,
                Cut cut = Cut::kEnd);

enum class Align : std::uint8_t { kLeft, kRight };

/// The text filled with blanks to `width` columns; longer text is returned as it is.
std::string pad(std::string_view text, std::size_t width, Align align = Align::kLeft);

/// The text as lines of at most `width` columns, broken at blanks, within a word only when there is no other
/// way; never between a number and its unit, nor between "fd", "pid", "tid" or "port" and its number. After
/// `most` lines the rest is cut off with an ellipsis.
std::vector<std::string> wrap(std::string_view text, std::size_t width, std::size_t most = 100,
                              Charset charset = Charset::kUtf8);

/// One line made of painted pieces that never takes more than `width` columns: what is too much is cut off.
class Line {
public:
    explicit Line(const TextStyle& style) : Line(style, style.width) {}
    Line(const TextStyle& style, std::size_t width) : style_(style), left_(width) {}

    Line& add(std::string_view text, Paint how = Paint::kPlain);
    std::size_t left() const { return left_; }
    const std::string& text() const { return text_; }

private:
    const TextStyle& style_;
    std::size_t left_;
    std::string text_;
};

}  // namespace waitclose::output
