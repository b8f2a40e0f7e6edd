// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/window.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <utility>

#include "kernel/maps.h"
#include "system/host.h"
#include "waitclose.skel.h"

namespace waitclose::kernel {
namespace {

std::uint64_t eof_reads_of(const model::Socket& socket) {
    return socket.touches ? socket.touches->eof_reads : 0;
}

/// When each thread was seen with some held socket last.
void add_latest_deeds(const model::Census& census, std::vector<model::ThreadTime>& threads) {
    std::map<std::pair<std::uint64_t, std::uint32_t>, std::uint64_t> latest;
    for (const model::Socket& socket : census.sockets) {
        if (!socket.touches) continue;
        const model::Touches& touches = *socket.touches;
        for (const auto* deed : {&touches.opened, &touches.last, &touches.eof, &touches.let_go}) {
            if (!*deed) continue;
            std::uint64_t& at_ns = latest[{(*deed)->actor.start_ns, (*deed)->actor.tid}];
            at_ns = std::max(at_ns, (*deed)->at_ns);
        }
    }
    for (model::ThreadTime& thread : threads)
        if (const auto found = latest.find({thread.start_ns, thread.tid}); found != latest.end())
            thread.latest_deed_ns = found->second;
}

std::set<std::string> cgroups_of(const model::Census& census) {
    std::set<std::string> cgroups;
    for (const model::Process& process : census.processes)
        if (process.cpu_cgroup) cgroups.insert(*process.cpu_cgroup);
    return cgroups;
}

std::vector<system::JvmCounters> jvms_of(const model::Census& census) {
    std::vector<system::JvmCounters> found;
    for (const model::Process& process : census.processes) {
        // Every HotSpot JVM has a thread of this name.
        if (std::ranges::find(census.threads_of(process), "VM Thread", &model::Thread::comm) ==
            census.threads_of(process).end())
            continue;
        if (auto counters = system::jvm_counters(process)) found.push_back(std::move(*counters));
    }
    return found;
}

}  // namespace

WindowTaker::WindowTaker(const Probes& probes)
    : probes_(&probes), traces_switches_(probes.program_for("schedule", 0) != nullptr) {}

void WindowTaker::prepare() {
    if (traces_switches_) probes_->skeleton().bss->marks_processes = true;
}

void WindowTaker::open(const model::Census& first) {
    waitclose_bpf& skeleton = probes_->skeleton();
    skeleton.bss->marks_processes = false;
    skeleton.bss->window_is_open = traces_switches_;
    from_ns_ = first.taken_ns;
    first_ = looks_of(first);
    eof_reads_.clear();
    for (const model::Socket& socket : first.sockets)
        if (eof_reads_of(socket)) eof_reads_[{socket.netns, socket.cookie}] = eof_reads_of(socket);
    machine_ = system::machine_time();
    cgroups_ = system::cgroup_times(cgroups_of(first));
    jvms_ = jvms_of(first);
}

Switches WindowTaker::switches() const {
    Switches found;
    if (!traces_switches_) return found;
    const auto& maps = probes_->skeleton().maps;
    for_each_entry<wc_thread_key, wc_switched>(
        maps.switched,
        [&](const wc_thread_key&, const wc_switched& thread) { found.threads.push_back(thread); });
    for_each_entry<wc_slept_key, std::uint64_t>(
        maps.slept, [&](const wc_slept_key& key, std::uint64_t ns) { found.slept.emplace_back(key, ns); });
    return found;
}

void WindowTaker::close(model::Census& last) {
    if (!from_ns_) return;
    probes_->skeleton().bss->window_is_open = false;
    model::Window window;
    window.from_ns = *from_ns_;
    window.to_ns = last.taken_ns;
    window.scheduled = traces_switches_;
    window.threads = shares(first_, switches(), looks_of(last), *from_ns_);
    add_latest_deeds(last, window.threads);
    for (std::uint32_t i = 0; i < window.threads.size(); ++i)
        if (const auto& one = window.threads[i]; (one.on_cpu_ns + one.waiting_ns) * 2 >= one.length_ns())
            window.workers.push_back(i);
    system::add_machine_time(machine_, system::machine_time(), window);
    system::add_throttling(cgroups_, system::cgroup_times(cgroups_of(last)), window);
    system::add_jvm_pauses(jvms_, jvms_of(last), window);
    for (const model::Socket& socket : last.sockets) {
        const auto before = eof_reads_.find({socket.netns, socket.cookie});
        const std::uint64_t reads = eof_reads_of(socket) - (before == eof_reads_.end() ? 0 : before->second);
        if (reads > 0 && reads <= eof_reads_of(socket))
            window.eof_reads[{socket.netns, socket.cookie}] = reads;
    }
    last.window = std::move(window);
}

}  // namespace waitclose::kernel
