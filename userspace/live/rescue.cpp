// SPDX-License-Identifier: BSD-2-Clause
#include "live/rescue.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>

#include <unistd.h>

#include "live/outlet.h"

namespace waitclose::live {
namespace {

/// What a signal handler needs to give the terminal back: it may call next to nothing.
struct Rescue {
    termios before{};
    int outlet = STDOUT_FILENO;
    std::array<char, 256> sequence{};
    std::size_t length = 0;
};
Rescue rescue;

/// Whatever ends a process that does not handle it, but for those that end the view in order.
constexpr std::array kFatal{SIGABRT, SIGSEGV,   SIGBUS,  SIGFPE,  SIGILL,  SIGQUIT,
                            SIGTRAP, SIGSYS,    SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM,
                            SIGPROF, SIGSTKFLT, SIGIO,   SIGPWR,  SIGXCPU, SIGXFSZ};

/// The modes first: they need nobody who takes output.
extern "C" void give_back_and_die(int number) {
    ::tcsetattr(STDIN_FILENO, TCSANOW, &rescue.before);
    const std::size_t sent = write_now(rescue.outlet, rescue.sequence.data(), rescue.length);
    if (sent < rescue.length) {
        unstick(STDIN_FILENO);
        write_now(rescue.outlet, rescue.sequence.data(), rescue.length);
    }
    ::signal(number, SIG_DFL);
    ::raise(number);
}

}  // namespace

void begin_rescue(const termios& before, int outlet, std::string_view sequence) {
    rescue.before = before;
    rescue.outlet = outlet;
    rescue.length = std::min(sequence.size(), rescue.sequence.size());
    std::copy_n(sequence.data(), rescue.length, rescue.sequence.data());
    struct sigaction action {};
    action.sa_handler = give_back_and_die;
    action.sa_flags = SA_ONSTACK;  // where the stack has overflowed, there is none left for it
    ::sigemptyset(&action.sa_mask);
    for (const int number : kFatal) ::sigaction(number, &action, nullptr);
}

void end_rescue() {
    for (const int number : kFatal) ::signal(number, SIG_DFL);
}

}  // namespace waitclose::live
