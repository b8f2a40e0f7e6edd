// SPDX-License-Identifier: BSD-2-Clause
#include "output/layout.h"

#include <algorithm>

#include "output/utf8.h"

namespace waitclose::output {

namespace {

/// Bytes of the longest beginning of `text` that takes at most `width` columns.
std::size_t bytes_within(std::string_view text, std::size_t width) {
    std::size_t bytes = 0;
    std::size_t columns = 0;
    while (bytes < text.size()) {
        const Decoded next = decode_utf8(text.substr(bytes));
        columns += width_of(next.point);
        if (columns > width) break;
        bytes += next.length;
    }
    return bytes;
}

/// The longest end of `text` that takes at most `width` columns.
std::string_view end_within(std::string_view text, std::size_t width) {
    std::size_t columns = display_width(text);
    while (columns > width) {
        const Decoded next = decode_utf8(text);
        columns -= width_of(next.point);
        text.remove_prefix(next.length);
    }
    return text;
}

/// Bytes of the next line: up to the last blank that fits, else as much of the word as fits, at least one
/// character.
std::size_t next_break(std::string_view text, std::size_t width) {
    const std::size_t within = bytes_within(text, width);
    if (within == text.size() || text[within] == ' ') return within;
    const std::size_t blank = text.substr(0, within).rfind(' ');
    if (blank != std::string_view::npos && blank > 0) return blank;
    return std::max(within, decode_utf8(text).length);
}

std::string_view without_leading_blanks(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    return text;
}

}  // namespace

std::size_t display_width(std::string_view text) {
    std::size_t columns = 0;
    while (!text.empty()) {
        const auto wide = std::find_if(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; });
        const auto ascii = static_cast<std::size_t>(wide - text.begin());
        columns += ascii;
        text.remove_prefix(ascii);
        if (text.empty()) break;
        const Decoded next = decode_utf8(text);
        columns += width_of(next.point);
        text.remove_prefix(next.length);
    }
    return columns;
}

std::string fit(std::string_view text, std::size_t width, Charset charset, Cut cut) {
    if (display_width(text) <= width) return std::string(text);
    if (width == 0) return {};
    const std::string mark = charset == Charset::kAscii ? "~" : "…";
    if (cut == Cut::kStart) return mark + std::string(end_within(text, width - 1));
    return std::string(text.substr(0, bytes_within(text, width - 1))) + mark;
}

std::string pad(std::string_view text, std::size_t width, Align align) {
    const std::size_t columns = display_width(text);
    const std::string blanks(columns < width ? width - columns : 0, ' ');
    return align == Align::kLeft ? std::string(text) + blanks : blanks + std::string(text);
}

std::vector<std::string> wrap(std::string_view text, std::size_t width, std::size_t most, Charset charset) {
    std::vector<std::string> lines;
    text = without_leading_blanks(text);
    while (!text.empty()) {
        if (lines.size() + 1 == most) {
            lines.push_back(fit(text, width, charset));
            break;
        }
        const std::size_t bytes = next_break(text, width);
        std::string line(text.substr(0, bytes));
        line.erase(line.find_last_not_of(' ') + 1);
        lines.push_back(std::move(line));
        text = without_leading_blanks(text.substr(bytes));
    }
    return lines;
}

Line& Line::add(std::string_view text, Paint how) {
    const std::string piece = fit(text, left_, style_.charset);
    left_ -= std::min(left_, display_width(piece));
    text_ += paint(style_, how, piece);
    return *this;
}

}  // namespace waitclose::output
