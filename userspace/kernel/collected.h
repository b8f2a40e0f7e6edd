// SPDX-License-Identifier: BSD-2-Clause
// The records of a capture, kept as they come: each way of sleeping, each waker and each stack once.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bpf/activity_records.h"
#include "kernel/stretches.h"
#include "model/activity.h"
#include "model/stack.h"

namespace waitclose::kernel {

struct SeenProcess {
    std::uint32_t pid = 0;
    std::uint64_t start_ns = 0;
};

class Collected {
public:
    /// `max_bytes`: of the memory of stacks; what comes later is kept without.
    explicit Collected(std::uint64_t max_bytes) : bytes_left_(max_bytes) {}

    /// Any record of the ring buffer; `size` is what the buffer says of it. What is too short, or of no kind
    /// that is known, is left out.
    void add(const void* data, std::size_t size);

    /// A thread as it was when the capture began, and its stack where that was read.
    void add_first(const wc_resting& record);
    void add_first(model::RawStack&& stack);

    /// Threads of this process are followed only since then.
    void follow_from(std::uint32_t pid, std::uint64_t at_ns) { followed_from_[pid] = at_ns; }

    /// These threads (pid, tid) are told of however many others did more.
    void prefer(const std::set<std::pair<std::uint32_t, std::uint32_t>>& threads) { preferred_ = threads; }

    /// The thread has been asleep since the first look and is asleep still, but its stack was not read.
    bool lacks_resting_stack(const wc_resting& record) const;

    /// Processes that threads have been seen of since the last call, each once.
    std::vector<SeenProcess> take_newcomers() { return std::exchange(newcomers_, {}); }

    /// What was still open when it ended.
    void add_open(const wc_stretch& record);

    /// A thread as it was found when it had ended. Whether it has been asleep since where that was not read:
    /// then its stack is wanted.
    bool add_last(const wc_resting& record);
    void add_last(const wc_resting& record, model::RawStack&& stack);

    struct Ending {
        std::uint64_t from_ns = 0;
        std::uint64_t to_ns = 0;
        std::uint32_t max_threads = 0;
        Watched watched;
    };
    /// Joins everything, with indices into take_stacks(). Takes it apart.
    model::Activity join(const Ending& ending);
    std::vector<model::RawStack> take_stacks() { return std::move(stacks_); }

    std::uint64_t records() const { return records_; }
    /// Records there was no room for here.
    std::uint64_t dropped() const { return dropped_; }
    /// Stacks that were kept without their memory.
    std::uint64_t cut() const { return cut_; }
    /// Threads that join() left out.
    std::size_t left_out() const { return left_out_; }

private:
    using ThreadKey = std::pair<std::uint32_t, std::uint64_t>;  // tid, start
    struct ThreadKeyHash {
        std::size_t operator()(const ThreadKey& key) const {
            return key.second * 0x9e3779b97f4a7c15U ^ key.first;
        }
    };
    /// What tells ways of sleeping apart, as the record has it.
    struct SleepKey {
        std::uint32_t pid = 0;  // a descriptor is of a process
        std::uint32_t syscall = 0;
        std::array<std::uint64_t, 4> arguments{};
        std::uint64_t inode = 0;
        std::uint64_t file = 0;
        std::uint32_t in_iowait = 0;
        std::uint32_t stack = model::kNowhere;
        auto operator<=>(const SleepKey&) const = default;
    };
    struct Thread {
        wc_actor actor{};
        std::uint64_t leader_start_ns = 0;
        Track track;
        std::vector<model::CpuSample> samples;
        std::uint32_t resting_stack = model::kNowhere;
        SleepKey last_key;  // threads sleep in the same way again and again
        std::uint32_t last_sleep = model::kNowhere;
        bool ended = false;  // it was a zombie at first
    };
    using FileKey = std::tuple<std::uint32_t, std::uint64_t, std::uint64_t>;  // pid, fd, inode

    Thread* thread_of(const wc_actor& actor, std::uint64_t leader_start_ns);
    void add(const wc_stretch& record);
    void add(const wc_sample& record);
    void add_stack(const wc_stack& record, std::size_t size);
    Stretch stretch_of(const wc_stretch& record, Thread& thread);
    std::uint32_t keep(model::RawStack&& stack);
    std::uint32_t stack_index(std::uint64_t id) const;
    template <typename Record>
    std::uint32_t sleep_of(const Record& record, std::uint32_t stack, Thread& thread);
    std::uint32_t keep_sleep(const SleepKey& key, const model::Thread& thread);
    std::uint32_t waker_of(const wc_actor& waker);
    const std::string& name_of(std::uint32_t pid, std::uint64_t fd, std::uint64_t inode);
    std::vector<Thread*> chosen(std::uint32_t most);
    model::ThreadActivity activity_of(Thread& thread, const Ending& ending) const;

    std::unordered_map<ThreadKey, Thread, ThreadKeyHash> threads_;
    std::unordered_map<std::uint64_t, std::uint32_t> stack_ids_;
    std::set<std::pair<std::uint32_t, std::uint64_t>> processes_;  // pid, start
    std::vector<SeenProcess> newcomers_;
    std::set<std::pair<std::uint32_t, std::uint32_t>> preferred_;  // pid, tid
    std::vector<model::RawStack> stacks_;
    std::map<SleepKey, std::uint32_t> sleep_keys_;
    std::vector<model::Sleep> sleeps_;
    std::unordered_map<ThreadKey, std::uint32_t, ThreadKeyHash> waker_keys_;
    std::vector<model::Actor> wakers_;
    std::map<FileKey, std::string> names_;
    std::map<std::uint32_t, std::uint64_t> followed_from_;  // by process; of the others, all the while
    std::uint64_t bytes_left_;
    std::uint64_t records_ = 0;
    std::uint64_t kept_ = 0;
    std::uint64_t dropped_ = 0;
    std::uint64_t cut_ = 0;
    std::size_t left_out_ = 0;
};

}  // namespace waitclose::kernel
