// SPDX-License-Identifier: BSD-2-Clause
#include "store/event_reader.h"

#include <algorithm>
#include <limits>

#include "store/words.h"

namespace waitclose::store {
namespace {

constexpr std::int64_t kMostSteps = std::numeric_limits<std::uint32_t>::max();
constexpr std::int64_t kMostRows = std::numeric_limits<std::uint32_t>::max() / 2;

template <typename Number>
bool take(const Statement& row, int at, Number& number) {
    if (!row.is_integer(at)) return false;
    const std::int64_t found = row.integer(at);
    if constexpr (sizeof(Number) < sizeof(found))
        if (found < std::numeric_limits<Number>::min() || found > std::numeric_limits<Number>::max())
            return false;
    number = static_cast<Number>(found);
    return true;
}

template <typename Enum>
bool take_word(const Statement& row, int at, Enum& value) {
    const auto word = row.bytes(at);
    const auto found = word ? value_of<Enum>(*word) : std::nullopt;
    if (found) value = *found;
    return found.has_value();
}

}  // namespace

bool EventReader::prepare(Database& database, Dictionary& dictionary) {
    dictionary_ = &dictionary;
    holds_ = database.prepare(
        "SELECT netns, cookie, family, local_address, local_port, remote_address, remote_port, ended_by, "
        "error, "
        "closer FROM holds WHERE id = ?");
    transitions_ = database.prepare(
        "SELECT netns, cookie, family, local_address, local_port, remote_address, remote_port, from_state, "
        "to_state, seen_in, at_ns FROM transitions ORDER BY id");
    losses_ = database.prepare("SELECT ring, storage, reconciled, seen_in, at_ns FROM losses ORDER BY id");
    return holds_ && transitions_ && losses_ && read_marks(database) &&
           advance(transitions_, next_transition_, 9, 10) && advance(losses_, next_losses_, 3, 4);
}

/// Holds are written when it is known that they are worth it, so their rows are in no order that would help.
bool EventReader::read_marks(Database& database) {
    Statement rows = database.prepare("SELECT id, entered_in, since_ns, left_in, ended_ns FROM holds");
    if (!rows) return false;
    while (rows.step() == Statement::Step::kRow) {
        const std::int64_t id = rows.integer(0);
        if (id < 1 || id > kMostRows) return false;
        for (const int at : {1, 3}) {
            if (rows.is_null(at)) continue;  // no event told of it
            const std::int64_t step = rows.integer(at);
            if (!rows.is_integer(at) || !rows.is_integer(at + 1) || step < 0 || step > kMostSteps)
                return false;
            marks_.push_back({static_cast<std::uint64_t>(rows.integer(at + 1)),
                              static_cast<std::uint32_t>(step),
                              static_cast<std::uint32_t>(id) * 2 + (at == 3)});
        }
    }
    std::ranges::sort(marks_, [](const Mark& one, const Mark& other) {
        return std::tuple(one.step, one.at_ns, one.row) < std::tuple(other.step, other.at_ns, other.row);
    });
    return !rows.failed();
}

bool EventReader::advance(Statement& statement, std::optional<When>& when, int step_at, int time_at) {
    const std::int64_t before = when ? when->step : 0;
    when.reset();
    if (statement.step() != Statement::Step::kRow) return !statement.failed();
    ++rows_;
    When next;
    if (!take(statement, step_at, next.step) || !take(statement, time_at, next.at_ns) || next.step < before)
        return false;
    when = next;
    return true;
}

bool EventReader::tell_through(std::int64_t step, Player& player) {
    for (;;) {
        std::optional<When> mark;
        if (next_mark_ < marks_.size()) mark = {marks_[next_mark_].step, marks_[next_mark_].at_ns};
        std::optional<When> first;
        for (const auto& one : {mark, next_transition_, next_losses_})
            if (one && (!first || *one < *first)) first = one;
        if (!first || first->step > step) return true;
        bool good = true;
        if (mark == first)
            good = tell_mark(marks_[next_mark_++], player);
        else if (next_transition_ == first)
            good = tell_transition(player) && advance(transitions_, next_transition_, 9, 10);
        else
            good = tell_losses(player) && advance(losses_, next_losses_, 3, 4);
        if (!good) return false;
    }
}

bool EventReader::read_connection(const Statement& row, int at, model::Connection& connection) {
    std::int64_t local = 0;
    std::int64_t remote = 0;
    return take(row, at, connection.key.netns) && take(row, at + 1, connection.key.cookie) &&
           take_word(row, at + 2, connection.family) && take(row, at + 3, local) &&
           take(row, at + 4, connection.local.port) && take(row, at + 5, remote) &&
           take(row, at + 6, connection.remote.port) &&
           dictionary_->address(local, connection.family, connection.local) &&
           dictionary_->address(remote, connection.family, connection.remote);
}

bool EventReader::tell_mark(const Mark& mark, Player& player) {
    ++rows_;
    holds_.reset();
    holds_.bind(1, mark.row / 2);
    if (holds_.step() != Statement::Step::kRow) return false;
    if (mark.row % 2) return tell_left(player, mark);
    model::Entered event{mark.at_ns, {}};
    if (!read_connection(holds_, 0, event.connection)) return false;
    player.on(event);
    return true;
}

bool EventReader::tell_left(Player& player, const Mark& mark) {
    model::Left event;
    event.at_ns = mark.at_ns;
    if (!take(holds_, 0, event.key.netns) || !take(holds_, 1, event.key.cookie) ||
        !take_word(holds_, 7, event.end))
        return false;
    if (!holds_.is_null(8) && !take(holds_, 8, event.error)) return false;
    if (!holds_.is_null(9) &&
        (!holds_.is_integer(9) || !dictionary_->actor(holds_.integer(9), event.closer.emplace())))
        return false;
    player.on(event);
    return true;
}

bool EventReader::tell_transition(Player& player) {
    model::Transition event;
    event.at_ns = next_transition_->at_ns;
    if (!read_connection(transitions_, 0, event.connection) || !take_word(transitions_, 7, event.from) ||
        !take_word(transitions_, 8, event.to))
        return false;
    player.on(event);
    return true;
}

bool EventReader::tell_losses(Player& player) {
    model::Losses so_far;
    if (!take(losses_, 0, so_far.ring) || !take(losses_, 1, so_far.storage) ||
        !take(losses_, 2, so_far.reconciled))
        return false;
    player.losses(next_losses_->at_ns, so_far);
    return true;
}

}  // namespace waitclose::store
