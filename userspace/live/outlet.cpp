// SPDX-License-Identifier: BSD-2-Clause
#include "live/outlet.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace waitclose::live {

/// A flag of its own is only set where the terminal could not be opened once more (Outlet): else it belongs
/// to everybody who has it from the same shell, and nobody else should meet it.
std::size_t write_now(int terminal, const char* bytes, std::size_t length) {
    const int flags = ::fcntl(terminal, F_GETFL);
    const bool waits = flags >= 0 && (flags & O_NONBLOCK) == 0;
    if (waits) ::fcntl(terminal, F_SETFL, flags | O_NONBLOCK);
    const ssize_t written = ::write(terminal, bytes, length);
    const bool later = written < 0 && (errno == EAGAIN || errno == EINTR);
    if (waits) ::fcntl(terminal, F_SETFL, flags);
    if (written >= 0) return static_cast<std::size_t>(written);
    return later ? 0 : length;
}

/// TCOON alone starts only what TCOOFF has stopped, and not what Ctrl-S has.
void unstick(int terminal) {
    ::tcflush(terminal, TCOFLUSH);
    ::tcflow(terminal, TCOOFF);
    ::tcflow(terminal, TCOON);
}

Outlet::Outlet(int terminal) : shared_(terminal) {
    unsigned which = 0;
    if (::ioctl(terminal, TIOCGDEV, &which) != 0) return;
    for (const char* path : {"/dev/tty", "/proc/self/fd/1"}) {
        system::Descriptor same(::open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
        unsigned opened = 0;
        if (!same || ::ioctl(same.get(), TIOCGDEV, &opened) != 0 || opened != which) continue;
        own_ = std::move(same);
        return;
    }
}

bool Outlet::send(int patience_ms) {
    moves_ = false;
    for (bool waited = false; !waiting_.empty();) {
        const std::size_t taken = write_now(descriptor(), waiting_.data(), waiting_.size());
        waiting_.erase(0, taken);
        moves_ = moves_ || taken > 0;
        pollfd room{descriptor(), POLLOUT, 0};
        // It may say that there is room, and take nothing all the same.
        if (taken == 0 && (waited || patience_ms == 0 || ::poll(&room, 1, patience_ms) <= 0)) return false;
        waited = taken == 0;
    }
    return true;
}

void Outlet::finish() {
    constexpr int kPatienceMs = 1'000;
    if (send(kPatienceMs)) return;
    // What was begun to be sent is thrown away, and with it half of what says how the screen looks.
    unstick(shared_);
    send(0);
    waiting_.clear();
}

}  // namespace waitclose::live
