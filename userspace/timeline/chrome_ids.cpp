// SPDX-License-Identifier: BSD-2-Clause
#include "timeline/chrome_ids.h"

namespace waitclose::timeline {

ChromeIds::ChromeIds(const Timeline& timeline) {
    std::set<std::uint32_t> pids;
    tracks_.reserve(timeline.processes.size());
    for (const Process& process : timeline.processes) {
        Track& track = tracks_.emplace_back();
        track.pid = only(pids, process.pid);
        std::set<std::uint32_t> tids;
        track.tids.reserve(process.threads.size());
        for (const Thread& thread : process.threads) track.tids.push_back(only(tids, thread.tid));
    }
}

std::uint32_t ChromeIds::only(std::set<std::uint32_t>& taken, std::uint32_t id) {
    return taken.insert(id).second ? id : next_++;
}

}  // namespace waitclose::timeline
