// SPDX-License-Identifier: BSD-2-Clause
#include "model/target.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "model/events.h"

namespace waitclose::model {
namespace {

/// A decimal number from 1 to `most` and nothing else.
std::optional<std::uint64_t> number_in(std::string_view text, std::uint64_t most) {
    std::uint64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
    if (number < 1 || number > most) return std::nullopt;
    return number;
}

constexpr std::uint64_t kMostPid = std::numeric_limits<std::int32_t>::max();
constexpr std::uint64_t kMostPort = std::numeric_limits<std::uint16_t>::max();
constexpr std::uint64_t kOwnBit = 1ULL << 63;

bool take_prefix(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

std::optional<Target> numbered(Target::Kind kind, std::string_view text, std::uint64_t most) {
    const auto number = number_in(text, most);
    if (!number) return std::nullopt;
    return Target{kind, 0, 0, static_cast<std::uint32_t>(*number)};
}

std::optional<Target> socket_named(std::string_view netns, std::string_view cookie) {
    const bool own = take_prefix(cookie, "own-");
    const auto inode = number_in(netns, std::numeric_limits<std::uint32_t>::max());
    const auto identity = number_in(cookie, kOwnBit - 1);
    if (!inode || !identity) return std::nullopt;
    return Target{Target::Kind::kSocket, static_cast<std::uint32_t>(*inode),
                  own ? *identity | kOwnBit : *identity, 0};
}

bool is_of(const Census& census, const Socket& socket, std::uint32_t pid) {
    const bool in_queue = socket.holder_count == 0 && socket.listener != kNone;
    const Socket& owned = in_queue ? census.listeners[static_cast<std::size_t>(socket.listener)] : socket;
    return std::ranges::any_of(census.holders_of(owned),
                               [&](const Holder& holder) { return census.process_of(holder).pid == pid; });
}

bool fits(const Census& census, const Socket& socket, const Target& target, Target::Kind kind) {
    switch (kind) {
    case Target::Kind::kSocket: return socket.netns == target.netns && socket.cookie == target.cookie;
    case Target::Kind::kPort: return socket.local.port == target.number;
    default: return is_of(census, socket, target.number);
    }
}

}  // namespace

std::optional<Target> parse_target(std::string_view text) {
    if (take_prefix(text, "pid:")) return numbered(Target::Kind::kProcess, text, kMostPid);
    if (take_prefix(text, "port:")) return numbered(Target::Kind::kPort, text, kMostPort);
    if (const auto colon = text.find(':'); colon != std::string_view::npos)
        return socket_named(text.substr(0, colon), text.substr(colon + 1));
    return numbered(Target::Kind::kProcessOrPort, text, kMostPid);
}

Matches match(const Census& census, const std::vector<std::uint32_t>& selected, const Target& target) {
    const auto all = [&](Target::Kind kind) {
        std::vector<std::uint32_t> found;
        for (const std::uint32_t index : selected)
            if (fits(census, census.sockets[index], target, kind)) found.push_back(index);
        return found;
    };
    if (target.kind != Target::Kind::kProcessOrPort) return {target.kind, false, all(target.kind)};
    auto of_process = all(Target::Kind::kProcess);
    auto on_port = all(Target::Kind::kPort);
    if (of_process.empty() && !on_port.empty()) return {Target::Kind::kPort, false, std::move(on_port)};
    return {Target::Kind::kProcess, !on_port.empty(), std::move(of_process)};
}

}  // namespace waitclose::model
