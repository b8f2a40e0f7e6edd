// SPDX-License-Identifier: BSD-2-Clause
// Whom a sleeping thread waits for: the owner of the lock, whoever is at the other end, the child. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "model/census.h"

namespace waitclose::model {

/// What has to be asked to know whom the thread waits for; nothing when it waits for nobody, or when that is
/// told by its memory.
std::optional<Question> question_of(const Process& process, const Thread& thread);

/// Who could end a wait. All empty: nobody was found, or nobody has asked yet.
struct Provider {
    std::size_t processes = 0;    // how many processes could
    bool hidden = false;          // and somebody who was not found: there is an open file more
    const Answer* end = nullptr;  // the one process, by one of its descriptors; null when there are several
    const Process* process = nullptr;  // the same, if its threads were read
    const Thread* thread = nullptr;    // the thread of it that would do it; null when that cannot be told
    bool within = false;               // other threads of its own process could, among others
    bool only = false;                 // nobody but this thread can end the wait
};

/// `process` is that of `thread`, and both are of the census.
Provider provider_of(const Census& census, const Process& process, const Thread& thread);

/// One thread of a wait chain, and whom it waits for.
struct Step {
    const Process* process = nullptr;
    const Thread* thread = nullptr;
    Provider next;
};

/// Where a wait chain ends.
enum class ChainEnd : std::uint8_t {
    kWaitsForNobody,  // nobody that could be named
    kReturns,         // the last thread waits for one that is in the chain already
    kTooLong,         // cut off after `kLongestChain`
};

inline constexpr std::size_t kLongestChain = 8;

struct Steps {
    std::vector<Step> steps;
    ChainEnd end = ChainEnd::kWaitsForNobody;
    std::size_t returns_to = 0;  // index of the thread that the last one waits for, if it returns
    /// No thread of the circle can go on: each waits for the next and for nobody else, and all of them have
    /// slept since before the census.
    bool deadlock = false;
};

/// From one thread to the one it waits for, and so on.
Steps follow_waits(const Census& census, const Process& process, const Thread& first);

}  // namespace waitclose::model
