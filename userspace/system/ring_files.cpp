// SPDX-License-Identifier: BSD-2-Clause
#include "system/ring_files.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include <fmt/format.h>

#include "system/files.h"
#include "system/text.h"

namespace waitclose::system {
namespace {

/// A machine with more rings than this is asked about the first ones only.
constexpr std::size_t kMostRings = 256;

/// Of "    1: socket:[123]". The path of another file may look like it further on in its line.
std::optional<std::uint64_t> socket_inode(std::string_view line) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    const auto colon = line.find(':');
    if (colon == line.npos || !to_number(line.substr(0, colon))) return std::nullopt;
    line.remove_prefix(colon);
    constexpr std::string_view kBegin = ": socket:[";
    if (!line.starts_with(kBegin) || !line.ends_with(']')) return std::nullopt;
    line.remove_prefix(kBegin.size());
    line.remove_suffix(1);
    return to_number(line);
}

bool nobody_holds(const model::Socket& socket) {
    return socket.holder_count == 0 && socket.inode != 0;
}

}  // namespace

std::vector<std::uint64_t> registered_sockets(std::string_view fdinfo) {
    std::vector<std::uint64_t> inodes;
    bool listed = false;
    while (!fdinfo.empty()) {
        const std::string_view line = take_line(fdinfo);
        const bool is_entry = line.starts_with(' ');
        if (!is_entry) listed = line.starts_with("UserFiles:");
        if (!listed || !is_entry) continue;
        if (const auto inode = socket_inode(line)) inodes.push_back(*inode);
    }
    return inodes;
}

void find_registered(model::Census& census, std::span<const model::InFlight> rings) {
    std::unordered_map<std::uint64_t, model::Socket*> lost;
    for (model::Socket& socket : census.sockets)
        if (nobody_holds(socket)) lost[socket.inode] = &socket;
    if (lost.empty()) return;
    for (const model::InFlight& ring : rings.first(std::min(rings.size(), kMostRings))) {
        const auto text = read_file(fmt::format("/proc/{}/fdinfo/{}", ring.pid, ring.fd));
        if (!text) continue;
        for (const std::uint64_t inode : registered_sockets(*text)) {
            const auto found = lost.find(inode);
            if (found == lost.end()) continue;
            auto& in_flight = found->second->in_flight;
            if (!in_flight) in_flight = std::make_unique<std::vector<model::InFlight>>();
            in_flight->push_back(ring);
            in_flight->back().where = model::InFlight::Where::kRing;
        }
    }
}

}  // namespace waitclose::system
