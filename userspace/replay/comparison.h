// SPDX-License-Identifier: BSD-2-Clause
// Two incidents side by side, group by group. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "replay/incident.h"

namespace waitclose::replay {

enum class Change : std::uint8_t { kNew, kGrown, kShrunk, kGone, kSame };

/// "new", "grown", "shrunk", "gone", "same"
std::string_view id_of(Change change);

/// The groups of one incident that have one story, added up: processes come and go, so they are told apart by
/// name and program, not by pid.
struct Figures {
    std::uint64_t holds = 0;
    std::uint64_t begun = 0;  // within the recording: only these tell how often it happens
    std::uint64_t open = 0;
    std::uint64_t held_ns = 0;
    std::uint64_t longest_ns = 0;
    bool longest_at_least = false;
    std::uint64_t typical_ns = 0;  // of the largest of them
    double per_minute = 0;         // of `begun`: recordings are of different length
    std::uint64_t processes = 0;
    std::uint64_t largest = 0;  // holds of the largest of them
};

struct Compared {
    std::string comm;  // of the owner; empty: nobody holds them, or it is not known
    std::string exe;
    diagnose::Cause cause = diagnose::Cause::kUnknown;
    std::optional<std::uint16_t> local_port;
    std::optional<std::string> remote;
    std::optional<Figures> before;
    std::optional<Figures> after;
    Change change = Change::kSame;
};

/// New first, then grown, shrunk, gone, the same; within those by holds a minute. Grown and shrunk are
/// by a quarter of the holds a minute or more, and by more than one hold over the shorter recording.
std::vector<Compared> compare(const Incident& before, const Incident& after);

/// Why the two cannot be compared without reserve.
enum class Reserve : std::uint8_t {
    kWrongOrder,   // the second one began before the first
    kBeforeShort,  // it is too short to tell how often something happens
    kAfterShort,
};
std::vector<Reserve> reserves(const Incident& before, const Incident& after);

}  // namespace waitclose::replay
