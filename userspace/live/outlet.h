// SPDX-License-Identifier: BSD-2-Clause
// The way to the terminal: it is sent what it takes, and nobody waits where it takes nothing, because it was
// stopped (Ctrl-S) or whoever shows it is not there.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "system/files.h"

namespace waitclose::live {

/// Writes what the terminal takes at once, and returns how much that was. As good as its last byte where the
/// terminal is gone: there is nobody left to show it to. May be called from a signal handler.
std::size_t write_now(int terminal, const char* bytes, std::size_t length);

/// Throws away what the terminal has not shown yet, and lets it go on where it was stopped. May be called
/// from a signal handler.
void unstick(int terminal);

class Outlet {
public:
    explicit Outlet(int terminal);

    /// To write to without waiting.
    int descriptor() const { return own_ ? own_.get() : shared_; }
    void add(std::string_view bytes) { waiting_ += bytes; }
    /// Sends until nothing is left, or so much time has passed. Whether nothing is left.
    bool send(std::chrono::milliseconds within);
    /// The same for as long as the terminal takes some, but a few seconds at most. Then all that it has not
    /// taken is given up, but for the `last` bytes, and it is let go on to take those.
    void finish(std::string_view last);
    /// There is more to send, and the terminal has taken some lately: worth trying again soon.
    bool moves() const { return moves_ && !waiting_.empty(); }

private:
    int shared_;              // with the shell and whoever else it has started
    system::Descriptor own_;  // none where the terminal cannot be opened once more
    std::string waiting_;
    bool moves_ = false;
};

}  // namespace waitclose::live
