// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/shares.h"

#include "model/syscalls.h"

namespace waitclose::diagnose {

double Shares::idle() const {
    const auto found = slept.find(WaitClass::kEventLoop);
    return found == slept.end() ? 0 : found->second;
}

double Shares::asleep() const {
    double sum = unsorted;
    for (const auto& [what, share] : slept) sum += share;
    return sum;
}

std::optional<WaitClass> class_of(const model::Slept& slept) {
    if (!slept.known) return std::nullopt;
    // A page fault is no system call.
    if (!slept.syscall) return slept.in_iowait ? WaitClass::kDisk : WaitClass::kOther;
    model::Thread thread;
    thread.state = model::RunState::kSleeping;
    thread.syscall = slept.syscall;
    thread.in_iowait = slept.in_iowait;
    if (slept.file && model::uses_of(thread)[0].fd >= 0)
        thread.file = model::FileFact{.kind = *slept.file, .name = {}, .inode = 0, .remote = {}};
    return wait_of(thread).what;
}

Shares shares_of(const model::ThreadTime& thread) {
    Shares shares;
    if (thread.to_ns <= thread.from_ns) return shares;
    const auto part = [whole = static_cast<double>(thread.length_ns())](std::uint64_t ns) {
        return static_cast<double>(ns) / whole;
    };
    shares.on_cpu = part(thread.on_cpu_ns);
    shares.waiting = part(thread.waiting_ns);
    shares.unaccounted = part(thread.unaccounted_ns);
    for (const model::Slept& slept : thread.slept) {
        const auto what = class_of(slept);
        (what ? shares.slept[*what] : shares.unsorted) += part(slept.ns);
    }
    return shares;
}

}  // namespace waitclose::diagnose
