// SPDX-License-Identifier: BSD-2-Clause
// Work beside the thread that draws.
#pragma once

#include <chrono>
#include <csignal>
#include <future>
#include <utility>

#include "system/signal_stack.h"

namespace waitclose::commands {

/// Does it in a thread of its own. The terminal's signals stay with the thread that draws; those of a fault
/// come where it happens, and blocked they would kill before the terminal is given back.
template <typename Work>
auto in_background(Work work) {
    return std::async(std::launch::async, [work = std::move(work)]() mutable {
        sigset_t all;
        sigfillset(&all);
        for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT})
            sigdelset(&all, fault);
        pthread_sigmask(SIG_BLOCK, &all, nullptr);
        const system::SignalStack stack;  // a stack that has overflowed is such a fault
        return work();
    });
}

/// Whether it was begun, and is not done yet.
template <typename Value>
bool is_running(const std::future<Value>& work) {
    return work.valid() && work.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
}

}  // namespace waitclose::commands
