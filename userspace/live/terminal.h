// SPDX-License-Identifier: BSD-2-Clause
// The terminal: draws screens, reads keys, and gives the terminal back as it was, whatever happens. The only
// user of ncurses.
#pragma once

#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include <termios.h>

#include "failure.h"
#include "live/keys.h"
#include "live/outlet.h"
#include "live/screen.h"
#include "output/style.h"
#include "system/signal_stack.h"

struct screen;  // of ncurses

namespace waitclose::live {

/// One at a time, of one thread. Never waits for the terminal: where it takes no output, nothing is drawn,
/// and all the rest goes on.
class Terminal {
public:
    /// Takes over the terminal of stdin and stdout. Until this object is gone, a signal that ends the program
    /// with a core dump gives the terminal back first.
    static Result<std::unique_ptr<Terminal>> open(const output::TextStyle& style);
    ~Terminal();
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    /// Within reason, whatever the terminal says.
    Size size() const;
    /// Whether all that was drawn has been taken, so that there is a point in drawing more; and the terminal
    /// is this program's.
    bool is_ready();
    /// It is slow, and takes what was drawn piece by piece: worth asking again soon.
    bool is_taking() const { return outlet_.moves(); }
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
    Terminal();
    bool begin_drawing();
    void take_modes();
    void prepare_rescue();
    std::string take_drawn();
    void give_back();
    void read_bytes();
    bool take_back();
    bool follow_size();

    Outlet outlet_;
    system::SignalStack stack_;   // for the handler of crashes
    std::FILE* drawn_ = nullptr;  // what ncurses takes for the terminal: a file in memory
    ::screen* screen_ = nullptr;
    termios before_{};
    termios drawing_{};
    KeyReader keys_;
    bool colored_ = false;
    bool strikes_ = false;  // can put a mark over a character
};

}  // namespace waitclose::live
