// SPDX-License-Identifier: BSD-2-Clause
#include "replay/endings.h"

#include <fmt/format.h>

#include "model/wording.h"

namespace waitclose::replay {

namespace {

std::string thread_text(const model::Actor& closer) {
    return fmt::format("thread {} ({}) of process {}", closer.comm_text(), closer.tid, closer.pid);
}

std::string exit_text(const model::Actor& last) {
    return last.tid == last.pid ? fmt::format("ended when process {} ({}) exited", last.comm_text(), last.pid)
                                : fmt::format("ended when process {} exited, its thread {} ({}) last",
                                              last.pid, last.comm_text(), last.tid);
}

}  // namespace

std::string ended_text(const Fact& fact) {
    switch (fact.ended) {
    case Ended::kNot: return "open at the end";
    case Ended::kClosed:
        return fmt::format("{}{}", fact.shut_down ? "shut down" : "closed",
                           fact.closer ? " by " + thread_text(*fact.closer) : ", by whom was not seen");
    case Ended::kExit: return fact.closer ? exit_text(*fact.closer) : "ended when its process exited";
    case Ended::kError: return model::error_end_text(fact.error);
    case Ended::kKernel:
        return fact.went_with_listener() ? "went with its listener, which was closed, or whose process ended"
                                         : "ended by the kernel";
    case Ended::kMissed: break;
    }
    return "its end was missed; a census found it gone";
}

std::string late_end_text(const Fact& fact) {
    const std::string held = model::duration_text(fact.held_ns());
    if (fact.ended == Ended::kMissed)
        return fmt::format("it was there for {} at least, and a census found it gone", held);
    return fmt::format("after {}{} it {}{}", held, fact.is_at_least() ? " or more" : "",
                       fact.ended == Ended::kClosed ? "was " : "", ended_text(fact));
}

}  // namespace waitclose::replay
