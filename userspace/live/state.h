// SPDX-License-Identifier: BSD-2-Clause
// Where the user is in the live view, and what keys do to that. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "live/keys.h"
#include "live/line.h"
#include "live/picture.h"

namespace waitclose::live {

enum class View : std::uint8_t { kGroups, kSockets, kHold, kThreads, kClosed, kHelp };

enum class Sort : std::uint8_t { kSockets, kOldest, kGrowth, kOwner, kCause };
inline constexpr int kSortCount = 5;

/// What only the surroundings can do; they take it back once done.
enum class Wish : std::uint8_t { kNone, kQuit, kFilter, kWrite, kRecord };

struct State {
    std::vector<View> path{View::kGroups};  // the last one is shown, the others are behind it
    std::vector<GroupKey> order;            // the groups as they are listed
    std::optional<GroupKey> group;          // under the cursor, or looked into; nothing: the first
    std::optional<model::SocketKey> socket;
    std::optional<HoldEnd> socket_end;  // how the hold of a socket looked at has ended, however long ago
    std::optional<std::uint32_t> tid;
    std::optional<std::uint64_t> ended;    // Ended::number
    std::vector<std::size_t> scrolled{0};  // first row shown, of each view of the path
    std::size_t page = 10;                 // rows that the view has room for, as drawn last
    Sort sort = Sort::kSockets;
    bool paused = false;
    std::optional<Line> typing;  // the filter being typed
    std::string filter;          // in force
    std::string message;
    bool message_is_error = false;
    Wish wish = Wish::kNone;
    std::uint64_t still_until_ns = 0;  // rows keep their places until then: the user is at them

    View view() const { return path.back(); }
};

/// What a key does.
State press(State state, const Key& key, const Picture& picture);

/// Takes up what is new: groups that came go where the order puts them, or last while the user is at the
/// rows; what is under the cursor stays so.
State follow(State state, const Picture& picture);

/// Remembers how the hold looked at has ended: the next census knows nothing of it.
void note_end(State& state, const Picture& picture);
/// How the hold looked at has ended; nothing while it has not, as far as is known.
std::optional<HoldEnd> end_of(const State& state, const Picture& picture);

/// The place of the cursor among the rows of the view shown, and how many there are.
struct Cursor {
    std::size_t index = 0;
    std::size_t rows = 0;
};
Cursor cursor_of(const State& state, const Picture& picture);

/// The group under the cursor or looked into; null when there is none.
const GroupRow* group_of(const State& state, const Picture& picture);

/// The socket looked at; null when it is no longer held.
const model::Socket* socket_of(const State& state, const Picture& picture);

/// The process whose threads are shown: the group's owner, else the first holder of the group's oldest
/// socket.
const model::Process* owner_of(const State& state, const Picture& picture);

const char* name_of(Sort sort);

}  // namespace waitclose::live
