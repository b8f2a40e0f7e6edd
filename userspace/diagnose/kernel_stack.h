// SPDX-License-Identifier: BSD-2-Clause
// What the kernel stack of a sleeping thread says about its wait. Pure: function names in, meaning out.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace waitclose::diagnose {

enum class WaitClass : std::uint8_t {
    kNothing,  // it runs
    kDisk,
    kLock,
    kDownstream,
    kPipe,
    kSleep,
    kMemory,
    kChild,
    kEventLoop,  // the next piece of work: accept() counts as one
    kOther,
};

/// What a stack tells. `frame` and `words` refer to the names given and to constants.
struct StackStory {
    std::optional<WaitClass> what;  // nothing: it is none of the waits known here
    std::string_view frame;         // the telling function; empty when no function has a name
    std::string_view words;         // of a wait for memory: "page fault on a mapped file"
    bool blocked = false;           // of another wait: nobody waits there for the next piece of work
    bool kept = false;              // of another wait: stopped, frozen or about to end
};

/// Innermost function first, as the census reads them; "" for one without a name. The functions of the
/// scheduler and of waiting as such are passed over, and those of system call entry say nothing.
///
/// Memory comes before everything that a call may wait for: a write() that is made to reclaim memory first
/// does not wait for its file, and a page fault belongs to no call at all.
StackStory story_of(std::span<const std::string> stack);

}  // namespace waitclose::diagnose
