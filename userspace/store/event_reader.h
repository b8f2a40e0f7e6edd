// SPDX-License-Identifier: BSD-2-Clause
// Tells the events of a recording again in the order in which they were told. The file is hostile.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "store/dictionary.h"
#include "store/recording.h"

namespace waitclose::store {

class EventReader {
public:
    /// False when a table or a column is missing, or when it is damaged already here.
    bool prepare(Database& database, Dictionary& dictionary);

    /// Tells all that came before `step` is over (schema.md). False when the file is damaged.
    bool tell_through(std::int64_t step, Player& player);

    std::uint64_t rows() const { return rows_; }

private:
    /// When in the order of looks, and within that when by the clock. The smallest of all streams is next.
    struct When {
        std::int64_t step = 0;
        std::uint64_t at_ns = 0;
        auto operator<=>(const When&) const = default;
    };
    /// The begin or the end of a hold.
    struct Mark {
        std::uint64_t at_ns = 0;
        std::uint32_t step = 0;
        std::uint32_t row = 0;  // twice the row; odd: the end
    };

    bool read_marks(Database& database);
    bool tell_mark(const Mark& mark, Player& player);
    bool tell_entered(Player& player);
    bool tell_left(Player& player, const Mark& mark);
    bool tell_transition(Player& player);
    bool tell_losses(Player& player);
    bool advance(Statement& statement, std::optional<When>& when, int step_at, int time_at);
    bool read_connection(const Statement& row, int at, model::Connection& connection);

    Dictionary* dictionary_ = nullptr;
    std::vector<Mark> marks_;  // in order
    std::size_t next_mark_ = 0;
    Statement holds_;
    Statement transitions_;
    Statement losses_;
    std::optional<When> next_transition_;
    std::optional<When> next_losses_;
    std::uint64_t rows_ = 0;
};

}  // namespace waitclose::store
