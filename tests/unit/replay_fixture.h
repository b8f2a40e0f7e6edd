// SPDX-License-Identifier: BSD-2-Clause
// Recordings for the tests of replay/, told by hand.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "diagnose_builder.h"
#include "replay/replay.h"
#include "timeline/check.h"

namespace waitclose::replay::testing {

using namespace waitclose::test;

inline constexpr std::uint64_t kBegun = 980 * kSec;

inline store::About about() {
    store::About made;
    made.program = "waitclose 0.1.0";
    made.hostname = "orders-7";
    made.kernel = "6.18.44";
    made.boot_id = "0b7c";
    made.begun_ns = kBegun;
    made.wall_offset_ns = 1'795'204'800'000'000'000 - static_cast<std::int64_t>(kBegun);
    made.end_ns = kTaken + kSec;
    made.ending = store::Ending::kAsked;
    return made;
}

inline model::Connection connection(std::uint64_t cookie, std::uint16_t local_port = 8080) {
    model::Connection made;
    made.key = {1, cookie};
    made.local.port = local_port;
    made.remote.address = {10, 2, 3, 4};
    made.remote.port = 51234;
    return made;
}

inline model::Entered entered(std::uint64_t cookie, std::uint64_t at_ns, std::uint16_t local_port = 8080) {
    return {at_ns, connection(cookie, local_port)};
}

inline model::Left left(std::uint64_t cookie, std::uint64_t at_ns, std::uint32_t pid = 0,
                        std::uint32_t tid = 0) {
    model::Left made;
    made.at_ns = at_ns;
    made.key = {1, cookie};
    if (pid) made.closer = deed(pid, tid, at_ns, model::Operation::kNone).actor;
    return made;
}

/// As diagnose_builder.h has it, with identities.
inline model::Socket& socket_of(Builder& builder, std::uint64_t cookie, const std::vector<Hold>& holds) {
    model::Socket& made = builder.socket(holds);
    made.netns = 1;
    made.cookie = cookie;
    return made;
}

/// A look in which nothing happens meanwhile.
inline void look(store::Player& player, model::Census census) {
    player.look_begins(census.taken_ns);
    player.look(census);
}

inline std::string complaints(const Incident& incident) {
    std::string all;
    for (const std::string& one : timeline::check(incident.timeline)) all += one + "\n";
    return all;
}

}  // namespace waitclose::replay::testing
