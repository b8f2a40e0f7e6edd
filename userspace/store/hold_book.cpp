// SPDX-License-Identifier: BSD-2-Clause
#include "store/hold_book.h"

#include <utility>

namespace waitclose::store {
namespace {

constexpr std::string_view kMissed = "missed";  // beside the words of model::End

}  // namespace

bool HoldBook::prepare(Database& database, const HoldFilter& filter) {
    filter_ = filter;
    insert_ = database.prepare(
        "INSERT INTO holds (id, netns, cookie, family, local_address, local_port, remote_address, "
        "remote_port, since_ns, precision, entered_in, ended_ns, ended_by, error, closer, left_in) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    end_ = database.prepare(
        "UPDATE holds SET ended_ns = ?, ended_by = ?, error = ?, closer = ?, left_in = ? WHERE id = ?");
    return insert_ && end_;
}

void HoldBook::bind_end(Statement& statement, int& at, const model::Left& left, std::int64_t step,
                        Interner& interner) {
    statement.bind(at++, static_cast<std::int64_t>(left.at_ns));
    statement.bind_word(at++, word_of(left.end));
    if (left.end == model::End::kError || left.error != 0)
        statement.bind(at++, left.error);
    else
        statement.bind_null(at++);
    if (left.closer)
        statement.bind(at++, interner.actor(*left.closer));
    else
        statement.bind_null(at++);
    statement.bind(at++, step);
}

void HoldBook::insert(Hold& hold, Interner& interner, const model::Left* left, std::int64_t step) {
    const model::Connection& connection = hold.connection;
    hold.row = ++last_row_;
    int at = 1;
    insert_.bind(at++, hold.row);
    insert_.bind(at++, connection.key.netns);
    insert_.bind(at++, static_cast<std::int64_t>(connection.key.cookie));
    insert_.bind_word(at++, word_of(connection.family));
    insert_.bind(at++, interner.address(connection.family, connection.local));
    insert_.bind(at++, connection.local.port);
    insert_.bind(at++, interner.address(connection.family, connection.remote));
    insert_.bind(at++, connection.remote.port);
    if (hold.since_known)
        insert_.bind(at++, static_cast<std::int64_t>(hold.since_ns));
    else
        insert_.bind_null(at++);
    insert_.bind_word(at++, word_of(hold.entered_in ? model::Precision::kExact : model::Precision::kAtLeast));
    if (hold.entered_in)
        insert_.bind(at++, *hold.entered_in);
    else
        insert_.bind_null(at++);
    if (left)
        bind_end(insert_, at, *left, step, interner);
    else
        while (at <= 16) insert_.bind_null(at++);
    insert_.run();
}

void HoldBook::apply(const model::Entered& event, std::int64_t step) {
    missed(event.connection.key, event.at_ns);  // a second entry: the end of the first was lost
    open_[event.connection.key] = {event.connection, event.at_ns, step, true, 0, 0};
    young_.emplace_back(event.at_ns, event.connection.key);
}

void HoldBook::apply(const model::Left& event, std::int64_t step, Interner& interner) {
    const auto found = open_.find(event.key);
    Hold hold;
    if (found != open_.end()) {
        hold = found->second;
        open_.erase(found);
    } else {
        hold.connection.key = event.key;
        hold.since_known = false;
    }
    const bool long_enough = event.at_ns >= hold.since_ns + filter_.min_held_ns;
    const bool is_due = !filter_.seen_only && (hold.since_known ? long_enough : filter_.min_held_ns == 0);
    if (hold.row) {
        int at = 1;
        bind_end(end_, at, event, step, interner);
        end_.bind(at, hold.row);
        end_.run();
    } else if (is_due) {
        insert(hold, interner, &event, step);
    }
    if (in_look_)
        ended_in_look_[event.key] = {hold, event, step};  // the look may show it
    else if (!hold.row)
        ++dropped_;
}

void HoldBook::missed(const model::SocketKey& key, std::uint64_t ended_ns) {
    const auto found = open_.find(key);
    if (found == open_.end()) return;
    if (found->second.row) {
        end_.bind(1, static_cast<std::int64_t>(ended_ns));
        end_.bind_word(2, kMissed);
        for (int at = 3; at <= 5; ++at) end_.bind_null(at);
        end_.bind(6, found->second.row);
        end_.run();
    }
    open_.erase(found);
}

std::optional<std::int64_t> HoldBook::seen(const model::Socket& socket, Interner& interner) {
    const model::SocketKey key{socket.netns, socket.cookie};
    if (const auto ended = ended_in_look_.find(key); ended != ended_in_look_.end()) {
        Ended& one = ended->second;
        if (!one.hold.since_known) {
            one.hold.connection = {key, socket.family, socket.local, socket.remote};
            one.hold.since_ns = socket.held_since_ns;
            one.hold.since_known = true;
        }
        if (!one.hold.row) insert(one.hold, interner, &one.left, one.step);
        return one.hold.row;
    }
    auto [place, is_new] = open_.try_emplace(key);
    Hold& hold = place->second;
    if (is_new) {
        hold.connection = {key, socket.family, socket.local, socket.remote};
        hold.since_ns = socket.held_since_ns;
    }
    if (!hold.row) insert(hold, interner);
    return hold.row;
}

void HoldBook::look_ends() {
    for (const auto& [key, ended] : ended_in_look_)
        if (!ended.hold.row) ++dropped_;
    ended_in_look_.clear();
    in_look_ = false;
}

void HoldBook::write_due(std::uint64_t now_ns, Interner& interner) {
    if (filter_.seen_only) return young_.clear();
    for (; !young_.empty(); young_.pop_front()) {
        const auto& [since_ns, key] = young_.front();
        const auto found = open_.find(key);
        if (found == open_.end() || found->second.row || found->second.since_ns != since_ns) continue;
        if (now_ns < since_ns + filter_.min_held_ns) break;
        insert(found->second, interner);
    }
    // Behind one that lasts many may have ended.
    if (young_.size() > 2 * open_.size() + 10'000)
        std::erase_if(young_, [this](const auto& one) { return !open_.contains(one.second); });
}

std::optional<std::int64_t> HoldBook::judged(const model::SocketKey& key, std::uint64_t verdict) {
    const auto found = open_.find(key);
    if (found == open_.end() || !found->second.row) return std::nullopt;
    if (std::exchange(found->second.verdict, verdict) == verdict) return std::nullopt;
    return found->second.row;
}

}  // namespace waitclose::store
