// SPDX-License-Identifier: BSD-2-Clause
#include "output/utf8.h"

#include <locale.h>
#include <wchar.h>
#include <wctype.h>

namespace waitclose::output {

namespace {

/// The C library's character tables, whatever the user's locale is. Null where C.UTF-8 is not installed.
locale_t tables() {
    static const locale_t locale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return locale;
}

struct Lead {
    std::size_t length;
    char32_t bits;
    char32_t smallest;  // below it the form is overlong
};

Lead read_lead(unsigned char byte) {
    if (byte >= 0xc2 && byte <= 0xdf) return {2, byte & 0x1fU, 0x80};
    if (byte >= 0xe0 && byte <= 0xef) return {3, byte & 0x0fU, 0x800};
    if (byte >= 0xf0 && byte <= 0xf4) return {4, byte & 0x07U, 0x10000};
    return {0, 0, 0};
}

}  // namespace

Decoded decode_utf8(std::string_view bytes) {
    const auto first = static_cast<unsigned char>(bytes.front());
    if (first < 0x80) return {first, 1, true};
    const Lead lead = read_lead(first);
    if (lead.length == 0 || bytes.size() < lead.length) return {first, 1, false};
    char32_t point = lead.bits;
    for (std::size_t i = 1; i < lead.length; ++i) {
        const auto next = static_cast<unsigned char>(bytes[i]);
        if ((next & 0xc0) != 0x80) return {first, 1, false};
        point = (point << 6) | (next & 0x3fU);
    }
    const bool surrogate = point >= 0xd800 && point <= 0xdfff;
    if (point < lead.smallest || point > 0x10ffff || surrogate) return {first, 1, false};
    return {point, lead.length, true};
}

std::size_t width_of(char32_t point) {
    if (point < 0x300) return 1;  // ahead of the first combining mark: one column each
    if (tables() == nullptr) return 1;
    const locale_t before = ::uselocale(tables());  // of this thread only
    const int width = ::wcwidth(static_cast<wchar_t>(point));
    ::uselocale(before);
    return width < 0 ? 1 : static_cast<std::size_t>(width);
}

bool has_glyph(char32_t point) {
    if (point < 0x80) return point >= 0x20 && point < 0x7f;
    if (point < 0xa0) return false;  // C1 controls
    return tables() == nullptr || ::iswprint_l(static_cast<wint_t>(point), tables()) != 0;
}

}  // namespace waitclose::output
