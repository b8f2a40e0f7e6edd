// SPDX-License-Identifier: BSD-2-Clause
// A stack for the signal handlers of a thread, which may have none left of its own.
#pragma once

namespace waitclose::system {

/// Of the thread that makes it, and which has to end it. Without memory for it there is none.
class SignalStack {
public:
    SignalStack();
    ~SignalStack();
    SignalStack(const SignalStack&) = delete;
    SignalStack& operator=(const SignalStack&) = delete;

private:
    void* memory_;
};

}  // namespace waitclose::system
