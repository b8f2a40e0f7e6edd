// SPDX-License-Identifier: BSD-2-Clause
#include "output/layout.h"

#include <algorithm>
#include <array>

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

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

template <std::size_t Count>
bool is_one_of(std::string_view word, const std::array<std::string_view, Count>& words) {
    return std::ranges::find(words, word) != words.end();
}

/// Whether a number and what it counts or names stand around this blank ("12 %", "3 s", "fd 57"): apart, they
/// are misread.
bool is_bound(std::string_view text, std::size_t blank) {
    constexpr std::array<std::string_view, 9> kUnits{"%", "ns", "us", "µs", "ms", "s", "min", "h", "d"};
    constexpr std::array<std::string_view, 4> kNames{"fd", "pid", "tid", "port"};
    constexpr std::string_view kPunctuation = "()[],.;:";
    if (blank == 0 || blank + 1 >= text.size()) return false;
    std::string_view before = text.substr(0, blank);
    std::string_view after = text.substr(blank + 1);
    if (is_digit(before.back())) return is_one_of(after.substr(0, after.find_first_of(" ()[],.;:")), kUnits);
    before.remove_prefix(before.find_last_of(' ') + 1);
    before.remove_prefix(std::min(before.find_first_not_of(kPunctuation), before.size()));
    return is_digit(after.front()) && is_one_of(before, kNames);
}

/// The last blank at or before `at` where a line may end, a bound one only when there is no other; 0 when
/// there is none.
std::size_t last_break(std::string_view text, std::size_t at) {
    const auto blank_before = [&](std::size_t end) {
        const std::size_t blank = text.rfind(' ', end);
        return blank == std::string_view::npos ? 0 : blank;
    };
    const std::size_t last = blank_before(at);
    for (std::size_t blank = last; blank > 0; blank = blank_before(blank - 1))
        if (!is_bound(text, blank)) return blank;
    return last;
}

/// Bytes of the next line: up to the last blank that fits, else as much of the word as fits, at least one
/// character.
std::size_t next_break(std::string_view text, std::size_t width) {
    const std::size_t within = bytes_within(text, width);
    if (within == text.size()) return within;
    const std::size_t blank = last_break(text, within);
    return blank > 0 ? blank : std::max(within, decode_utf8(text).length);
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
