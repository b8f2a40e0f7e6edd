// SPDX-License-Identifier: BSD-2-Clause
// Keys out of the bytes that a terminal sends. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace waitclose::live {

struct Key {
    enum class Kind : std::uint8_t {
        kCharacter,
        kPasted,
        kEnter,
        kEscape,
        kBackspace,
        kDelete,
        kUp,
        kDown,
        kPageUp,
        kPageDown,
        kHome,
        kEnd,
        kLeft,
        kRight,
        kEraseLine,  // all before the cursor
        kEraseWord,  // the word before it
        kEraseRest,  // all behind it
        kRedraw,
    };
    Kind kind = Kind::kCharacter;
    std::string text = {};  // UTF-8, of a character or of what was pasted
};

/// Takes bytes as they come, however they were cut up on the way, and gives keys. What is no key (mouse,
/// focus, answers of the terminal, broken characters, a key together with Alt) it swallows whole, so that no
/// part of it is taken for one.
class KeyReader {
public:
    /// `now_ns`: any clock that does not go back.
    void add(std::string_view bytes, std::uint64_t now_ns);
    /// The next key; nothing while there is none. An escape that nothing follows for a while is the key Esc,
    /// and so is one that what follows did not come together with.
    std::optional<Key> next(std::uint64_t now_ns);
    /// Something has begun of which more may come: worth asking again soon.
    bool is_waiting() const { return !bytes_.empty(); }

private:
    /// What stands at the begin of the bytes: how long it is, and the key, if it is one.
    struct Found {
        std::size_t length = 0;  // 0: not there as a whole
        std::optional<Key> key = {};
    };
    Found find() const;
    Found find_sequence() const;
    Found find_with_alt() const;
    Found find_control(std::size_t end) const;
    Found find_pasted() const;
    static Found find_character(std::string_view bytes);
    bool gives_up(std::uint64_t now_ns) const;
    bool swallows_paste(std::uint64_t now_ns);

    std::string bytes_;
    std::uint64_t added_ns_ = 0;
    bool escape_alone_ = false;     // the escape at the begin came without what is behind it
    bool too_much_pasted_ = false;  // what comes until its end is no key either
};

}  // namespace waitclose::live
