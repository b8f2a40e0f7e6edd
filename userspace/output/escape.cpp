// SPDX-License-Identifier: BSD-2-Clause
#include "output/escape.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "output/utf8.h"

namespace waitclose::output {

namespace {

/// More marks than this on one character are no script, but a way to write over the lines above.
constexpr int kMostMarks = 3;

struct Range {
    char32_t first;
    char32_t last;
};

/// Unicode's Default_Ignorable_Code_Point (invisible, or steering the direction of text), the line and
/// paragraph separators, and the interlinear annotation controls.
constexpr Range kInvisible[] = {
    {0x00ad, 0x00ad},   {0x034f, 0x034f},   {0x061c, 0x061c}, {0x115f, 0x1160}, {0x17b4, 0x17b5},
    {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e}, {0x2060, 0x206f}, {0x3164, 0x3164},
    {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0x1bca0, 0x1bca3},
    {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

bool is_invisible(char32_t point) {
    return std::any_of(std::begin(kInvisible), std::end(kInvisible),
                       [point](const Range& range) { return point >= range.first && point <= range.last; });
}

bool is_plain(unsigned char byte) {
    return byte >= 0x20 && byte < 0x7f;
}

void append_escape(std::string& out, char32_t point) {
    const auto number = static_cast<std::uint32_t>(point);
    switch (point) {
    case U'\n': out += "\\n"; return;
    case U'\r': out += "\\r"; return;
    case U'\t': out += "\\t"; return;
    case 0x1b: out += "\\e"; return;
    default: break;
    }
    auto to = std::back_inserter(out);
    if (number < 0x80) {
        fmt::format_to(to, "\\x{:02x}", number);
    } else if (number <= 0xffff) {
        fmt::format_to(to, "\\u{:04x}", number);
    } else {
        fmt::format_to(to, "\\U{:08x}", number);
    }
}

bool has_digits(std::string_view text, std::size_t count) {
    const auto is_hex = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    };
    return text.size() >= count &&
           std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(count), is_hex);
}

/// Whether it is what an escape of ours has behind its backslash. \x2d is none: a dash is printed as it is.
bool reads_as_escape(std::string_view text) {
    if (text.empty()) return false;
    const std::string_view rest = text.substr(1);
    switch (text.front()) {
    case 'e':
    case 'n':
    case 'r':
    case 't': return true;
    case 'x':
        return has_digits(rest, 2) && !(rest[0] >= '2' && rest[0] <= '7') ? true : rest.starts_with("7f");
    case 'u': return has_digits(rest, 4);
    case 'U': return has_digits(rest, 8);
    default: return false;
    }
}

/// How many backslashes stand at the beginning, and whether each has to be doubled.
std::pair<std::size_t, bool> backslashes(std::string_view bytes) {
    const std::size_t count = std::min(bytes.find_first_not_of('\\'), bytes.size());
    const std::string_view rest = bytes.substr(count);
    const bool escape_follows = !rest.empty() && !is_plain(static_cast<unsigned char>(rest.front()));
    return {count, count > 1 || escape_follows || reads_as_escape(rest)};
}

}  // namespace

std::string printable(std::string_view bytes, Charset charset) {
    std::string out;
    out.reserve(bytes.size());
    int marks = 0;
    while (!bytes.empty()) {
        const auto first = static_cast<unsigned char>(bytes.front());
        if (first == '\\') {
            const auto [count, doubled] = backslashes(bytes);
            out.append(doubled ? 2 * count : count, '\\');
            bytes.remove_prefix(count);
            marks = 0;
            continue;
        }
        if (is_plain(first)) {
            out += bytes.front();
            bytes.remove_prefix(1);
            marks = 0;
            continue;
        }
        const Decoded next = decode_utf8(bytes);
        if (!next.valid) {
            fmt::format_to(std::back_inserter(out), "\\x{:02x}", first);
            marks = 0;
        } else {
            marks = width_of(next.point) == 0 ? marks + 1 : 0;
            const bool shown = charset == Charset::kUtf8 && has_glyph(next.point) &&
                               !is_invisible(next.point) && marks <= kMostMarks;
            if (shown) {
                out += bytes.substr(0, next.length);
            } else {
                append_escape(out, next.point);
            }
        }
        bytes.remove_prefix(next.length);
    }
    return out;
}

}  // namespace waitclose::output
