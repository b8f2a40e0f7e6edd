// SPDX-License-Identifier: BSD-2-Clause
// The terminal: draws screens, reads keys, and gives the terminal back as it was, whatever happens. The only
// user of ncurses.
#pragma once

#include <memory>
#include <optional>

#include "failure.h"
#include "live/keys.h"
#include "live/screen.h"
#include "output/style.h"

namespace waitclose::live {

/// One at a time.
class Terminal {
public:
    /// Takes over the terminal of stdin and stdout. Until this object is gone, a signal that ends the program
    /// with a core dump gives the terminal back first.
    static Result<std::unique_ptr<Terminal>> open(const output::TextStyle& style);
    ~Terminal();
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    Size size() const;
    void show(const Screen& screen);

    struct Input {
        std::optional<Key> key;
        bool redraw = false;  // the size is another one, or others have drawn here
    };
    /// What was typed, or has happened to the terminal; nothing when nothing has. Ctrl-Z stops the program in
    /// here, as everywhere.
    std::optional<Input> read();
    /// A key may have come in part: worth reading again soon.
    bool is_waiting() const { return keys_.is_waiting(); }

private:
    Terminal() = default;
    void read_bytes();
    bool take_back();
    bool follow_size();

    KeyReader keys_;
    bool colored_ = false;
    bool strikes_ = false;  // can put a mark over a character
};

}  // namespace waitclose::live
