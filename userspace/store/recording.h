// SPDX-License-Identifier: BSD-2-Clause
// What a recording keeps, as the stream it was: told again in the order in which it happened.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "failure.h"
#include "model/activity.h"
#include "model/census.h"
#include "model/events.h"
#include "model/facts.h"

namespace waitclose::store {

/// How a recording ended.
enum class Ending : std::uint8_t {
    kNot,       // it was cut off (killed, the power failed), or it is still being written
    kAsked,     // SIGINT or SIGTERM
    kDuration,  // --duration was over
    kSize,      // --max-size was reached
    kFailed,    // something could not be done; About::failure says what
};

/// The circumstances: who recorded, where, how.
struct About {
    std::string program;  // "waitclose 0.1.0"
    std::string hostname;
    std::string kernel;
    std::string boot_id;
    std::uint64_t begun_ns = 0;           // CLOCK_BOOTTIME, when every probe was attached
    std::int64_t wall_offset_ns = 0;      // add to a CLOCK_BOOTTIME for nanoseconds since the epoch
    std::optional<std::uint64_t> end_ns;  // of the last thing that was written; nothing in an empty recording
    Ending ending = Ending::kNot;
    std::string failure;
    model::ProbeFacts probes;
    std::string arguments;  // the command line, for a reader
    bool all_transitions = false;
    std::uint64_t min_held_ns = 0;
    bool selects = false;             // only some sockets were recorded
    std::uint64_t dropped_holds = 0;  // that ended sooner than min_held_ns, or were not asked for: not kept
};

/// Told what happened. `look_begins` comes before the events that happened while that census was taken, and
/// `look` after them, so that a ledger can be brought to the same truth as when it was recorded.
class Player {
public:
    virtual ~Player() = default;
    virtual void about(const About& about) = 0;
    virtual void on(const model::Entered& event) = 0;
    virtual void on(const model::Left& event) = 0;
    virtual void on(const model::Transition& event) = 0;  // only with About::all_transitions
    virtual void look_begins(std::uint64_t at_ns) = 0;
    /// Before a look: these sockets of it are held by processes that were not asked for (--pid, --comm,
    /// --cgroup). They are there for what they tell about others.
    virtual void unwanted(const std::vector<model::SocketKey>& sockets) { static_cast<void>(sockets); }
    /// A census as it was taken, before a ledger has seen it. The player may change it.
    virtual void look(model::Census& census) = 0;
    /// What threads did while a capture ran; once, after the last look. The player may change it.
    virtual void activity(model::Activity& activity) { static_cast<void>(activity); }
    /// So many were lost in all by then.
    virtual void losses(std::uint64_t at_ns, const model::Losses& so_far) = 0;
};

/// Told how much of a recording has been played, in rows.
using PlayProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

/// Plays a whole recording. Every file is hostile: a foreign, newer, truncated or corrupted one is an error
/// in one sentence; what was played up to then has been told.
Result<void> play(const std::string& path, Player& player, const PlayProgress& progress = {});

}  // namespace waitclose::store
