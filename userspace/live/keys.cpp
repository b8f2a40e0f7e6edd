// SPDX-License-Identifier: BSD-2-Clause
#include "live/keys.h"

#include <algorithm>

#include "model/units.h"
#include "output/utf8.h"

namespace waitclose::live {
namespace {

using Kind = Key::Kind;

constexpr char kEscape = '\x1b';
constexpr std::string_view kPasteBegins = "\x1b[200~";
constexpr std::string_view kPasteEnds = "\x1b[201~";
/// The rest of a sequence may come later over a slow line; who presses Esc does not want to wait.
constexpr std::uint64_t kEscapeNs = 100'000'000;
/// What has not ended by then never will.
constexpr std::uint64_t kSequenceNs = model::kSecond;
constexpr std::uint64_t kPasteNs = 5 * model::kSecond;
constexpr std::size_t kLongestSequence = 256;
constexpr std::size_t kLongestPaste = 65'536;

std::optional<Key> key_of(Kind kind) {
    return Key{kind, {}};
}

/// The last letter of "ESC [ A" and of "ESC O A".
std::optional<Key> key_of_letter(char letter) {
    switch (letter) {
    case 'A': return key_of(Kind::kUp);
    case 'B': return key_of(Kind::kDown);
    case 'C': return key_of(Kind::kRight);
    case 'D': return key_of(Kind::kLeft);
    case 'H': return key_of(Kind::kHome);
    case 'F': return key_of(Kind::kEnd);
    default: return std::nullopt;
    }
}

/// The number of "ESC [ 5 ~".
std::optional<Key> key_of_number(std::string_view number) {
    if (number == "1" || number == "7") return key_of(Kind::kHome);
    if (number == "4" || number == "8") return key_of(Kind::kEnd);
    if (number == "3") return key_of(Kind::kDelete);
    if (number == "5") return key_of(Kind::kPageUp);
    if (number == "6") return key_of(Kind::kPageDown);
    return std::nullopt;
}

std::optional<Key> key_of_control(char byte) {
    switch (byte) {
    case '\r':
    case '\n': return key_of(Kind::kEnter);
    case 0x08:
    case 0x7f: return key_of(Kind::kBackspace);
    case 'A' - '@': return key_of(Kind::kHome);
    case 'E' - '@': return key_of(Kind::kEnd);
    case 'K' - '@': return key_of(Kind::kEraseRest);
    case 'L' - '@': return key_of(Kind::kRedraw);
    case 'N' - '@': return key_of(Kind::kDown);
    case 'P' - '@': return key_of(Kind::kUp);
    case 'U' - '@': return key_of(Kind::kEraseLine);
    case 'W' - '@': return key_of(Kind::kEraseWord);
    default: return std::nullopt;
    }
}

std::size_t length_by_first(unsigned char first) {
    if (first < 0x80) return 1;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

bool goes_on_character(char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0) == 0x80;
}

}  // namespace

void KeyReader::add(std::string_view bytes, std::uint64_t now_ns) {
    if (bytes_.size() == 1 && bytes_.front() == kEscape) escape_alone_ = true;
    bytes_ += bytes;
    added_ns_ = now_ns;
}

std::optional<Key> KeyReader::next(std::uint64_t now_ns) {
    while (!bytes_.empty()) {
        if (too_much_pasted_ && swallows_paste(now_ns)) return std::nullopt;
        Found found = find();
        if (found.length == 0) {
            if (!gives_up(now_ns)) return std::nullopt;
            if (bytes_.starts_with(kPasteBegins) && bytes_.size() > kLongestPaste) {
                too_much_pasted_ = true;
                continue;
            }
            // Esc alone is a key; a sequence that was cut off is none.
            const bool is_escape = bytes_.size() == 1 && bytes_.front() == kEscape;
            found = {bytes_.size(), is_escape ? key_of(Kind::kEscape) : std::nullopt};
        }
        bytes_.erase(0, found.length);
        escape_alone_ = false;
        if (found.key) return found.key;
    }
    return std::nullopt;
}

bool KeyReader::gives_up(std::uint64_t now_ns) const {
    const bool pastes = bytes_.starts_with(kPasteBegins);
    const std::uint64_t patience = bytes_.size() == 1 ? kEscapeNs : pastes ? kPasteNs : kSequenceNs;
    return now_ns - added_ns_ >= patience || bytes_.size() > (pastes ? kLongestPaste : kLongestSequence);
}

/// Whether all there is belongs to what was pasted.
bool KeyReader::swallows_paste(std::uint64_t now_ns) {
    const std::size_t end = bytes_.find(kPasteEnds);
    if (end == std::string::npos && now_ns - added_ns_ < kPasteNs) {
        // The mark of its end may have been cut in two.
        bytes_.erase(0, bytes_.size() - std::min(bytes_.size(), kPasteEnds.size() - 1));
        return true;
    }
    bytes_.erase(0, end == std::string::npos ? end : end + kPasteEnds.size());
    too_much_pasted_ = false;
    return bytes_.empty();
}

KeyReader::Found KeyReader::find() const {
    const char first = bytes_.front();
    if (first == kEscape) return find_sequence();
    if (static_cast<unsigned char>(first) < 0x20 || first == 0x7f) return {1, key_of_control(first)};
    return find_character(bytes_);
}

KeyReader::Found KeyReader::find_sequence() const {
    if (bytes_.size() == 1) return {};
    switch (bytes_[1]) {
    case '[': {
        if (bytes_.starts_with(kPasteBegins)) return find_pasted();
        std::size_t at = 2;
        // The Linux console's function keys: "ESC [ [ A".
        if (bytes_.size() > at && bytes_[at] == '[') return {bytes_.size() > at + 1 ? at + 2 : 0};
        while (at < bytes_.size() && bytes_[at] >= 0x20 && bytes_[at] < 0x40) ++at;
        if (at == bytes_.size()) return {};
        return find_control(at);
    }
    case 'O':
        if (bytes_.size() < 3) return {};
        return {3, bytes_[2] == 'M' ? key_of(Kind::kEnter) : key_of_letter(bytes_[2])};
    case ']':
    case 'P':
    case '_':
    case '^': {
        // Answers of the terminal, up to BEL or ESC \.
        const std::size_t bell = bytes_.find('\a');
        const std::size_t end = bytes_.find("\x1b\\", 2);
        if (bell == std::string::npos && end == std::string::npos) return {};
        return bell < end ? Found{bell + 1} : Found{end + 2};
    }
    default: return find_with_alt();
    }
}

/// Alt puts an escape before what the key sends, at once. Who presses Esc and then a key is slower; of Esc
/// pressed twice the first is done with.
KeyReader::Found KeyReader::find_with_alt() const {
    if (escape_alone_ || bytes_[1] == kEscape) return {1, key_of(Kind::kEscape)};
    const std::size_t length = find_character(std::string_view(bytes_).substr(1)).length;
    return {length == 0 ? 0 : 1 + length};
}

/// "ESC [" with its last byte at `end`.
KeyReader::Found KeyReader::find_control(std::size_t end) const {
    constexpr std::size_t kMouseBytes = 3;
    const char last = bytes_[end];
    // Broken off, and something else begins.
    if (last < 0x20 || last == 0x7f || static_cast<unsigned char>(last) >= 0x80) return {end};
    const std::string_view inside = std::string_view(bytes_).substr(2, end - 2);
    // The oldest way to tell of the mouse: three bytes of anything follow.
    if (last == 'M' && inside.empty()) return {bytes_.size() > end + kMouseBytes ? end + 1 + kMouseBytes : 0};
    const std::string_view number = inside.substr(0, inside.find(';'));
    if (last == '~') return {end + 1, key_of_number(number)};
    return {end + 1, number.empty() || number == "1" ? key_of_letter(last) : std::nullopt};
}

KeyReader::Found KeyReader::find_pasted() const {
    const std::size_t end = bytes_.find(kPasteEnds);
    if (end == std::string::npos) return {};
    std::string text = bytes_.substr(kPasteBegins.size(), end - kPasteBegins.size());
    std::ranges::replace_if(
        text, [](char byte) { return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f; }, ' ');
    return {end + kPasteEnds.size(), Key{Kind::kPasted, std::move(text)}};
}

KeyReader::Found KeyReader::find_character(std::string_view bytes) {
    const auto first = static_cast<unsigned char>(bytes.front());
    if (first >= 0x80 && first < 0xc0) return {1};  // the rest of what was swallowed
    const std::size_t length = length_by_first(first);
    for (std::size_t at = 1; at < length; ++at) {
        if (at == bytes.size()) return {};
        if (!goes_on_character(bytes[at])) return {at};
    }
    std::string text(bytes.substr(0, length));
    if (output::decode_utf8(text).length != length) return {length};
    return {length, Key{Kind::kCharacter, std::move(text)}};
}

}  // namespace waitclose::live
