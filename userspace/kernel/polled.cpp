// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/polled.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/types.h>

#include "kernel/readings.h"
#include "model/syscalls.h"
#include "system/polled.h"
#include "system/thread_facts.h"
#include "waitclose.skel.h"

namespace waitclose::kernel {
namespace {

/// As many as the map has room for.
constexpr std::size_t kMostThreads = 4096;

bool polls_few(const wc_census_thread& record) {
    constexpr std::uint32_t kInterruptible = 1;  // include/linux/sched.h
    const auto count = static_cast<std::uint32_t>(record.arguments[1]);
    return record.has_registers && (record.state & kInterruptible) && !record.exit_state &&
           model::polls(record.syscall) && count > 0 && count <= system::kMostPolled;
}

/// Processes whose memory nobody should look at now.
std::set<std::uint32_t> stuck_processes(const std::vector<wc_census_thread>& records) {
    constexpr std::uint32_t kUninterruptible = 2;
    std::set<std::uint32_t> stuck;
    for (const wc_census_thread& record : records)
        if ((record.state & kUninterruptible) && system::may_hold_memory_lock(thread_of(record, 0)))
            stuck.insert(record.actor.tgid);
    return stuck;
}

/// Puts what the threads ask for into the map for the second look, and takes it out again.
class Asking {
public:
    explicit Asking(const Probes& probes)
        : threads_(bpf_map__fd(probes.skeleton().maps.polling_threads)),
          processes_(bpf_map__fd(probes.skeleton().maps.wanted_processes)) {}
    Asking(const Asking&) = delete;
    Asking& operator=(const Asking&) = delete;
    ~Asking() {
        for (const auto& [tid, record] : asked) bpf_map_delete_elem(threads_, &tid);
        for (const std::uint32_t pid : pids_) bpf_map_delete_elem(processes_, &pid);
    }

    void add(wc_census_thread& record) {
        const auto polled = system::read_polled(record.actor.tgid, record.syscall, record.arguments);
        if (!polled) return;
        const wc_polled value{.timeout_ns = polled->timeout_ns.value_or(WC_NO_TIMEOUT),
                              .fd = static_cast<wc_u32>(polled->fd),
                              .known = 1,
                              .writes = polled->writes,
                              .reserved = {}};
        const std::uint32_t tid = record.actor.tid;
        if (asked.contains(tid) || bpf_map_update_elem(threads_, &tid, &value, BPF_ANY) != 0) return;
        asked[tid] = &record;
        const std::uint8_t yes = 1;
        const std::uint32_t pid = record.actor.tgid;
        if (pids_.insert(pid).second) bpf_map_update_elem(processes_, &pid, &yes, BPF_ANY);
    }

    std::map<std::uint32_t, wc_census_thread*> asked;  // by thread id

private:
    int threads_;
    int processes_;
    std::set<std::uint32_t> pids_;
};

}  // namespace

bool slept_between(const wc_census_thread& before, const wc_census_thread& after) {
    return before.actor.tgid == after.actor.tgid && before.actor.tid == after.actor.tid &&
           before.actor.start_ns == after.actor.start_ns && before.switches == after.switches &&
           before.on_cpu_ns == after.on_cpu_ns && before.state == after.state && after.has_registers &&
           before.syscall == after.syscall &&
           std::memcmp(before.arguments, after.arguments, sizeof(before.arguments)) == 0;
}

Result<void> look_at_polled(const Probes& probes, const Iterator& threads,
                            std::vector<wc_census_thread>& records) {
    if (std::ranges::none_of(records, polls_few)) return {};
    const auto stuck = stuck_processes(records);
    Asking asking(probes);
    for (wc_census_thread& record : records)
        if (asking.asked.size() < kMostThreads && polls_few(record) && !stuck.contains(record.actor.tgid))
            asking.add(record);
    if (asking.asked.empty()) return {};
    return threads.run([&](const wc_header& header) {
        if (header.kind != WC_KIND_CENSUS_THREAD) return;
        const auto& after = reinterpret_cast<const wc_census_thread&>(header);
        const auto found = asking.asked.find(after.actor.tid);
        if (found == asking.asked.end() || !after.polled.known) return;
        wc_census_thread& before = *found->second;
        if (!slept_between(before, after)) return;
        const auto taken_ns = before.taken_ns;
        before = after;
        before.taken_ns = taken_ns;
    });
}

}  // namespace waitclose::kernel
