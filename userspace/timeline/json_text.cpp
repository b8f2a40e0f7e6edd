// SPDX-License-Identifier: BSD-2-Clause
#include "timeline/json_text.h"

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

void append_unit(std::string& out, std::uint32_t unit) {
    constexpr char kHex[] = "0123456789abcdef";
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) out += kHex[(unit >> shift) & 0xf];
}

void append_escape(std::string& out, char32_t point) {
    switch (point) {
    case U'"': out += "\\\""; return;
    case U'\\': out += "\\\\"; return;
    case U'\n': out += "\\n"; return;
    case U'\r': out += "\\r"; return;
    case U'\t': out += "\\t"; return;
    default: break;
    }
    if (point < 0x10000) {
        append_unit(out, point);
    } else {  // as UTF-16 does
        const std::uint32_t rest = static_cast<std::uint32_t>(point) - 0x10000;
        append_unit(out, 0xd800 + (rest >> 10));
        append_unit(out, 0xdc00 + (rest & 0x3ff));
    }
}

}  // namespace

void JsonText::text(std::string_view bytes) {
    separate();
    buffer_ += '"';
    while (!bytes.empty()) {
        std::size_t plain = 0;
        while (plain < bytes.size() && kPlain[static_cast<unsigned char>(bytes[plain])]) ++plain;
        buffer_ += bytes.substr(0, plain);
        bytes.remove_prefix(plain);
        if (bytes.empty()) break;
        const output::Decoded next = output::decode_utf8(bytes);
        append_escape(buffer_, next.valid ? next.point : kReplacement);
        bytes.remove_prefix(next.length);
    }
    buffer_ += '"';
    comma_ = true;
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
