// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/stretches.h"

#include <algorithm>

namespace waitclose::kernel {
namespace {

using model::Doing;
using model::kNowhere;

/// Puts intervals one after the other; the end of one is the begin of the next.
class Line {
public:
    Line(std::uint64_t from_ns, std::uint64_t to_ns) : at_ns_(from_ns), to_ns_(to_ns) {}

    void until(std::uint64_t end_ns, Doing doing, std::uint32_t sleep = kNowhere,
               std::uint32_t waker = kNowhere) {
        end_ns = std::min(end_ns, to_ns_);
        if (end_ns <= at_ns_) return;
        const bool blocked = doing == Doing::kBlocked;
        const model::Interval next{at_ns_, end_ns, doing, blocked ? sleep : kNowhere,
                                   blocked ? waker : kNowhere};
        at_ns_ = end_ns;
        if (!intervals.empty() && !blocked && intervals.back().doing == doing)
            intervals.back().end_ns = end_ns;
        else
            intervals.push_back(next);
    }

    std::uint64_t at_ns() const { return at_ns_; }
    void end_at(std::uint64_t ns) { to_ns_ = std::clamp(ns, at_ns_, to_ns_); }

    std::vector<model::Interval> intervals;

private:
    std::uint64_t at_ns_;
    std::uint64_t to_ns_;
};

/// Builds the course of one thread.
class Tracing {
public:
    Tracing(const Track& track, const Watched& watched)
        : track_(track), watched_(watched), line_(track.from_ns, std::max(track.from_ns, track.to_ns)) {}

    Course course() {
        for (const Stretch& stretch : track_.stretches) add(stretch);
        add_rest();
        return {std::move(line_.intervals), line_.at_ns(), ended_};
    }

private:
    void add(const Stretch& stretch) {
        add_time_on_cpu(stretch);
        if (stretch.how == WC_OFF_CPU_DEAD) {
            ended_ = true;
            line_.end_at(stretch.left_ns);
        } else {
            add_time_off_cpu(stretch, stretch.on_ns);
        }
        sequence_ = stretch.sequence;
        seen_ = true;
    }

    /// Up to where it leaves its CPU.
    void add_time_on_cpu(const Stretch& stretch) {
        if (!stretch.left_ns) {
            if (seen_) line_.until(stretch.on_ns, Doing::kUnknown);
            return;
        }
        const bool whole =
            !stretch.missed && stretch.sequence == sequence_ + 1 && (seen_ || watched_.arrivals);
        line_.until(stretch.left_ns, whole ? Doing::kRunning : Doing::kUnknown);
    }

    void add_time_off_cpu(const Stretch& stretch, std::uint64_t end_ns) {
        if (!stretch.left_ns) return add_beginning(stretch, end_ns);
        if (stretch.how == WC_OFF_CPU_RUNNABLE) return line_.until(end_ns, Doing::kRunnable);
        add_sleep(stretch, stretch.sleep, woken_at(stretch, stretch.left_ns), end_ns);
    }

    void add_sleep(const Stretch& stretch, std::uint32_t sleep, std::optional<std::uint64_t> woken_ns,
                   std::uint64_t end_ns) {
        // Nobody can get a CPU without being woken: where that is not seen, it is not known when it was.
        const std::uint64_t blocked_to = std::min(woken_ns.value_or(end_ns), end_ns);
        line_.until(blocked_to, Doing::kBlocked, sleep, woken_ns ? stretch.waker : kNowhere);
        line_.until(end_ns, Doing::kRunnable);
    }

    /// It had no CPU when it was first followed.
    void add_beginning(const Stretch& stretch, std::uint64_t end_ns) {
        const bool left_out = stretch.missed && stretch.switches != track_.first.switches;
        if (seen_ || left_out) return line_.until(end_ns, Doing::kUnknown);
        // Whoever gets a CPU and was not woken since was awake all the time.
        const bool awake = end_ns == stretch.on_ns && watched_.wakeups && !stretch.woken_ns;
        if (track_.born_meanwhile || track_.first.doing == Doing::kRunnable || awake)
            return line_.until(end_ns, Doing::kRunnable);
        const auto woken_ns = woken_at(stretch, line_.at_ns());
        if (track_.first.doing == Doing::kBlocked || woken_ns)
            return add_sleep(stretch, track_.first.sleep, woken_ns, end_ns);
        line_.until(end_ns, Doing::kUnknown);
    }

    /// A thread is woken as soon as it is about to sleep, even while it leaves its CPU.
    static std::optional<std::uint64_t> woken_at(const Stretch& stretch, std::uint64_t left_ns) {
        constexpr std::uint64_t kWhileLeaving = 1'000'000;
        if (!stretch.woken_ns || stretch.woken_ns + kWhileLeaving < left_ns) return std::nullopt;
        return std::max(stretch.woken_ns, left_ns);
    }

    /// From the last record on.
    void add_rest() {
        if (ended_) return;
        const auto& open = track_.open;
        if (watched_.paused && !has_not_moved()) return line_.until(track_.to_ns, Doing::kUnknown);
        const bool whole = !open || (open->sequence == sequence_ && !open->missed);
        // One that is followed late may have left its CPU before that counts.
        if (open && !open->on_ns && open->left_ns && (!seen_ || open->left_ns >= line_.at_ns())) {
            line_.until(open->left_ns,
                        whole && (seen_ || watched_.arrivals) ? Doing::kRunning : Doing::kUnknown);
            return add_time_off_cpu(*open, track_.to_ns);
        }
        if (open && open->on_ns && open->missed) {
            line_.until(open->on_ns, Doing::kUnknown);
            return line_.until(track_.to_ns, Doing::kRunning);
        }
        if (open && !open->on_ns && !open->left_ns && !seen_) return add_beginning(*open, track_.to_ns);
        if (seen_) return line_.until(track_.to_ns, whole ? Doing::kRunning : Doing::kUnknown);
        const bool told = watched_.arrivals && watched_.complete && !open;
        line_.until(track_.to_ns, told ? track_.first.doing : Doing::kUnknown, track_.first.sleep);
    }

    /// Since the last that is known of it.
    bool has_not_moved() const {
        const std::uint64_t then = track_.open ? track_.open->switches : track_.first.switches;
        return track_.switches_at_end && *track_.switches_at_end == then;
    }

    const Track& track_;
    const Watched& watched_;
    Line line_;
    std::uint32_t sequence_ = 0;
    bool seen_ = false;
    bool ended_ = false;
};

}  // namespace

Course course_of(const Track& track, const Watched& watched) {
    return Tracing(track, watched).course();
}

}  // namespace waitclose::kernel
