// SPDX-License-Identifier: BSD-2-Clause
// Writes holds: one row each, when it has lasted long enough, when a look shows it, or when it has ended.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>

#include "model/census.h"
#include "model/events.h"
#include "store/interner.h"
#include "store/look_writer.h"

namespace waitclose::store {

/// Which holds are worth a row.
struct HoldFilter {
    std::uint64_t min_held_ns = 0;  // shorter ones are not, unless a look shows them
    bool seen_only = false;         // only those that a look shows: before it, nobody knows whose they are
};

class HoldBook {
public:
    /// False when a statement cannot be prepared.
    bool prepare(Database& database, const HoldFilter& filter);

    /// `step` is where in the order of looks an event was told: see schema.md.
    void apply(const model::Entered& event, std::int64_t step);
    void apply(const model::Left& event, std::int64_t step, Interner& interner);
    /// The end itself was missed, and a census found the hold gone.
    void missed(const model::SocketKey& key, std::uint64_t ended_ns);

    void look_begins() { in_look_ = true; }
    /// The row of the hold of a socket that a look shows; written now if it was not yet.
    std::optional<std::int64_t> seen(const model::Socket& socket, Interner& interner);
    /// What ended during the look and was not seen by it is dropped if it is not worth a row.
    void look_ends();

    /// Writes the holds that have lasted long enough.
    void write_due(std::uint64_t now_ns, Interner& interner);

    /// The row of an open hold, if it has one and this verdict is not the one that it was given last.
    std::optional<std::int64_t> judged(const model::SocketKey& key, std::uint64_t verdict);

    std::uint64_t dropped() const { return dropped_; }
    std::size_t open() const { return open_.size(); }

private:
    struct Hold {
        model::Connection connection;
        std::uint64_t since_ns = 0;
        std::optional<std::int64_t> entered_in;  // nothing: no event told of its begin
        bool since_known = true;
        std::int64_t row = 0;       // 0: not written
        std::uint64_t verdict = 0;  // given last
    };
    struct Ended {
        Hold hold;
        model::Left left;
        std::int64_t step = 0;
    };

    void insert(Hold& hold, Interner& interner, const model::Left* left = nullptr, std::int64_t step = 0);
    void bind_end(Statement& statement, int& at, const model::Left& left, std::int64_t step,
                  Interner& interner);

    HoldFilter filter_;
    std::unordered_map<model::SocketKey, Hold, model::SocketKeyHash> open_;
    std::deque<std::pair<std::uint64_t, model::SocketKey>>
        young_;  // by begin; those ended or written included
    std::unordered_map<model::SocketKey, Ended, model::SocketKeyHash> ended_in_look_;
    bool in_look_ = false;
    std::int64_t last_row_ = 0;
    std::uint64_t dropped_ = 0;
    Statement insert_;
    Statement end_;
};

}  // namespace waitclose::store
