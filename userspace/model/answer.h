// SPDX-License-Identifier: BSD-2-Clause
// Who could end a thread's wait: the descriptors at the other end of what it sleeps on, and children.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

#include "model/socket.h"

namespace waitclose::model {

/// What a census was asked: who is at the other end of this file, or who are the children of this process.
struct Question {
    enum class Kind : std::uint8_t { kFile, kChildren };
    Kind kind = Kind::kFile;
    std::uint64_t id = 0;  // FileFact::other_end, or a pid

    auto operator<=>(const Question&) const = default;
};

/// One answer. `process` is set only where the threads of that process were read.
struct Answer {
    Question question;
    std::uint32_t pid = 0;
    std::uint64_t start_ns = 0;  // of the process
    std::int32_t fd = -1;        // -1: it is a child
    std::int32_t process = kNone;
    bool reads = true;             // of a pipe: this descriptor is one of the reading side
    bool writes = true;            // and of the writing side
    std::uint64_t file = 0;        // tells open files apart, which several descriptors may share
    std::uint64_t references = 0;  // to the open file
    std::uint32_t readers = 1;     // how many open files there are on either side
    std::uint32_t writers = 1;
    std::optional<Actor> last_touch;  // of a TCP socket, when tracing saw it

    bool is_of_same_process(const Answer& other) const {
        return pid == other.pid && start_ns == other.start_ns;
    }
    static bool precedes(const Answer& one, const Answer& other) {
        return std::tie(one.question, one.pid, one.start_ns, one.fd) <
               std::tie(other.question, other.pid, other.start_ns, other.fd);
    }
};

}  // namespace waitclose::model
