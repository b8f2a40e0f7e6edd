// SPDX-License-Identifier: BSD-2-Clause
// Where the threads of a census were in their programs, as a capture that ended with it found. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>

#include "model/activity.h"
#include "model/census.h"

namespace waitclose::model {

/// Sets Thread::user_stack of the threads of `last` that `activity` followed (by pid, process start, tid and
/// thread start). Of one that sleeps: where it went to sleep, if that very sleep still lasts. Of one that
/// runs: where most samples found it, by the function of its program that they share; nothing where it was
/// sampled too rarely to tell. Threads that have a stack already keep it.
void give_stacks(Census& last, const Activity& activity);

/// The stack that stands best for where a thread runs: of the function of its program (own_function) that
/// most of its samples share, the stack met most often. Into Activity::stacks; kNowhere where none tells.
std::uint32_t busiest_stack(const Activity& activity, const ThreadActivity& thread);

/// The frames of a stack that run in the program, innermost first.
Stack user_part(const Stack& stack);

/// The threads of an activity by pid, process start, tid and thread start.
class ActivityIndex {
public:
    explicit ActivityIndex(const Activity& activity);
    /// Null where it was not followed. `process_start_ns` 0: of any process with that pid.
    const ThreadActivity* find(std::uint32_t pid, std::uint64_t process_start_ns, std::uint32_t tid,
                               std::uint64_t start_ns) const;

private:
    std::multimap<std::tuple<std::uint32_t, std::uint32_t>, const ThreadActivity*> by_ids_;
};

}  // namespace waitclose::model
