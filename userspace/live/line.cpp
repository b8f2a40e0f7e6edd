// SPDX-License-Identifier: BSD-2-Clause
#include "live/line.h"

#include "output/utf8.h"

namespace waitclose::live {
namespace {

bool goes_on(char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0) == 0x80;
}

}  // namespace

/// One character back, and one further.
std::size_t Line::before() const {
    std::size_t at = cursor;
    while (at > 0 && goes_on(text[at - 1])) --at;
    return at > 0 ? at - 1 : 0;
}

std::size_t Line::behind() const {
    std::size_t at = cursor;
    if (at < text.size()) ++at;
    while (at < text.size() && goes_on(text[at])) ++at;
    return at;
}

std::size_t Line::word_begin() const {
    std::size_t at = cursor;
    while (at > 0 && text[at - 1] == ' ') --at;
    while (at > 0 && text[at - 1] != ' ') --at;
    return at;
}

/// By whole characters, as far as there is room.
void Line::insert(const std::string& typed, std::size_t most) {
    std::string_view left = typed;
    while (!left.empty()) {
        const output::Decoded next = output::decode_utf8(left);
        if (text.size() + next.length > most) return;
        if (next.valid) {
            text.insert(cursor, left.substr(0, next.length));
            cursor += next.length;
        }
        left.remove_prefix(next.length);
    }
}

void Line::erase_before(std::size_t begin) {
    text.erase(begin, cursor - begin);
    cursor = begin;
}

void Line::edit(const Key& key, std::size_t most) {
    switch (key.kind) {
    case Key::Kind::kCharacter:
    case Key::Kind::kPasted: return insert(key.text, most);
    case Key::Kind::kBackspace: return erase_before(before());
    case Key::Kind::kDelete: text.erase(cursor, behind() - cursor); break;
    case Key::Kind::kEraseLine: return erase_before(0);
    case Key::Kind::kEraseWord: return erase_before(word_begin());
    case Key::Kind::kEraseRest: text.erase(cursor); break;
    case Key::Kind::kLeft: cursor = before(); break;
    case Key::Kind::kRight: cursor = behind(); break;
    case Key::Kind::kHome: cursor = 0; break;
    case Key::Kind::kEnd: cursor = text.size(); break;
    default: break;
    }
}

}  // namespace waitclose::live
