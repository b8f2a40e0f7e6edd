// SPDX-License-Identifier: BSD-2-Clause
// What a sleeping thread waits for: wait classes. For whom is in chain.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "diagnose/kernel_stack.h"
#include "model/process.h"

namespace waitclose::diagnose {

/// As the contract calls it, e.g. "event-loop".
std::string_view id_of(WaitClass wait);

/// What a thread does that waits so, for a sentence: "waits for the disk", "sleeps". The second takes what
/// the contract calls it; any other word is "waits".
std::string_view phrase_of(WaitClass wait);
std::string_view phrase_of(std::string_view id);

struct Wait {
    WaitClass what = WaitClass::kNothing;
    std::string detail;                      // "fdatasync(fd 12, /var/log/audit.log)"; names are raw
    std::optional<std::uint32_t> owner_tid;  // of the lock, a thread of the same process
    std::string frame;                       // the function of the kernel that tells; empty: not known
    bool blocked = false;  // of a file lock or another wait: it is no wait for the next piece of work
};

/// By the system call, its arguments, what its descriptor refers to, where in the kernel the thread sleeps,
/// and whether the scheduler counts the sleep as waiting for a disk. Pure.
Wait wait_of(const model::Thread& thread);

}  // namespace waitclose::diagnose
