// SPDX-License-Identifier: BSD-2-Clause
#include "live/picture.h"

#include <algorithm>

namespace waitclose::live {

GroupKey key_of(const diagnose::Group& group) {
    return {group.owner_pid, group.cause, group.local_port, group.remote.value_or("")};
}

std::uint64_t fingerprint(const GroupKey& key) {
    std::uint64_t hash = 14695981039346656037U;
    const auto mix = [&hash](std::uint64_t value) { hash = (hash ^ value) * 1099511628211U; };
    mix(key.pid.value_or(0));
    mix(static_cast<std::uint64_t>(key.cause));
    mix(key.local_port.value_or(0));
    mix(std::hash<std::string>{}(key.remote));
    return std::max<std::uint64_t>(hash, kNotAskedFor + 1);
}

std::uint64_t fingerprint_left_out(const GroupKey& key) {
    return std::max<std::uint64_t>(~fingerprint(key), kNotAskedFor + 1);
}

bool accuses(diagnose::Cause cause) {
    return cause != diagnose::Cause::kHalfOpen && cause != diagnose::Cause::kUnknown;
}

const GroupRow* find(const Picture& picture, const GroupKey& key) {
    const auto found =
        std::ranges::find_if(picture.groups, [&](const GroupRow& row) { return row.key == key; });
    return found == picture.groups.end() ? nullptr : &*found;
}

const model::Socket* find(const Picture& picture, const model::SocketKey& key) {
    if (!picture.census) return nullptr;
    const auto& sockets = picture.census->sockets;
    const auto found = std::ranges::find_if(sockets, [&](const model::Socket& socket) {
        return socket.cookie == key.cookie && socket.netns == key.netns;
    });
    return found == sockets.end() ? nullptr : &*found;
}

std::uint64_t held_ns(const Picture& picture, const model::Socket& socket) {
    return picture.now_ns > socket.held_since_ns ? picture.now_ns - socket.held_since_ns : 0;
}

const model::Process* find_process(const Picture& picture, std::uint32_t pid) {
    if (!picture.census) return nullptr;
    const auto& processes = picture.census->processes;
    const auto found =
        std::ranges::find_if(processes, [&](const model::Process& process) { return process.pid == pid; });
    return found == processes.end() ? nullptr : &*found;
}

}  // namespace waitclose::live
