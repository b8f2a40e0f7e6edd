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

bool Outlet::send(std::chrono::milliseconds within) {
    const auto until = std::chrono::steady_clock::now() + within;
    moves_ = false;
    while (!waiting_.empty()) {
        const std::size_t taken = write_now(descriptor(), waiting_.data(), waiting_.size());
        waiting_.erase(0, taken);
        moves_ = moves_ || taken > 0;
        if (taken > 0) continue;
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        pollfd room{descriptor(), POLLOUT, 0};
        if (left.count() <= 0 || ::poll(&room, 1, static_cast<int>(left.count())) <= 0) return false;
    }
    return true;
}

void Outlet::finish(std::string_view last) {
    using namespace std::chrono_literals;
    add(last);
    for (int seconds = 0; seconds < 5; ++seconds) {
        if (send(1s)) return;
        if (!moves_) break;
    }
    unstick(shared_);
    waiting_ = last;
    send(0s);
    waiting_.clear();
}

}  // namespace waitclose::live
