// SPDX-License-Identifier: BSD-2-Clause
#include "timeline/json_text.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "output/utf8.h"

namespace waitclose::timeline {

namespace {

/// ASCII that stands for itself between quotes.
constexpr std::array<bool, 256> make_plain() {
    std::array<bool, 256> plain{};
    for (std::size_t byte = 0x20; byte < 0x7f; ++byte) plain[byte] = true;
    plain['"'] = plain['\\'] = plain['<'] = false;
    return plain;
}
constexpr std::array<bool, 256> kPlain = make_plain();

constexpr char32_t kReplacement = 0xfffd;

/// The longest escape of a character: two UTF-16 units.
constexpr std::size_t kLongestEscape = 12;

char* put_unit(char* out, std::uint32_t unit) {
    constexpr char kHex[] = "0123456789abcdef";
    *out++ = '\\';
    *out++ = 'u';
    for (int shift = 12; shift >= 0; shift -= 4) *out++ = kHex[(unit >> shift) & 0xf];
    return out;
}

char* put_pair(char* out, char letter) {
    *out++ = '\\';
    *out++ = letter;
    return out;
}

char* put_escape(char* out, char32_t point) {
    switch (point) {
    case U'"': return put_pair(out, '"');
    case U'\\': return put_pair(out, '\\');
    case U'\n': return put_pair(out, 'n');
    case U'\r': return put_pair(out, 'r');
    case U'\t': return put_pair(out, 't');
    default: break;
    }
    if (point < 0x10000) return put_unit(out, point);
    const std::uint32_t rest = static_cast<std::uint32_t>(point) - 0x10000;  // as UTF-16 does
    return put_unit(put_unit(out, 0xd800 + (rest >> 10)), 0xdc00 + (rest & 0x3ff));
}

}  // namespace

void JsonText::text(std::string_view bytes) {
    char* out = begin_value(kLongestEscape);
    *out++ = '"';
    end_value(out, false);
    while (!bytes.empty()) {
        out = room(kLongestEscape);
        const std::size_t most = std::min(bytes.size(), kPiece - used_);
        std::size_t plain = 0;
        for (; plain < most && kPlain[static_cast<unsigned char>(bytes[plain])]; ++plain)
            out[plain] = bytes[plain];
        used_ += plain;
        bytes.remove_prefix(plain);
        if (plain > 0) continue;  // there may be no room left
        const output::Decoded next = output::decode_utf8(bytes);
        end_value(put_escape(out, next.valid ? next.point : kReplacement), false);
        bytes.remove_prefix(next.length);
    }
    close('"');
}

void JsonText::number(double value) {
    if (!std::isfinite(value)) {
        null();
        return;
    }
    char text[32];
    const auto [end, error] = std::to_chars(text, text + sizeof text, value);
    plain({text, static_cast<std::size_t>(end - text)});
}

void JsonText::thousandths(std::uint64_t value) {
    char text[32];
    char* end = std::to_chars(text, text + sizeof text, value / 1000).ptr;
    const auto rest = static_cast<unsigned>(value % 1000);
    if (rest != 0) {
        *end++ = '.';
        *end++ = static_cast<char>('0' + rest / 100);
        *end++ = static_cast<char>('0' + rest / 10 % 10);
        *end++ = static_cast<char>('0' + rest % 10);
    }
    plain({text, static_cast<std::size_t>(end - text)});
}

}  // namespace waitclose::timeline
