// SPDX-License-Identifier: BSD-2-Clause
// A table of any length whose columns fit the terminal, written while its rows are made.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "output/layout.h"
#include "output/sink.h"
#include "output/style.h"

namespace waitclose::output {

struct Column {
    std::string title;
    Align align = Align::kLeft;
    Cut cut = Cut::kEnd;
    std::size_t least = 3;  // columns it takes in any case
    Paint paint = Paint::kPlain;
    bool whole = false;            // cut only when leaving out others does not help
    std::uint8_t dispensable = 0;  // left out where the terminal is too narrow, the greatest first; 0: never
};

/// Which of the columns there is room for, where the contents have the `natural` widths: as indices, in
/// order.
std::vector<std::size_t> columns_within(std::size_t available, std::size_t gap,
                                        const std::vector<Column>& columns,
                                        const std::vector<std::size_t>& natural);

/// Widths for columns whose contents have the `natural` widths: while they and the gaps take more than
/// `available`, the widest that may still shrink gives way.
std::vector<std::size_t> shrink_to(std::size_t available, std::size_t gap, const std::vector<Column>& columns,
                                   std::vector<std::size_t> natural);

/// The first rows are kept back to learn how wide the columns are; from then on each row is written at once.
class Table {
public:
    Table(Sink& sink, std::vector<Column> columns, const TextStyle& style);

    /// One printable text a column.
    void add(std::vector<std::string> row);

    /// Writes what is kept back. Without a row not even the titles are written.
    void finish();

private:
    void settle();
    void leave_out(std::vector<std::size_t>& natural);
    void print(const std::vector<std::string>& row, bool is_title);

    Sink& sink_;
    std::vector<Column> columns_;
    TextStyle style_;
    std::vector<std::size_t> shown_;  // the columns, as indices into a row
    std::vector<std::vector<std::string>> kept_;
    std::vector<std::size_t> widths_;  // empty until settled
    std::size_t gap_ = 2;              // between columns; 1 where the terminal is narrow
};

}  // namespace waitclose::output
