// SPDX-License-Identifier: BSD-2-Clause
#include "model/ledger.h"

#include <algorithm>

namespace waitclose::model {
namespace {

SocketKey key_of(const Socket& socket) {
    return {socket.netns, socket.cookie};
}

std::uint64_t span_ns(std::uint64_t from, std::uint64_t to) {
    return to > from ? to - from : 0;
}

}  // namespace

const Hold& Ledger::apply(const Entered& event) {
    ++totals_.entered;
    Hold& hold = holds_[event.connection.key];
    hold = Hold{};
    hold.connection = event.connection;
    hold.since_ns = event.at_ns;
    hold.seen_by = census_number_;
    hold.seen_ns = event.at_ns;
    in_order_.emplace_back(event.at_ns, event.connection.key);
    forget_told();
    return hold;
}

/// Whether this is the begin of an open hold that nobody was told of.
bool Ledger::is_untold(const std::pair<std::uint64_t, SocketKey>& begin) const {
    const auto found = holds_.find(begin.second);
    return found != holds_.end() && !found->second.told && found->second.since_ns == begin.first;
}

/// Nobody may ask for the untold ones for hours, or the first of them may be too young for as long.
void Ledger::forget_told() {
    constexpr std::size_t kWorthIt = 1'024;
    if (in_order_.size() <= 2 * holds_.size() + kWorthIt) return;
    std::erase_if(in_order_, [this](const auto& begin) { return !is_untold(begin); });
}

std::optional<Closed> Ledger::apply(const Left& event) {
    ++totals_.closed;
    if (census_begun_ns_) left_meanwhile_.insert(event.key);
    const auto found = holds_.find(event.key);
    if (found == holds_.end()) return std::nullopt;
    Closed closed{found->second, span_ns(found->second.since_ns, event.at_ns), event};
    holds_.erase(found);
    return closed;
}

void Ledger::begin_census(std::uint64_t now_ns) {
    census_begun_ns_ = now_ns;
    left_meanwhile_.clear();
}

std::vector<Closed> Ledger::reconcile(Census& census) {
    ++census_number_;
    std::erase_if(census.sockets,
                  [this](const Socket& socket) { return left_meanwhile_.contains(key_of(socket)); });
    for (Socket& socket : census.sockets) adopt(socket);
    auto closed = close_missing();
    census_begun_ns_ = 0;
    left_meanwhile_.clear();
    return closed;
}

void Ledger::adopt(Socket& socket) {
    const auto [place, is_new] = holds_.try_emplace(key_of(socket));
    Hold& hold = place->second;
    if (is_new) {
        hold.connection = {key_of(socket), socket.family, socket.local, socket.remote};
        hold.since_ns = socket.held_since_ns;
        hold.precision = Precision::kAtLeast;
        hold.consumed_before = socket.fin_consumed;
        in_order_.emplace_front(hold.since_ns, hold.connection.key);
        ++(census_number_ > 1 ? totals_.reconciled : totals_.already_open);
    }
    hold.seen_by = census_number_;
    hold.seen_ns = census_begun_ns_;
    socket.held_since_ns = hold.since_ns;
    socket.precision = hold.precision;
    socket.consumed_before = hold.consumed_before;
}

std::vector<Closed> Ledger::close_missing() {
    std::vector<Closed> closed;
    for (auto next = holds_.begin(); next != holds_.end();) {
        Hold& hold = next->second;
        if (hold.since_ns >= census_begun_ns_) hold.seen_by = census_number_;
        if (hold.seen_by + 1 >= census_number_) {
            ++next;
            continue;
        }
        // Its end was missed: it lasted at least until somebody saw it last.
        hold.precision = Precision::kAtLeast;
        closed.push_back({hold, span_ns(hold.since_ns, hold.seen_ns), std::nullopt});
        ++totals_.reconciled;
        next = holds_.erase(next);
    }
    return closed;
}

Hold* Ledger::find(const SocketKey& key) {
    const auto found = holds_.find(key);
    return found == holds_.end() ? nullptr : &found->second;
}

bool Ledger::has_untold(std::uint64_t now_ns, std::uint64_t min_held_ns) {
    while (!in_order_.empty() && !is_untold(in_order_.front())) in_order_.pop_front();
    return !in_order_.empty() && span_ns(in_order_.front().first, now_ns) >= min_held_ns;
}

}  // namespace waitclose::model
