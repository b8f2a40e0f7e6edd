// SPDX-License-Identifier: BSD-2-Clause
// What the live view shows, as plain data: the last census with its groups, what events told since, and how
// all of it went over the last minutes.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "diagnose/diagnosis.h"
#include "diagnose/group.h"
#include "model/census.h"
#include "model/facts.h"
#include "model/ledger.h"

namespace waitclose::live {

/// What makes a group the same one in the next census.
struct GroupKey {
    std::optional<std::uint32_t> pid;
    diagnose::Cause cause = diagnose::Cause::kUnknown;
    std::optional<std::uint16_t> local_port;
    std::string remote;

    bool operator==(const GroupKey&) const = default;
    /// Another cause of the same owner's same sockets.
    bool is_kin_of(const GroupKey& other) const { return kin() == other.kin(); }
    /// The same of all its kin.
    GroupKey kin() const { return {pid, diagnose::Cause::kUnknown, local_port, remote}; }
};

GroupKey key_of(const diagnose::Group& group);

/// Tells groups apart where a number has to. Greater than kNotAskedFor, as is that of the sockets of such a
/// group that the filter leaves out.
std::uint64_t fingerprint(const GroupKey& key);
std::uint64_t fingerprint_left_out(const GroupKey& key);
struct GroupKeyHash {
    std::size_t operator()(const GroupKey& key) const { return fingerprint(key); }
};
/// What the command line does not ask for.
inline constexpr std::uint64_t kNotAskedFor = 1;

/// By how many the holds became more over a time, as it was measured.
struct Gain {
    double change = 0;
    std::uint64_t over_ns = 0;
    bool lasts = false;  // they grew all the while, and not at once
};

/// Numbers of holds over the last minute, the oldest first, and their gain as far as that is known.
struct Trend {
    std::vector<std::uint64_t> counts;
    std::optional<Gain> gain;
};

struct GroupRow {
    GroupKey key;
    diagnose::Group group;  // with its members, held longest first
    Trend trend;
    std::uint64_t closed_since = 0;         // of its members, since the census
    std::optional<std::uint64_t> ended_ns;  // when a census did not find it any more; CLOCK_BOOTTIME

    std::uint64_t sockets() const { return group.sockets > closed_since ? group.sockets - closed_since : 0; }
};

/// A hold that ended lately.
struct Ended {
    std::uint64_t number = 0;  // counts up
    model::Closed closed;
    std::optional<diagnose::Cause> cause;  // nothing when no census has seen the hold
    std::optional<std::uint32_t> owner;    // of its group, by pid
    std::string owner_comm;                // raw
    struct Holder {
        std::uint32_t pid = 0;
        std::string comm;
        std::optional<std::string> cgroup;
    };
    // As the last look saw them; of a hold that none has seen the process that closed it. Empty: not known.
    std::vector<Holder> holders = {};

    std::uint64_t at_ns() const { return closed.hold.since_ns + closed.held_ns; }
};

/// How a hold ended that a look had seen.
struct HoldEnd {
    model::Connection connection;
    std::uint64_t held_ns = 0;
    std::optional<model::Left> left;
};

/// How the machine is doing, second by second.
struct Pulse {
    std::uint64_t open = 0;
    std::optional<double> entered_per_s;  // nothing until there were two looks, or of a part of the holds
    std::optional<double> closed_per_s;
    Trend trend;
};

/// A recording being written.
struct Recording {
    std::string path;
    std::uint64_t bytes = 0;
};

struct Picture {
    const model::Census* census = nullptr;  // null until there is one
    std::function<diagnose::Diagnosis(const model::Socket&)> explain;
    std::vector<GroupRow> groups;
    std::deque<Ended> ended;         // in the last minute, the newest first
    std::uint64_t ended_in_all = 0;  // how many these were, where they are more than are kept
    bool ended_in_all_exact = true;  // else they were at least so many
    std::unordered_map<model::SocketKey, HoldEnd, model::SocketKeyHash> gone;  // since the census
    Pulse pulse;
    model::HostFacts host;
    model::ProbeFacts probes;
    model::Losses losses;
    std::uint64_t left_out = 0;         // held, and not what was asked for
    std::set<std::uint32_t> listeners;  // those asked for, into census.listeners
    std::optional<Recording> recording;
    std::uint64_t now_ns = 0;  // CLOCK_BOOTTIME
    std::int64_t wall_offset_ns = 0;
};

/// Whether this finds fault with anybody. A half-open stream is on purpose, and what is unknown accuses
/// nobody.
bool accuses(diagnose::Cause cause);

/// The row of a group, and the socket with that identity; null when there is none.
const GroupRow* find(const Picture& picture, const GroupKey& key);
const model::Socket* find(const Picture& picture, const model::SocketKey& key);

/// How long the socket is held by now, in ns.
std::uint64_t held_ns(const Picture& picture, const model::Socket& socket);

/// The process with this id in the census; null when it is not there.
const model::Process* find_process(const Picture& picture, std::uint32_t pid);

}  // namespace waitclose::live
