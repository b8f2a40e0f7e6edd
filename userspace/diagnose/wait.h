// SPDX-License-Identifier: BSD-2-Clause
// What a sleeping thread waits for: wait classes. For whom is in chain.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/process.h"

namespace waitclose::diagnose {

enum class WaitClass : std::uint8_t {
    kNothing,  // it runs
    kDisk,
    kLock,
    kDownstream,
    kPipe,
    kSleep,
    kChild,
    kEventLoop,  // the next piece of work: accept() counts as one
    kOther,
};

/// As the contract calls it, e.g. "event-loop".
std::string_view id_of(WaitClass wait);

struct Wait {
    WaitClass what = WaitClass::kNothing;
    std::string detail;                      // "fdatasync(fd 12, /var/log/audit.log)"; names are raw
    std::optional<std::uint32_t> owner_tid;  // of the lock, a thread of the same process
};

/// By the system call, its arguments, what its descriptor refers to, and whether the scheduler counts the
/// sleep as waiting for a disk. Pure.
Wait wait_of(const model::Thread& thread);

}  // namespace waitclose::diagnose
