// SPDX-License-Identifier: BSD-2-Clause
// What a capture saw threads do, laid out for a timeline, and what that makes of the time a hold lasted.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "model/activity.h"
#include "model/census.h"
#include "replay/lanes.h"
#include "replay/thread_story.h"
#include "timeline/timeline.h"

namespace waitclose::replay {

class Captured {
public:
    /// `activity` has to outlive it. What `last`, the look that ended with the capture, knows of waits that
    /// go on (what a thread polls) is told of the same waits in the capture.
    Captured(timeline::Timeline& timeline, const model::Activity& activity, const model::Census* last);

    /// The thread's intervals within the window, without gap; a run is divided among its samples.
    std::vector<timeline::Slice> slices(const model::ThreadActivity& thread);

    /// What the thread did from `since_ns` to `end_ns`, together exactly that long: in the capture as it was
    /// seen; before it the sleep that it was in when the capture began, and after it the one that it was in
    /// when it ended, if that goes on; else "not watched". The time on a CPU is shared among its samples.
    std::vector<timeline::Share> shares(const model::ThreadActivity& thread, const Lanes& lanes,
                                        std::uint64_t since_ns, std::uint64_t end_ns);

    /// What it did in sum.
    ThreadStory story(const model::ThreadActivity& thread);

    /// The thread with those ids, the latest of them; null where it was not followed.
    const model::ThreadActivity* find(std::uint32_t pid, std::uint32_t tid) const;

private:
    struct Words {
        timeline::StringId what = timeline::StringId::kNone;
        timeline::StringId detail = timeline::StringId::kNone;
        timeline::StackId stack = timeline::StackId::kNone;
    };
    /// A sum in the making: in order, so that the same recording gives the same timeline.
    using Sums = std::map<std::pair<timeline::StringId, timeline::StackId>, std::uint64_t>;

    const Words& words_of(const model::ThreadActivity& thread, const model::Interval& interval);
    Words words_of(const model::ThreadActivity& thread, const model::Sleep& sleep, std::uint32_t stack) const;
    timeline::StackId stack_id(std::uint32_t index) const;
    timeline::StringId waker_text(const model::ThreadActivity& thread, std::uint32_t waker);
    void add_run(const model::ThreadActivity& thread, const model::Interval& run,
                 std::vector<timeline::Slice>& slices) const;
    void add_edges(const model::ThreadActivity& thread, const Lanes& lanes, std::uint64_t since_ns,
                   std::uint64_t end_ns, Sums& sums);
    void share_run(const model::ThreadActivity& thread, std::uint64_t since_ns, std::uint64_t end_ns,
                   std::uint64_t ran_ns, Sums& sums) const;

    timeline::Timeline& timeline_;
    const model::Activity& activity_;
    const model::Census* last_;
    std::vector<timeline::StackId> stacks_;  // parallel to the activity's
    std::map<std::pair<const model::ThreadActivity*, std::uint32_t>, Words> words_;  // by way to sleep
    std::map<std::pair<std::uint32_t, std::uint32_t>, const model::ThreadActivity*> by_ids_;
    timeline::StringId running_;
    timeline::StringId runnable_;
    timeline::StringId not_watched_;
};

}  // namespace waitclose::replay
