// SPDX-License-Identifier: BSD-2-Clause
#include "system/signal_stack.h"

#include <csignal>
#include <cstddef>
#include <cstdlib>

namespace waitclose::system {
namespace {

/// Far more than the handlers need and processors save (11 KB with AMX).
constexpr std::size_t kBytes = 65'536;

}  // namespace

SignalStack::SignalStack() : memory_(std::malloc(kBytes)) {
    if (!memory_) return;
    stack_t stack{};
    stack.ss_sp = memory_;
    stack.ss_size = kBytes;
    ::sigaltstack(&stack, nullptr);
}

SignalStack::~SignalStack() {
    if (!memory_) return;
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    ::sigaltstack(&none, nullptr);
    std::free(memory_);
}

}  // namespace waitclose::system
