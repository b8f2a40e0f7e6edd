// SPDX-License-Identifier: BSD-2-Clause
// What each thread did over the recording, from successive looks at it.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "diagnose/wait.h"
#include "model/activity.h"
#include "model/census.h"
#include "timeline/timeline.h"

namespace waitclose::replay {

/// A call stack as a timeline has them, the outermost function first.
std::vector<timeline::Frame> frames_of(const model::Stack& stack, timeline::StringTable& strings);

/// Fills in Timeline::processes. A look tells since when a thread has been asleep, and in what: that stretch
/// is exact. What it did before, since the look before, the scheduler has summed up: where one thing took
/// (nearly) all of it, or where the thread woke just once, it can be laid out; else it stays "not known",
/// with the sums in words.
class Lanes {
public:
    /// Nothing is laid out before `from_ns`.
    Lanes(timeline::Timeline& timeline, std::uint64_t from_ns) : timeline_(timeline), from_ns_(from_ns) {}

    /// The process as the timeline has it, from now on with its threads.
    std::uint32_t follow(const model::Process& process);

    /// What the threads of all followed processes did since the look before.
    void look(const model::Census& census);

    /// Ends the lanes that the last look saw; the others have ended with the last one that saw them. `to_ns`
    /// must not be before any look.
    void finish(std::uint64_t to_ns);

    /// Puts what a capture saw of a thread in the place of what the looks tell of that time; `slices` follow
    /// one another within the window. A process that is not followed gets no lane. Only after finish().
    void replace(const model::ThreadActivity& thread, const std::vector<timeline::Slice>& slices);

    /// Since when a thread has been in the sleep that it was in at `from_ns`, when the capture of it began;
    /// `from_ns` where no look before tells. Only after replace().
    std::uint64_t rests_since(const model::ThreadActivity& thread, std::uint64_t from_ns) const;

    /// Until when the sleep lasted that it was in at `to_ns`, when the capture of it ended.
    std::uint64_t rests_until(const model::ThreadActivity& thread, std::uint64_t to_ns) const;

    /// What the process was called before, where it changed its name by exec() or prctl(); else none.
    timeline::StringId formerly(std::uint32_t process) const;

    /// When the last of its threads ended that was seen; 0 for no process, or one without threads.
    std::uint64_t ended_ns(std::uint32_t process) const;

    /// The very thread, which was seen to do something then: its lane lasts that long at least. Nowhere when
    /// it has none. Only after finish().
    timeline::ThreadRef reach(const model::Actor& actor, std::uint64_t at_ns);

    /// Where a thread sleeps in its program, where that was read, and in the kernel; outermost function
    /// first.
    timeline::StackId stack_of(const model::Thread& thread);

    /// Of all threads: the latest moment anything was read.
    std::uint64_t latest_ns() const { return latest_ns_; }

private:
    struct Reading {
        std::uint64_t read_ns = 0;
        std::uint64_t on_cpu_ns = 0;
        std::uint64_t run_delay_ns = 0;
        std::uint64_t switches = 0;
        std::optional<timeline::Slice> asleep;  // in what, when it slept
    };
    struct Lane {
        timeline::ThreadRef where;
        std::optional<Reading> last;
        std::uint64_t look = 0;                       // number of the last one that saw it
        std::optional<std::uint64_t> rests_since_ns;  // of one that slept since before its lane
        bool ended = false;
    };
    struct Spent;
    struct Key {
        std::uint32_t process = 0;
        std::uint32_t tid = 0;
        std::uint64_t start_ns = 0;
        bool operator==(const Key&) const = default;
    };
    struct KeyHash {
        std::size_t operator()(const Key& key) const {
            return std::hash<std::uint64_t>{}(key.start_ns * 0x9e3779b97f4a7c15ULL ^ key.tid ^
                                              std::uint64_t{key.process} << 32);
        }
    };

    Lane& lane_of(std::uint32_t process, const model::Thread& thread, std::uint64_t read_ns);
    Lane& lane_of(std::uint32_t process, const model::ThreadActivity& activity);
    const Lane* find(const model::ThreadActivity& thread) const;
    const timeline::Thread& thread_at(const Lane& lane) const {
        return timeline_.processes[lane.where.process].threads[lane.where.thread];
    }
    timeline::Thread& thread_at(const Lane& lane);
    void advance(Lane& lane, const model::Thread& thread, std::uint64_t read_ns);
    void lay_out(Lane& lane, const Spent& spent);
    void end(const model::ThreadTime& time);
    void append(Lane& lane, timeline::Slice slice);
    timeline::Slice blocked(const model::Thread& thread, const diagnose::Wait& wait);

    timeline::Timeline& timeline_;
    std::uint64_t from_ns_;
    std::uint64_t latest_ns_ = 0;
    std::uint64_t looks_ = 0;
    std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint32_t> processes_;  // by pid and start
    std::unordered_map<std::uint32_t, timeline::StringId> formerly_;
    Lane* lane_of(const model::Actor& actor);

    std::unordered_map<Key, Lane, KeyHash> lanes_;
};

}  // namespace waitclose::replay
