// SPDX-License-Identifier: BSD-2-Clause
// What a thread that sleeps in a system call is there for, judged by the call's number and arguments.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "model/process.h"

namespace waitclose::model {

/// The call waits for the next piece of work: a connection, or an event on some descriptor.
bool waits_for_work(std::uint32_t number);

/// The thread sleeps in such a call, and not in a poll() of one connection that this side opened: that is a
/// wait for an answer.
bool waits_for_work(const Thread& thread);

/// poll() or ppoll(): arguments 0 and 1 are an array of descriptors and its length.
bool polls(std::uint32_t number);

/// The call waits for events on descriptors it keeps in a set: epoll, poll, select.
bool watches_descriptors(std::uint32_t number);

/// epoll_wait() and its kin: argument 0 is the epoll.
bool waits_on_epoll(std::uint32_t number);

/// accept() or accept4().
bool accepts(std::uint32_t number);

/// The thread sleeps in flock(), or in the kind of fcntl() that waits for a lock on a file.
bool waits_for_file_lock(const Thread& thread);

enum class Access : std::uint8_t { kRead, kWrite, kOther };

/// A descriptor that a sleeping thread's system call acts on.
struct Use {
    std::int32_t fd = -1;  // -1: none
    Access access = Access::kOther;
};

/// splice() acts on two, all others on one or none; poll() on the one it asks for where that is known.
std::array<Use, 2> uses_of(const Thread& thread);

/// "fdatasync"; "system call 999" for one without a name here.
std::string syscall_text(std::uint32_t number);

}  // namespace waitclose::model
