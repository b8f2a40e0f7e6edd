// SPDX-License-Identifier: BSD-2-Clause
#include "commands/second_signal.h"

#include <array>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "commands/command.h"

namespace waitclose::commands {

bool take_signal(const system::Descriptor& signals) {
    signalfd_siginfo taken{};
    return ::read(signals.get(), &taken, sizeof(taken)) == static_cast<ssize_t>(sizeof(taken));
}

SecondSignal::SecondSignal(const system::Descriptor& signals, bool asked_before,
                           std::function<void()> clean_up)
    : ended_(::eventfd(0, EFD_CLOEXEC)) {
    watcher_ = std::thread([this, &signals, asked = asked_before, clean_up = std::move(clean_up)]() mutable {
        for (;;) {
            std::array<pollfd, 2> waits{{{signals.get(), POLLIN, 0}, {ended_.get(), POLLIN, 0}}};
            if (::poll(waits.data(), waits.size(), -1) < 0) continue;
            if (waits[1].revents) return;
            if (!take_signal(signals)) continue;
            if (!std::exchange(asked, true)) {
                say("waitclose: the bundle is being written; once more ends it and keeps nothing");
                continue;
            }
            clean_up();
            tell({"the capture was ended before its bundle was written", "nothing was kept; capture again"},
                 kCouldNot);
            ::_exit(kCouldNot);
        }
    });
}

SecondSignal::~SecondSignal() {
    const std::uint64_t one = 1;
    static_cast<void>(::write(ended_.get(), &one, sizeof(one)));
    watcher_.join();
}

}  // namespace waitclose::commands
