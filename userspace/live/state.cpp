// SPDX-License-Identifier: BSD-2-Clause
#include "live/state.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <limits>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "live/threads.h"
#include "model/units.h"

namespace waitclose::live {
namespace {

constexpr std::uint64_t kStill = 10 * model::kSecond;
constexpr std::size_t kLongestFilter = 200;

bool is_list(View view) {
    return view == View::kGroups || view == View::kSockets || view == View::kThreads || view == View::kClosed;
}

/// What finds no fault comes last among as many sockets, and before that what is merely possible.
int rank_of(const GroupRow& row) {
    if (!accuses(row.key.cause)) return 2;
    return row.group.confidence == diagnose::Confidence::kPossible ? 1 : 0;
}

/// Whether a row belongs above another one.
bool comes_before(const Picture& picture, Sort sort, const GroupRow& one, const GroupRow& other) {
    const auto since = [&](const GroupRow& row) {
        return picture.census->sockets[row.group.oldest_socket].held_since_ns;
    };
    const auto growth = [](const GroupRow& row) { return row.trend.gain ? row.trend.gain->change : 0; };
    switch (sort) {
    case Sort::kOldest:
        if (!one.ended_ns && !other.ended_ns && since(one) != since(other)) return since(one) < since(other);
        break;
    case Sort::kGrowth:
        if (growth(one) != growth(other)) return growth(one) > growth(other);
        break;
    case Sort::kOwner:
        if (one.group.owner_comm != other.group.owner_comm)
            return one.group.owner_comm < other.group.owner_comm;
        break;
    case Sort::kCause:
        if (one.key.cause != other.key.cause) return one.key.cause < other.key.cause;
        break;
    case Sort::kSockets: break;
    }
    return std::tuple(other.sockets(), rank_of(one), one.key.pid, one.key.cause, one.key.local_port) <
           std::tuple(one.sockets(), rank_of(other), other.key.pid, other.key.cause, other.key.local_port);
}

std::vector<GroupKey> sorted(const Picture& picture, Sort sort) {
    std::vector<const GroupRow*> rows;
    for (const GroupRow& row : picture.groups) rows.push_back(&row);
    std::ranges::stable_sort(rows, [&](const GroupRow* one, const GroupRow* other) {
        return comes_before(picture, sort, *one, *other);
    });
    std::vector<GroupKey> order;
    for (const GroupRow* row : rows) order.push_back(row->key);
    return order;
}

template <typename Rows, typename Is>
std::size_t index_of(const Rows& rows, Is is) {
    const auto found = std::ranges::find_if(rows, is);
    return found == rows.end() ? 0 : static_cast<std::size_t>(found - rows.begin());
}

/// Where the cursor goes when its group is no more: to another cause of the same sockets, else to whatever
/// took the place.
void replace_lost_group(State& state, const std::vector<GroupKey>& before) {
    if (!state.group || std::ranges::find(state.order, *state.group) != state.order.end()) return;
    const auto kin =
        std::ranges::find_if(state.order, [&](const GroupKey& key) { return key.is_kin_of(*state.group); });
    const std::size_t place = index_of(before, [&](const GroupKey& key) { return key == *state.group; });
    if (kin != state.order.end())
        state.group = *kin;
    else if (state.view() == View::kGroups && !state.order.empty())
        state.group = state.order[std::min(place, state.order.size() - 1)];
    else if (state.view() == View::kGroups)
        state.group.reset();
}

void put_cursor(State& state, const Picture& picture, std::size_t index) {
    switch (state.view()) {
    case View::kGroups: state.group = state.order[index]; break;
    case View::kSockets: {
        const model::Socket& socket = picture.census->sockets[group_of(state, picture)->group.all[index]];
        state.socket = model::SocketKey{socket.netns, socket.cookie};
        break;
    }
    case View::kThreads: state.tid = threads_of(state, picture)[index]->tid; break;
    case View::kClosed: state.ended = picture.ended[index].number; break;
    case View::kHold:
    case View::kHelp: break;
    }
}

enum class Step : std::uint8_t { kLine, kPage, kAll };

void move(State& state, const Picture& picture, Step step, bool down) {
    const std::size_t far = step == Step::kLine   ? 1
                            : step == Step::kPage ? std::max<std::size_t>(state.page, 2) - 1
                                                  : std::numeric_limits<std::size_t>::max() / 2;
    if (!is_list(state.view())) {
        std::size_t& first = state.scrolled.back();
        first = down ? first + far : first - std::min(first, far);  // drawing limits it
        return;
    }
    const Cursor cursor = cursor_of(state, picture);
    if (cursor.rows == 0) return;
    state.still_until_ns = picture.now_ns + kStill;
    put_cursor(
        state, picture,
        down ? std::min(cursor.rows - 1, cursor.index + far) : cursor.index - std::min(cursor.index, far));
}

/// What is behind already is come back to: the way back stays as long as there are views.
void enter(State& state, View view) {
    const auto behind = std::ranges::find(state.path, view);
    if (behind != state.path.end()) {
        const auto views = static_cast<std::size_t>(behind - state.path.begin()) + 1;
        state.path.resize(views);
        state.scrolled.resize(views);
        return;
    }
    state.path.push_back(view);
    state.scrolled.push_back(0);
}

void leave(State& state) {
    if (state.path.size() == 1) {
        state.message = "q leaves waitclose";
        return;
    }
    state.path.pop_back();
    state.scrolled.pop_back();
}

void toggle(State& state, View view) {
    if (state.view() == view)
        leave(state);
    else
        enter(state, view);
}

void look_inside(State& state, const Picture& picture) {
    const GroupRow* row = group_of(state, picture);
    if (state.view() == View::kGroups) {
        if (!row || row->ended_ns || row->group.all.empty()) return;
        state.group = row->key;
        state.socket.reset();
        enter(state, View::kSockets);
        if (row->group.all.size() > 1) return;
        state.path.back() = View::kHold;  // a list of one row would only be in the way
        put_cursor(state, picture, 0);
        const model::Socket& only = picture.census->sockets[row->group.all.front()];
        state.socket = model::SocketKey{only.netns, only.cookie};
    } else if (state.view() == View::kSockets) {
        const Cursor cursor = cursor_of(state, picture);
        if (cursor.rows == 0) return;
        put_cursor(state, picture, cursor.index);
        enter(state, View::kHold);
    }
}

void open_threads(State& state, const Picture& picture) {
    if (state.view() == View::kThreads || state.view() == View::kClosed) return;
    if (!owner_of(state, picture)) {
        state.message = "nobody is known to own these sockets, so there are no threads to show";
        return;
    }
    if (const GroupRow* row = group_of(state, picture)) state.group = row->key;
    state.tid.reset();
    enter(state, View::kThreads);
}

void type(State& state, const Key& key) {
    if (key.kind == Key::Kind::kEscape)
        state.typing.reset();
    else if (key.kind == Key::Kind::kEnter)
        state.wish = Wish::kFilter;
    else
        state.typing->edit(key, kLongestFilter);
}

/// Before the first look there is nothing to choose from. Whoever types then should know.
bool comes_too_early(const Key& key, const Picture& picture) {
    if (picture.census) return false;
    switch (key.kind) {
    case Key::Kind::kCharacter: return key.text.size() == 1 && std::strchr("jkgGlhtcsw", key.text.front());
    case Key::Kind::kPasted:
    case Key::Kind::kEscape:
    case Key::Kind::kBackspace: return false;
    default: return true;
    }
}

void press_character(State& state, const std::string& text, const Picture& picture) {
    const char letter = text.size() == 1 ? text.front() : '\0';
    switch (letter) {
    case 'q':
        // Who leaves the help wants to go on; and what was traced would be lost.
        if (state.view() == View::kHelp)
            leave(state);
        else
            state.wish = Wish::kQuit;
        break;
    case 'w': state.wish = Wish::kWrite; break;
    case 'r': state.wish = Wish::kRecord; break;
    case 'j': move(state, picture, Step::kLine, true); break;
    case 'k': move(state, picture, Step::kLine, false); break;
    case 'g': move(state, picture, Step::kAll, false); break;
    case 'G': move(state, picture, Step::kAll, true); break;
    case 'l': look_inside(state, picture); break;
    case 'h': leave(state); break;
    case 't': open_threads(state, picture); break;
    case 'c': toggle(state, View::kClosed); break;
    case '?': toggle(state, View::kHelp); break;
    case '/': state.typing = Line::of(state.filter); break;
    case ' ': state.paused = !state.paused; break;
    case 's':
        if (state.view() != View::kGroups) break;
        state.sort = static_cast<Sort>((static_cast<int>(state.sort) + 1) % kSortCount);
        state.order = sorted(picture, state.sort);
        state.message = std::string("sorted by ") + name_of(state.sort);
        break;
    default: break;
    }
}

/// The rows stay where they are. New ones come last, but for those whose sockets had another cause before:
/// they take that row.
void keep_places(std::vector<GroupKey>& shown, std::vector<GroupKey> order) {
    using Keys = std::unordered_set<GroupKey, GroupKeyHash>;
    const Keys living(order.begin(), order.end());
    const Keys before(shown.begin(), shown.end());
    std::unordered_map<GroupKey, std::deque<std::size_t>, GroupKeyHash> free;  // places, by GroupKey::kin()
    for (std::size_t i = 0; i < shown.size(); ++i)
        if (!living.contains(shown[i])) free[shown[i].kin()].push_back(i);
    for (GroupKey& key : order) {
        if (before.contains(key)) continue;
        const auto places = free.find(key.kin());
        if (places == free.end() || places->second.empty()) {
            shown.push_back(std::move(key));
            continue;
        }
        shown[places->second.front()] = std::move(key);
        places->second.pop_front();
    }
    std::erase_if(shown, [&](const GroupKey& key) { return !living.contains(key); });
}

}  // namespace

State press(State state, const Key& key, const Picture& picture) {
    state.message.clear();
    state.message_is_error = false;
    if (state.typing) {
        type(state, key);
        return state;
    }
    if (state.view() == View::kGroups && comes_too_early(key, picture)) {
        state.message = "the first look is still being taken: press it again when it is here";
        return state;
    }
    switch (key.kind) {
    case Key::Kind::kCharacter: press_character(state, key.text, picture); break;
    case Key::Kind::kPasted:
        state.message = "what was pasted is ignored: only the filter (/) takes it";
        break;
    case Key::Kind::kEnter:
    case Key::Kind::kRight: look_inside(state, picture); break;
    case Key::Kind::kEscape:
    case Key::Kind::kBackspace:
    case Key::Kind::kLeft: leave(state); break;
    case Key::Kind::kUp: move(state, picture, Step::kLine, false); break;
    case Key::Kind::kDown: move(state, picture, Step::kLine, true); break;
    case Key::Kind::kPageUp: move(state, picture, Step::kPage, false); break;
    case Key::Kind::kPageDown: move(state, picture, Step::kPage, true); break;
    case Key::Kind::kHome: move(state, picture, Step::kAll, false); break;
    case Key::Kind::kEnd: move(state, picture, Step::kAll, true); break;
    default: break;
    }
    return state;
}

State follow(State state, const Picture& picture) {
    const std::vector<GroupKey> before = state.order;
    std::vector<GroupKey> order = sorted(picture, state.sort);
    if (picture.now_ns < state.still_until_ns) {
        keep_places(state.order, std::move(order));
    } else {
        state.order = std::move(order);
    }
    replace_lost_group(state, before);
    note_end(state, picture);
    return state;
}

void note_end(State& state, const Picture& picture) {
    // Two censuses can miss a socket that a third one finds.
    if (state.socket_end && !picture.gone.contains(state.socket_end->connection.key) &&
        find(picture, state.socket_end->connection.key))
        state.socket_end.reset();
    if (auto end = end_of(state, picture)) state.socket_end = std::move(end);
}

std::optional<HoldEnd> end_of(const State& state, const Picture& picture) {
    if (!state.socket) return std::nullopt;
    if (state.socket_end && state.socket_end->connection.key == *state.socket) return state.socket_end;
    if (const auto gone = picture.gone.find(*state.socket); gone != picture.gone.end()) return gone->second;
    const auto ended = std::ranges::find_if(
        picture.ended, [&](const Ended& one) { return one.closed.hold.connection.key == *state.socket; });
    if (ended == picture.ended.end()) return std::nullopt;
    const model::Closed& closed = ended->closed;
    return HoldEnd{closed.hold.connection, closed.held_ns, closed.left};
}

Cursor cursor_of(const State& state, const Picture& picture) {
    switch (state.view()) {
    case View::kGroups:
        return {
            index_of(state.order, [&](const GroupKey& key) { return state.group && key == *state.group; }),
            state.order.size()};
    case View::kSockets: {
        const GroupRow* row = group_of(state, picture);
        if (!row) return {};
        const auto is_it = [&](std::uint32_t index) {
            const model::Socket& socket = picture.census->sockets[index];
            return state.socket && socket.cookie == state.socket->cookie &&
                   socket.netns == state.socket->netns;
        };
        return {index_of(row->group.all, is_it), row->group.all.size()};
    }
    case View::kThreads: {
        const auto threads = threads_of(state, picture);
        return {index_of(threads,
                         [&](const model::Thread* thread) { return state.tid && thread->tid == *state.tid; }),
                threads.size()};
    }
    case View::kClosed:
        return {index_of(picture.ended,
                         [&](const Ended& ended) { return state.ended && ended.number == *state.ended; }),
                picture.ended.size()};
    case View::kHold:
    case View::kHelp: break;
    }
    return {};
}

const GroupRow* group_of(const State& state, const Picture& picture) {
    if (state.group) return find(picture, *state.group);
    return state.order.empty() ? nullptr : find(picture, state.order.front());
}

const model::Socket* socket_of(const State& state, const Picture& picture) {
    return state.socket ? find(picture, *state.socket) : nullptr;
}

const model::Process* owner_of(const State& state, const Picture& picture) {
    const GroupRow* row = group_of(state, picture);
    if (!row || !picture.census) return nullptr;
    if (row->group.owner_pid) return find_process(picture, *row->group.owner_pid);
    if (row->group.all.empty()) return nullptr;
    const auto holders = picture.census->holders_of(picture.census->sockets[row->group.oldest_socket]);
    return holders.empty() ? nullptr : &picture.census->process_of(holders.front());
}

const char* name_of(Sort sort) {
    switch (sort) {
    case Sort::kSockets: return "sockets";
    case Sort::kOldest: return "oldest";
    case Sort::kGrowth: return "growth";
    case Sort::kOwner: return "owner";
    case Sort::kCause: break;
    }
    return "cause";
}

}  // namespace waitclose::live
