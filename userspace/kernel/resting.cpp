// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/resting.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/types.h>

#include "kernel/stack_records.h"
#include "system/process_memory.h"
#include "system/thread_facts.h"
#include "waitclose.skel.h"

namespace waitclose::kernel {
namespace {

using ThreadKey = std::pair<std::uint32_t, std::uint64_t>;  // tid, start

ThreadKey key_of(const wc_actor& thread) {
    return {thread.tid, thread.start_ns};
}

/// In the map for the time of one pass.
class Wanted {
public:
    Wanted(const bpf_map* map, std::span<const std::uint32_t> processes)
        : fd_(bpf_map__fd(map)), processes_(processes) {
        const std::uint8_t yes = 1;
        for (const std::uint32_t pid : processes_) bpf_map_update_elem(fd_, &pid, &yes, BPF_ANY);
    }
    Wanted(const Wanted&) = delete;
    Wanted& operator=(const Wanted&) = delete;
    ~Wanted() {
        for (const std::uint32_t pid : processes_) bpf_map_delete_elem(fd_, &pid);
    }

private:
    int fd_;
    std::span<const std::uint32_t> processes_;
};

/// Processes whose memory nobody should look at now: it could take long.
std::set<std::uint32_t> stuck_processes(const std::vector<wc_resting>& threads) {
    std::set<std::uint32_t> stuck;
    for (const wc_resting& thread : threads)
        if (system::may_hold_memory_lock(thread_of(thread))) stuck.insert(thread.thread.tgid);
    return stuck;
}

/// The memory of stacks, no more of it than is allowed.
class MemoryReader {
public:
    explicit MemoryReader(const StackLimits& limits)
        : room_(limits.bytes_of_one), left_(limits.bytes_of_all) {}

    void read(model::RawStack& stack) {
        if (!stack.registers) return;
        const std::size_t most = std::min(room_.size(), left_ + stack.bytes.size());
        left_ += stack.bytes.size();
        const std::size_t got =
            system::read_memory_up_to(stack.pid, stack.registers->sp, std::span(room_).first(most));
        stack.bytes.assign(room_.begin(), room_.begin() + static_cast<std::ptrdiff_t>(got));
        left_ -= got;
    }

private:
    std::vector<std::byte> room_;
    std::size_t left_;
};

/// A stack that has been read, and what shows whether the thread has moved since.
struct Reading {
    model::RawStack stack;
    wc_resting before;
};

/// Looks at the threads of these readings again. Gives those that moved; what they do now is in `before`.
Result<std::vector<Reading*>> find_moved(const RestingReader& reader, const std::vector<Reading*>& readings,
                                         const std::vector<std::uint32_t>& processes) {
    const auto now = reader.read(processes);
    if (!now) return tl::unexpected(now.error());
    std::map<ThreadKey, const wc_resting*> after;
    for (const wc_resting& thread : *now) after[key_of(thread.thread)] = &thread;
    std::vector<Reading*> moved;
    for (Reading* reading : readings) {
        const auto found = after.find(key_of(reading->before.thread));
        reading->stack.moved = found == after.end() || !rested_between(reading->before, *found->second);
        if (!reading->stack.moved || found == after.end()) continue;
        reading->before = *found->second;
        moved.push_back(reading);
    }
    return moved;
}

/// Of a thread that does not sleep any more, what was read before stays.
void read(Reading& reading, bool with_memory, MemoryReader& memory) {
    if (!sleeps(reading.before)) return;
    std::vector<std::byte> bytes = std::move(reading.stack.bytes);
    reading.stack = stack_of(reading.before);
    reading.stack.bytes = std::move(bytes);
    if (with_memory) memory.read(reading.stack);
}

}  // namespace

Result<std::optional<RestingReader>> RestingReader::prepare(const Probes& probes) {
    bpf_program* program = probes.program_for("registers", 0);
    if (!program) return std::nullopt;
    auto iterator = Iterator::attach(program);
    if (!iterator) return tl::unexpected(iterator.error());
    return RestingReader(probes, std::move(*iterator));
}

Result<std::vector<wc_resting>> RestingReader::read(std::span<const std::uint32_t> processes) const {
    const Wanted wanted(probes_->skeleton().maps.wanted_processes, processes);
    std::vector<wc_resting> threads;
    auto done = iterator_.run([&](const wc_header& header) {
        if (header.kind == WC_KIND_RESTING && header.size >= sizeof(wc_resting))
            threads.push_back(reinterpret_cast<const wc_resting&>(header));
    });
    if (!done) return tl::unexpected(done.error());
    return threads;
}

bool sleeps(const wc_resting& record) {
    constexpr std::uint32_t kPfExiting = 4;  // include/linux/sched.h
    return record.state != 0 && !record.exit_state && !(record.flags & kPfExiting);
}

bool rested_between(const wc_resting& before, const wc_resting& after) {
    return before.switches == after.switches && sleeps(before) && sleeps(after) &&
           before.on_cpu != WC_ON_CPU_YES && after.on_cpu != WC_ON_CPU_YES &&
           before.registers.pc == after.registers.pc && before.registers.sp == after.registers.sp;
}

Result<std::vector<model::RawStack>> read_stacks(const RestingReader& reader,
                                                 const std::vector<wc_resting>& threads,
                                                 const StackLimits& limits) {
    constexpr int kTries = 3;
    const auto stuck = stuck_processes(threads);
    MemoryReader memory(limits);
    std::map<ThreadKey, Reading> readings;
    std::set<std::uint32_t> processes;
    std::vector<Reading*> to_read;
    for (const wc_resting& thread : threads) {
        if (!sleeps(thread) || readings.size() >= limits.threads) continue;
        auto& reading = readings[key_of(thread.thread)];
        reading = {stack_of(thread), thread};
        processes.insert(thread.thread.tgid);
        to_read.push_back(&reading);
    }
    const std::vector<std::uint32_t> pids(processes.begin(), processes.end());
    for (int attempt = 0; attempt < kTries && !to_read.empty(); ++attempt) {
        for (Reading* reading : to_read) read(*reading, !stuck.contains(reading->stack.pid), memory);
        auto moved = find_moved(reader, to_read, pids);
        if (!moved) return tl::unexpected(moved.error());
        to_read = std::move(*moved);
    }
    std::vector<model::RawStack> stacks;
    for (auto& [key, reading] : readings) stacks.push_back(std::move(reading.stack));
    std::ranges::stable_sort(stacks, {}, &model::RawStack::pid);
    return stacks;
}

Result<std::vector<model::RawStack>> sleeping_stacks(const Probes& probes,
                                                     std::span<const std::uint32_t> processes,
                                                     const StackLimits& limits) {
    auto reader = RestingReader::prepare(probes);
    if (!reader) return tl::unexpected(reader.error());
    if (!*reader) return std::vector<model::RawStack>{};
    const auto threads = (*reader)->read(processes);
    if (!threads) return tl::unexpected(threads.error());
    return read_stacks(**reader, *threads, limits);
}

}  // namespace waitclose::kernel
