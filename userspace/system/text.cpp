// SPDX-License-Identifier: BSD-2-Clause
#include "system/text.h"

#include <algorithm>
#include <charconv>

namespace waitclose::system {

std::string_view word(std::string_view line, int n) {
    for (;; --n) {
        const auto begin = line.find_first_not_of(' ');
        if (begin == std::string_view::npos) return {};
        const auto end = std::min(line.find(' ', begin), line.size());
        if (n == 0) return line.substr(begin, end - begin);
        line.remove_prefix(end);
    }
}

std::string_view take_line(std::string_view& text) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return line;
}

std::optional<std::uint64_t> to_number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::string unescape_mount(std::string_view text) {
    const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) && is_octal(text[i + 2]) &&
            is_octal(text[i + 3])) {
            plain +=
                static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
            i += 3;
        } else {
            plain += text[i];
        }
    }
    return plain;
}

}  // namespace waitclose::system
