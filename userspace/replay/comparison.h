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

/// The groups of one incident that have one owner, one place and one cause, added up: processes come and go,
/// so they are told apart by name and program, not by pid.
struct Figures {
    std::uint64_t holds = 0;
    std::uint64_t begun = 0;  // within the recording: only these tell how often it happens
    std::uint64_t open = 0;
    diagnose::Confidence confidence = diagnose::Confidence::kPossible;  // of the surest of them
    std::uint64_t held_ns = 0;
    std::uint64_t longest_ns = 0;
    bool longest_at_least = false;
    std::uint64_t typical_ns = 0;  // of the largest of them
    bool typical_at_least = false;
    double per_minute = 0;  // of `begun`: recordings are of different length
    std::uint64_t processes = 0;
    std::uint64_t largest = 0;  // holds of the largest of them
};

struct Compared {
    std::string comm;  // of the owner; empty: nobody holds them, or it is not known
    std::string exe;
    diagnose::Cause cause = diagnose::Cause::kUnknown;  // of the later one; of what is gone it was that
    std::optional<diagnose::Cause> cause_before;        // where it was another one
    std::optional<diagnose::Cause>
        cause_beside;  // of what is new or gone: the same owner has this in the other
    std::optional<std::uint16_t> local_port;
    std::optional<std::string> remote;
    std::optional<Figures> before;
    std::optional<Figures> after;
    Change change = Change::kSame;
};

/// Groups of one owner and one local port or remote service belong together; those of one cause are compared
/// with each other, and what is left of the causes on both sides has changed from one to the other, the most
/// holds first. New first, then grown, shrunk, gone, the same; within those by holds a minute. Grown and
/// shrunk are by a quarter of the holds a minute or more, and by more than one hold over the shorter
/// recording; what a cause has gained there and the unknown lost, or the other way round, has not changed:
/// what is unknown is young, and may become any.
std::vector<Compared> compare(const Incident& before, const Incident& after);

/// Why the two cannot be compared without reserve.
enum class Reserve : std::uint8_t {
    kSameRecording,  // it is compared with itself
    kOtherMachine,
    kOtherBoot,    // of the same machine
    kOverlap,      // some time is in both
    kWrongOrder,   // the second one began before the first
    kBeforeShort,  // it is too short to tell how often something happens
    kAfterShort,
};
std::vector<Reserve> reserves(const Incident& before, const Incident& after);

/// How many of the very same holds are in both.
std::uint64_t shared_holds(const Incident& before, const Incident& after);

}  // namespace waitclose::replay
