// SPDX-License-Identifier: BSD-2-Clause
// Thousands of sockets with one story are one group.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "diagnose/descriptors.h"
#include "diagnose/diagnosis.h"
#include "model/census.h"

namespace waitclose::diagnose {

struct TopCulprit {
    std::uint32_t pid = 0;
    std::uint32_t tid = 0;
    std::string comm;
    std::uint64_t sockets = 0;
};

/// Sockets of one owner, one cause, and one local port (server side) or remote service (client side).
struct Group {
    std::optional<std::uint32_t> owner_pid;  // absent when nobody holds the sockets
    std::string owner_comm;
    Cause cause = Cause::kUnknown;
    Confidence confidence = Confidence::kPossible;  // the weakest of its members
    std::optional<std::uint16_t> local_port;        // server side, and where the side is not known
    std::optional<std::string> remote;              // client side: "address:port" of the service
    std::uint64_t sockets = 0;
    std::uint64_t oldest_held_ns = 0;
    std::uint64_t culprits = 0;            // distinct threads named
    std::vector<TopCulprit> top_culprits;  // the threads with most sockets, at most three
    FdOutlook fds;                         // of the owner

    // Members, as indices into Census::sockets.
    std::size_t oldest_socket = 0;       // held longest
    std::size_t youngest_socket = 0;     // held shortest
    std::size_t typical_socket = 0;      // half are held no longer than this one
    std::size_t most_unread_socket = 0;  // with most unread bytes
    std::vector<std::uint32_t> all;      // held longest first; only where they were asked for
};

enum class Members : std::uint8_t { kForget, kKeep };

/// Diagnoses the sockets at `selected` (indices into census.sockets) and groups them, largest first, then
/// oldest. Keeps four bytes a socket meanwhile, and unless the members are asked for nothing beyond the
/// groups.
std::vector<Group> group(const model::Census& census, const std::vector<std::uint32_t>& selected,
                         Members members = Members::kForget);

}  // namespace waitclose::diagnose
