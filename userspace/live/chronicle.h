// SPDX-License-Identifier: BSD-2-Clause
// Keeps the picture: takes up looks, ends of holds and the beats of a clock, and remembers how it was. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "diagnose/diagnoser.h"
#include "live/picture.h"

namespace waitclose::live {

/// Numbers over time.
class History {
public:
    void add(std::uint64_t at_ns, std::uint64_t count);
    /// There was nothing until then.
    void begin_empty(std::uint64_t at_ns);
    /// The growth is measured over the last minute, or over the last two numbers where they are further
    /// apart; over less than five seconds nothing is said. Where there was less than a minute, it goes on as
    /// it did in the slower half of the time; what came from nothing grew by that much, and no more.
    Trend trend() const;
    std::uint64_t last() const { return counts_.empty() ? 0 : counts_.back().second; }

private:
    double goes_on(std::uint64_t from_ns, std::uint64_t until_ns) const;
    double at(std::uint64_t at_ns) const;

    static constexpr std::size_t kMost = 120;
    std::deque<std::pair<std::uint64_t, std::uint64_t>> counts_;
    bool began_empty_ = false;
};

/// A census, sorted; or the one that is shown already, sorted anew.
struct Look {
    std::unique_ptr<model::Census> census;  // null: the one that is shown
    std::vector<diagnose::Group> groups;    // with their members
    std::uint64_t left_out = 0;
    std::set<std::uint32_t> listeners = {};               // those meant, into census.listeners
    std::unique_ptr<diagnose::Diagnoser> diagnoser = {};  // of the census; one is made where there is none
};

/// What the ledger counted so far.
struct Count {
    std::uint64_t open = 0;
    std::uint64_t entered = 0;
    std::uint64_t closed = 0;
};

class Chronicle {
public:
    /// Holds shorter than `min_held_ns` are counted, and not told of. `selective`: not all holds were asked
    /// for, so those counted are those of the groups. How many there were of others until now is no growth.
    void select(std::uint64_t min_held_ns, bool selective);

    /// Takes up a census. Every hold of it was told of with the fingerprint of its group (Hold::told).
    /// Returns the census before, if another one took its place: to free a large one takes time that somebody
    /// else may have.
    std::unique_ptr<model::Census> take(Look look);

    /// A hold has ended.
    void end(const model::Closed& closed);

    /// To be called about once a second.
    void beat(std::uint64_t now_ns, const Count& count);

    const Picture& picture() const { return picture_; }
    Picture& picture() { return picture_; }

private:
    static constexpr std::uint64_t kEndedGroupsStay = 10'000'000'000;
    static constexpr std::uint64_t kEndedHoldsStay = 60'000'000'000;
    static constexpr std::size_t kMostEnded = 1'000;

    std::vector<GroupRow> rows_of(std::vector<diagnose::Group> groups, bool sorted_anew);
    History& history_of(const GroupKey& key, std::uint64_t sockets, bool sorted_anew);
    std::uint64_t gone_of(const diagnose::Group& group) const;
    void begin(History& history, const GroupKey& key) const;
    void keep_ended(std::vector<GroupRow>& rows);
    void number_rows();

    std::unique_ptr<model::Census> census_;
    std::unique_ptr<diagnose::Diagnoser> diagnoser_;
    Picture picture_;
    std::unordered_map<std::uint64_t, History> histories_;   // of groups, by fingerprint
    std::unordered_map<std::uint64_t, std::size_t> row_of_;  // by fingerprint
    History history_;                                        // of all
    std::deque<std::pair<std::uint64_t, Count>> counts_;     // of the last seconds
    std::uint64_t number_ = 0;
    std::uint64_t min_held_ns_ = 0;
    bool selective_ = false;
    std::uint64_t taken_ns_ = 0;  // the census before
};

}  // namespace waitclose::live
