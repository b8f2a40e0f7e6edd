// SPDX-License-Identifier: BSD-2-Clause
// What a whole recording comes to: its holds with their diagnoses, their groups, and all of it laid out
// in time. Plain data; times are nanoseconds of CLOCK_BOOTTIME.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "diagnose/catalogue.h"
#include "diagnose/descriptors.h"
#include "model/activity.h"
#include "model/census.h"
#include "model/events.h"
#include "model/ledger.h"
#include "replay/doings.h"
#include "replay/thread_story.h"
#include "store/recording.h"
#include "timeline/timeline.h"

namespace waitclose::replay {

/// How a hold ended.
enum class Ended : std::uint8_t {
    kNot,     // it was open at the end of the recording
    kClosed,  // by a program
    kExit,    // with its last holder
    kError,   // reset, or timed out
    kKernel,  // by the kernel's own doing
    kMissed,  // no event told: it was gone when somebody looked
};

/// What a report needs to know of a hold beyond its track.
struct Fact {
    model::SocketKey key;
    model::Family family = model::Family::kIpv4;
    model::Role role = model::Role::kUnknown;
    model::Precision precision = model::Precision::kExact;
    model::Endpoint local;
    model::Endpoint remote;
    std::uint64_t since_ns = 0;
    std::uint64_t end_ns = 0;   // or the end of the recording
    std::uint64_t seen_ns = 0;  // by the last look; 0: by none
    Ended ended = Ended::kNot;
    bool shut_down = false;                // of Ended::kClosed: by shutdown(); it may be open still
    int error = 0;                         // errno of Ended::kError
    std::optional<model::Actor> closer;    // who ended it
    bool queued = false;                   // by the last look it sat in an accept queue
    bool is_older = false;                 // than the recording, as far as is known
    bool since_at_least = false;           // it may have begun before `since_ns`
    std::optional<diagnose::Cause> cause;  // what accounts for it; nothing where no look saw it
    diagnose::Confidence confidence = diagnose::Confidence::kPossible;
    std::uint64_t diagnosed_ns = 0;  // the first look that said so, with this culprit
    std::uint64_t told_ns = 0;       // the look whose words are told
    std::string course;              // what the looks said one after the other, where it was not one thing
    std::uint32_t owner = timeline::kNowhere;

    std::uint64_t held_ns() const { return end_ns - since_ns; }
    bool is_open() const { return ended == Ended::kNot; }
    /// It lasted for held_ns() at least: its begin or its end was not seen.
    bool is_at_least() const { return precision == model::Precision::kAtLeast; }
    /// Nobody had accepted it: it ends when the listener is closed, or its process ends.
    bool went_with_listener() const { return ended == Ended::kKernel && queued; }
};

/// Holds too short to be told one by one: nobody is accused of them.
struct Brief {
    std::uint64_t holds = 0;    // that ended
    std::uint64_t held_ns = 0;  // all together
    std::uint64_t longest_ns = 0;

    void add(std::uint64_t ns);
};

/// How holds ended.
struct Endings {
    std::array<std::uint64_t, 6> by_end{};  // index: Ended
    std::uint64_t with_listener = 0;        // of those by the kernel
    std::uint64_t shut_down = 0;            // of those by a program

    void add(const Fact& fact);
    std::uint64_t of(Ended ended) const { return by_end.at(static_cast<std::size_t>(ended)); }
};

/// A thread with what it is named for, or what it closed.
struct TopCulprit {
    std::uint32_t pid = 0;
    std::uint32_t tid = 0;
    std::string comm;
    std::uint64_t holds = 0;
};

/// Holds of one owner, one cause, and one local port (server side) or remote service (client side), as
/// diagnose::Group has them, over the whole recording.
struct Group {
    std::uint32_t owner = timeline::kNowhere;  // into Timeline::processes; nowhere: nobody holds them
    diagnose::Cause cause = diagnose::Cause::kUnknown;
    diagnose::Confidence confidence = diagnose::Confidence::kPossible;  // the weakest of its members
    std::optional<std::uint16_t> local_port;       // server side, and where the side is not known
    std::optional<std::string> remote;             // client side: "address:port" of the service
    std::array<std::uint64_t, 3> by_confidence{};  // members; index: diagnose::Confidence
    std::uint64_t holds = 0;
    std::uint64_t begun = 0;    // within the recording
    std::uint64_t open = 0;     // at the end
    std::uint64_t held_ns = 0;  // all together
    std::uint64_t longest_ns = 0;
    std::uint64_t typical_ns = 0;  // half are held no longer than this
    std::uint64_t first_ns = 0;    // when the first of them began
    // Lower bounds only, as of some members no more is known:
    bool held_at_least = false;
    bool longest_at_least = false;
    bool typical_at_least = false;
    bool first_or_earlier = false;
    std::uint64_t first_diagnosed_ns = 0;
    std::uint64_t culprits = 0;            // distinct threads named; of what is nobody's fault none are
    std::vector<TopCulprit> top_culprits;  // with most holds, at most three
    Endings endings;
    std::uint64_t closers = 0;            // distinct threads that closed some of them
    std::vector<TopCulprit> top_closers;  // of most of them, at most three
    diagnose::FdOutlook fds;              // of the owner, by the last look that saw it

    // Members, as indices into Incident::holds.
    std::uint32_t longest = 0;
    std::uint32_t typical = 0;
};

/// A time in which nobody looked.
struct Gap {
    std::uint64_t from_ns = 0;
    std::uint64_t to_ns = 0;

    std::uint64_t length_ns() const { return to_ns - from_ns; }
};

struct Incident {
    store::About about;
    timeline::Timeline timeline;
    std::vector<Fact> holds;              // parallel to timeline.holds, in the order of their beginning
    std::vector<Group> groups;            // largest first; of the holds that some look saw
    std::vector<std::uint32_t> group_of;  // parallel to holds; nowhere: no look saw it
    std::vector<std::uint32_t> unseen;    // into holds: those
    Endings endings;                      // of all holds
    Brief brief;                          // all of them
    std::map<std::uint16_t, Brief> brief_by_port;  // by local port
    std::uint64_t brief_typical_ns = 0;
    std::set<std::uint16_t> listening;  // local ports that some look found a listener at
    model::Losses losses;               // in all
    model::Totals totals;
    std::uint64_t looks = 0;
    bool nested = false;  // it was recorded in a PID namespace of its own: other processes were not seen
    std::uint64_t unreachable = 0;  // held sockets in network namespaces that could not be entered, at most
    std::uint64_t most_open = 0;    // of `holds` at one time
    std::uint64_t most_open_ns = 0;
    std::string asked;              // the options that select, as typed; empty: none does
    std::uint64_t min_held_ns = 0;  // what was asked for as well: what ended sooner is only counted
    std::uint64_t young = 0;        // open at the end, and held for less than was asked for
    // Holds that are not told of, open ones included:
    std::uint64_t left_out = 0;               // the selection did not ask for them
    std::uint64_t not_selected = 0;           // the recorder was asked for other processes
    std::uint64_t whose_unknown = 0;          // no look saw them, and processes were asked for
    std::uint64_t short_whose_unknown = 0;    // the same, of those that ended sooner than was asked for
    std::uint64_t open_unseen = 0;            // asked for and open at the end, but not seen by any look
    std::optional<model::Activity> activity;  // what a capture saw, without its threads
    std::vector<ThreadStory> threads;         // of it: those that are named, or stand in a chain, told first
    std::vector<OwnerDoings> doings;          // of owners of open holds of which no thread is named
    std::uint64_t usual_gap_ns = 0;           // between looks; half of them are no farther apart
    std::vector<Gap> gaps;                    // the long ones while something was held, longest first

    const timeline::Window& window() const { return timeline.window; }
};

}  // namespace waitclose::replay
