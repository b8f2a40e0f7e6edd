// SPDX-License-Identifier: BSD-2-Clause
// Keeps the picture: takes up looks, ends of holds and the beats of a clock, and remembers how it was. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "diagnose/diagnoser.h"
#include "live/history.h"
#include "live/picture.h"

namespace waitclose::live {

/// A census, sorted; or the one that is shown already, sorted anew.
struct Look {
    std::unique_ptr<model::Census> census;  // null: the one that is shown
    std::vector<diagnose::Group> groups;    // with their members
    std::uint64_t left_out = 0;
    std::vector<diagnose::Group> others = {};  // of sockets that only the filter leaves out; no members
    std::set<std::uint32_t> listeners = {};    // those meant, into census.listeners
    std::unique_ptr<diagnose::Diagnoser> diagnoser = {};  // of the census; one is made where there is none
    std::uint64_t filter = 0;                             // Shown::filter, by which it was sorted
};

/// What the ledger counted so far.
struct Count {
    std::uint64_t open = 0;
    std::uint64_t entered = 0;
    std::uint64_t closed = 0;
};

/// What is shown of all that was looked at.
struct Shown {
    std::uint64_t min_held_ns = 0;  // shorter holds are counted, and not told of
    bool by_holder = false;         // asked for by who holds them: what no look has seen is not told of
    std::function<bool(const Ended&)> passes = {};  // the filter; empty: there is none
    std::uint64_t filter = 0;                       // which filter that is: counts up

    /// Not all holds were asked for, so those counted are those of the groups.
    bool is_selective() const { return by_holder || passes; }
};

class Chronicle {
public:
    /// How many there were of others until now is no growth. Of what ended lately, all is kept, and shown
    /// when it passes.
    void select(Shown shown);

    /// Takes up a census. Every hold of it was told of with the fingerprint of its group (Hold::told), or
    /// with that of what is left out of it. Returns the census before, if another one took its place: to free
    /// a large one takes time that somebody else may have.
    std::unique_ptr<model::Census> take(Look look);

    /// A hold has ended.
    void end(const model::Closed& closed);
    /// Others have ended until then, of which nothing is known.
    void end_unknown(std::uint64_t until_ns);

    /// How many are open by now, in between.
    void recount(std::uint64_t open);
    /// To be called about once a second.
    void beat(std::uint64_t now_ns, const Count& count);

    const Picture& picture() const { return picture_; }
    Picture& picture() { return picture_; }

private:
    static constexpr std::uint64_t kEndedGroupsStay = 10'000'000'000;
    static constexpr std::uint64_t kEndedHoldsStay = 60'000'000'000;
    static constexpr std::size_t kMostEnded = 1'000;  // shown
    static constexpr std::size_t kMostKept = 5'000;

    std::vector<GroupRow> rows_of(std::vector<diagnose::Group> groups, bool sorted_anew);
    void note_others(const std::vector<diagnose::Group>& others);
    void show(const Ended& ended);
    void keep(Ended ended);
    void forget_old();
    bool is_shown(const Ended& ended, bool has_row, bool is_left_out) const;
    void add_holders(Ended& ended) const;
    History& history_of(const GroupKey& key, std::uint64_t sockets, bool sorted_anew);
    std::uint64_t gone_of(const diagnose::Group& group) const;
    void begin(History& history, const GroupKey& key);
    void find_kin();
    void keep_ended(std::vector<GroupRow>& rows);
    void number_rows();

    std::unique_ptr<model::Census> census_;
    std::unique_ptr<diagnose::Diagnoser> diagnoser_;
    Picture picture_;
    std::unordered_map<std::uint64_t, History> histories_;   // of groups, by fingerprint
    std::unordered_map<std::uint64_t, std::size_t> row_of_;  // by fingerprint
    std::unordered_map<std::uint64_t, Ended> others_;        // what is known of the end of a hold left out
    std::unordered_set<std::uint64_t> living_;               // groups of the look being taken up
    // Rows of the look before that had not ended, by GroupKey::kin().
    std::unordered_map<GroupKey, std::vector<std::size_t>, GroupKeyHash> kin_;
    std::unordered_set<std::uint64_t> inherited_;  // whose history another one went on with
    std::deque<Ended> ended_;                      // also those that are not shown
    std::deque<std::pair<std::uint64_t, std::uint64_t>> ended_by_second_;  // second, those that are shown
    std::uint64_t unkept_ns_ = 0;     // of the last end that is not kept any more
    std::uint64_t uncounted_ns_ = 0;  // of the last one that is not in ended_by_second_, and may belong there
    std::unordered_map<std::uint32_t, std::uint32_t> process_of_;  // into census.processes, by pid
    std::uint64_t sorted_by_ = 0;                                  // the filter of the look
    History machine_;
    History selected_;                                    // since it was
    std::deque<std::pair<std::uint64_t, Count>> counts_;  // of the last seconds
    std::uint64_t number_ = 0;
    Shown shown_;
    std::uint64_t begun_ns_ = 0;  // the first census
    std::uint64_t taken_ns_ = 0;  // the census before
};

}  // namespace waitclose::live
