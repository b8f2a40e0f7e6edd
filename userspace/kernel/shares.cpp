// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/shares.h"

#include <algorithm>
#include <map>
#include <tuple>

#include <sys/socket.h>
#include <sys/stat.h>

namespace waitclose::kernel {
namespace {

using model::Slept;
using model::Thread;
using model::ThreadTime;

using Key = std::pair<std::uint64_t, std::uint32_t>;  // start, tid

bool sleeps(const Thread& thread) {
    return thread.state != model::RunState::kRunning && thread.state != model::RunState::kZombie;
}

Slept sleep_of(const Thread& thread) {
    Slept slept{.known = true, .syscall = thread.syscall, .file = {}, .in_iowait = thread.in_iowait, .ns = 0};
    if (thread.file) slept.file = thread.file->kind;
    return slept;
}

std::optional<model::FileKind> kind_of(const wc_sleep& sleep) {
    switch (sleep.file_mode) {
    case 0: return std::nullopt;
    case S_IFREG: return model::FileKind::kRegular;
    case S_IFDIR: return model::FileKind::kDirectory;
    case S_IFIFO: return model::FileKind::kPipe;
    case S_IFCHR:
    case S_IFBLK: return model::FileKind::kDevice;
    default: break;
    }
    if (sleep.socket_family == AF_INET) return model::FileKind::kTcp;
    return sleep.socket_family == AF_UNIX ? model::FileKind::kUnix : model::FileKind::kOther;
}

Slept sleep_of(const wc_sleep& sleep) {
    Slept slept{
        .known = true, .syscall = {}, .file = kind_of(sleep), .in_iowait = sleep.in_iowait != 0, .ns = 0};
    if (sleep.syscall != ~0U) slept.syscall = sleep.syscall;
    return slept;
}

wc_run_times times_of(const Thread& thread) {
    return {thread.read_ns, thread.on_cpu_ns, thread.run_delay_ns};
}

/// The parts of one thread, added up piece by piece.
class Adder {
public:
    explicit Adder(ThreadTime& time) : time_(time) {}

    /// Adds what the scheduler counted from one moment to a later one; returns what it did not count. The
    /// counters of a thread that has a CPU, or waits for one, lag behind: no more is added than time went by.
    std::uint64_t add_counted(const wc_run_times& from, const wc_run_times& to) {
        std::uint64_t left = to.at_ns > from.at_ns ? to.at_ns - from.at_ns : 0;
        left -= add(time_.on_cpu_ns, from.on_cpu_ns, to.on_cpu_ns, left);
        left -= add(time_.waiting_ns, from.run_delay_ns, to.run_delay_ns, left);
        return left;
    }

    void add_sleep(Slept sleep, std::uint64_t ns) {
        if (ns == 0) return;
        const auto is_same = [&](const Slept& one) {
            return std::tie(one.known, one.syscall, one.file, one.in_iowait) ==
                   std::tie(sleep.known, sleep.syscall, sleep.file, sleep.in_iowait);
        };
        const auto found = std::ranges::find_if(time_.slept, is_same);
        if (found != time_.slept.end()) {
            found->ns += ns;
            return;
        }
        sleep.ns = ns;
        time_.slept.push_back(sleep);
    }

    /// Of a thread that could run: the counters lag behind what it does now.
    void add_runnable(const Thread& now, std::uint64_t ns) {
        if (sleeps(now) || !now.has_cpu)
            time_.unaccounted_ns += ns;
        else
            (*now.has_cpu ? time_.on_cpu_ns : time_.waiting_ns) += ns;
    }

private:
    static std::uint64_t add(std::uint64_t& sum, std::uint64_t before, std::uint64_t after,
                             std::uint64_t most) {
        const std::uint64_t more = std::min(after > before ? after - before : 0, most);
        sum += more;
        return more;
    }

    ThreadTime& time_;
};

class Sharer {
public:
    Sharer(std::span<const ThreadLook> first, const Switches& between, std::uint64_t from_ns)
        : from_ns_(from_ns) {
        for (const ThreadLook& look : first) first_[{look.thread.start_ns, look.thread.tid}] = &look.thread;
        for (const wc_switched& one : between.threads) switched_[{one.key.start_ns, one.tid}] = &one;
        for (const auto& [key, ns] : between.slept)
            slept_.emplace(Key{key.thread.start_ns, key.thread.tid}, std::pair{key.sleep, ns});
    }

    void add_living(const ThreadLook& look) {
        const Thread& now = look.thread;
        const wc_switched* switches = take({now.start_ns, now.tid});
        auto time = begin(now.start_ns, now.tid);
        if (!time) return;
        time->pid = look.pid;
        time->comm = now.comm;
        time->to_ns = std::max(now.read_ns, time->from_ns);
        Adder adder(*time);
        const Thread* before = first_look(now.start_ns, now.tid);
        if (!switches || switches->first.at_ns < time->from_ns) {
            add_unseen(adder, before, now, time->from_ns);
        } else {
            add_until_last_switch(adder, *time, before, *switches);
            time->to_ns = std::max(now.read_ns, std::uint64_t{switches->last.at_ns});
            const std::uint64_t rest = adder.add_counted(switches->last, times_of(now));
            if (switches->off_cpu == WC_OFF_CPU_ASLEEP)
                adder.add_sleep(sleep_of(switches->sleep), rest);
            else
                adder.add_runnable(now, rest);
        }
        times_.push_back(std::move(*time));
    }

    void add_ended() {
        for (const auto& [key, switches] : switched_) {
            auto time = switches->off_cpu == WC_OFF_CPU_DEAD && switches->tid ? begin(key.first, key.second)
                                                                              : std::nullopt;
            if (!time || switches->first.at_ns < time->from_ns) continue;
            time->pid = switches->tgid;
            time->comm.assign(std::begin(switches->comm),
                              std::find(std::begin(switches->comm), std::end(switches->comm), '\0'));
            time->ended = true;
            time->to_ns = switches->last.at_ns;
            Adder adder(*time);
            add_until_last_switch(adder, *time, first_look(key.first, key.second), *switches);
            times_.push_back(std::move(*time));
        }
    }

    std::vector<ThreadTime> done() {
        std::ranges::sort(times_, {},
                          [](const ThreadTime& one) { return std::tuple(one.start_ns, one.tid); });
        return std::move(times_);
    }

private:
    const Thread* first_look(std::uint64_t start_ns, std::uint32_t tid) const {
        const auto found = first_.find({start_ns, tid});
        return found == first_.end() ? nullptr : found->second;
    }

    const wc_switched* take(const Key& key) {
        const auto found = switched_.find(key);
        if (found == switched_.end()) return nullptr;
        const wc_switched* switches = found->second;
        switched_.erase(found);
        return switches;
    }

    std::optional<ThreadTime> begin(std::uint64_t start_ns, std::uint32_t tid) const {
        const Thread* before = first_look(start_ns, tid);
        if (!before && start_ns < from_ns_) return std::nullopt;
        ThreadTime time;
        time.tid = tid;
        time.start_ns = start_ns;
        time.from_ns = before ? before->read_ns : start_ns;
        return time;
    }

    /// A thread that has just been born has counted nothing yet.
    static wc_run_times times_at_begin(const Thread* before, std::uint64_t born_ns) {
        return before ? times_of(*before) : wc_run_times{born_ns, 0, 0};
    }

    /// Without switches that were traced: what is between two looks.
    static void add_unseen(Adder& adder, const Thread* before, const Thread& now, std::uint64_t from_ns) {
        const std::uint64_t rest = adder.add_counted(times_at_begin(before, from_ns), times_of(now));
        const bool never_left = now.switches == (before ? before->switches : 0);
        if (never_left && before && sleeps(*before))
            adder.add_sleep(sleep_of(*before), rest);
        else if (never_left)
            adder.add_runnable(now, rest);
        else
            adder.add_sleep({}, rest);
    }

    void add_until_last_switch(Adder& adder, ThreadTime& time, const Thread* before,
                               const wc_switched& switches) const {
        const wc_run_times begin = times_at_begin(before, time.from_ns);
        const std::uint64_t rest = adder.add_counted(begin, switches.first);
        if (before && sleeps(*before))
            adder.add_sleep(sleep_of(*before), rest);
        else
            time.unaccounted_ns += rest;
        adder.add_counted(switches.first, switches.last);
        time.unaccounted_ns += switches.unaccounted_ns;
        adder.add_sleep({}, switches.unsorted_ns);
        const auto [from, to] = slept_.equal_range(Key{switches.key.start_ns, switches.key.tid});
        for (auto at = from; at != to; ++at) adder.add_sleep(sleep_of(at->second.first), at->second.second);
    }

    std::uint64_t from_ns_;
    std::map<Key, const Thread*> first_;
    std::map<Key, const wc_switched*> switched_;
    std::multimap<Key, std::pair<wc_sleep, std::uint64_t>> slept_;  // by the kernel's own tid
    std::vector<ThreadTime> times_;
};

}  // namespace

std::vector<ThreadLook> looks_of(const model::Census& census) {
    std::vector<ThreadLook> looks;
    looks.reserve(census.threads.size());
    for (const model::Process& process : census.processes)
        for (const Thread& thread : census.threads_of(process)) looks.push_back({process.pid, thread});
    return looks;
}

std::vector<ThreadTime> shares(std::span<const ThreadLook> first, const Switches& between,
                               std::span<const ThreadLook> last, std::uint64_t from_ns) {
    Sharer sharer(first, between, from_ns);
    for (const ThreadLook& look : last) sharer.add_living(look);
    sharer.add_ended();
    return sharer.done();
}

}  // namespace waitclose::kernel
