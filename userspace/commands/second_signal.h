// SPDX-License-Identifier: BSD-2-Clause
// A signal while a bundle is being finished: the first is answered, the second ends the program at once.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "system/files.h"

namespace waitclose::commands {

/// Takes one signal off the descriptor of open_signal_descriptor(); false when there is none.
bool take_signal(const system::Descriptor& signals);

class SecondSignal {
public:
    /// `asked_before`: a signal has already come, so that the next is the second. `clean_up`: takes away what
    /// is half-written; it runs beside whatever writes it. `signals` must outlive this.
    SecondSignal(const system::Descriptor& signals, bool asked_before, std::function<void()> clean_up);
    SecondSignal(const SecondSignal&) = delete;
    SecondSignal& operator=(const SecondSignal&) = delete;
    ~SecondSignal();

private:
    system::Descriptor ended_;
    std::thread watcher_;
};

}  // namespace waitclose::commands
