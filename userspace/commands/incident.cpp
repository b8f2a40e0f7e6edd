// SPDX-License-Identifier: BSD-2-Clause
#include "commands/incident.h"

#include <fmt/format.h>

#include "commands/port_map.h"
#include "commands/progress_line.h"
#include "output/escape.h"
#include "replay/replay.h"
#include "store/recording.h"

namespace waitclose::commands {
namespace {

std::optional<std::bitset<65536>> ports_of(bool chosen, const wc_u8* map) {
    if (!chosen) return std::nullopt;
    std::bitset<65536> ports;
    for (std::size_t port = 0; port < ports.size(); ++port)
        if (has_port(map, static_cast<std::uint16_t>(port))) ports.set(port);
    return ports;
}

/// What the kernel side decides while it traces.
replay::Wanted wanted_of(const Request& request) {
    const wc_filter& filter = request.probes.filter;
    replay::Wanted wanted;
    wanted.selection = request.selection;
    wanted.ipv4 = filter.ipv4;
    wanted.ipv6 = filter.ipv6;
    if (filter.netns) wanted.netns = filter.netns;
    wanted.local_ports = ports_of(filter.by_local_port, filter.local_ports);
    wanted.words = request.selects;
    wanted.remote_ports = ports_of(filter.by_remote_port, filter.remote_ports);
    return wanted;
}

}  // namespace

Result<replay::Incident> read_incident(const std::string& path, const Request& request) {
    ProgressLine progress(fmt::format("reading {}", output::printable(path)));
    replay::Replay replay(wanted_of(request));
    const auto played = store::play(
        path, replay, [&](std::uint64_t done, std::uint64_t total) { progress.tell(done, total); });
    if (!played) return tl::unexpected(played.error());
    replay::Incident incident = replay.finish();
    // Killed before its first look. To say that nothing was held would be an all-clear.
    if (incident.looks == 0)
        return tl::unexpected(Failure{fmt::format("'{}' holds nothing: its recorder ended before it had "
                                                  "looked once",
                                                  path),
                                      "record again, for a second or more"});
    return incident;
}

}  // namespace waitclose::commands
