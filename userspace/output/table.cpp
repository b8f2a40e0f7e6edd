// SPDX-License-Identifier: BSD-2-Clause
#include "output/table.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

namespace waitclose::output {

namespace {

constexpr std::size_t kRowsToLearnFrom = 1000;

/// What the `shown` columns take when all that may shrink has.
std::size_t least_total(const std::vector<std::size_t>& shown, std::size_t gap,
                        const std::vector<Column>& columns, const std::vector<std::size_t>& natural) {
    std::size_t total = gap * (shown.size() - 1);
    for (const std::size_t i : shown) total += columns[i].whole ? natural[i] : columns[i].least;
    return total;
}

}  // namespace

std::vector<std::size_t> shrink_to(std::size_t available, std::size_t gap, const std::vector<Column>& columns,
                                   std::vector<std::size_t> natural) {
    const std::size_t gaps = gap * (columns.size() - 1);
    std::size_t total = std::accumulate(natural.begin(), natural.end(), gaps);
    while (total > available) {
        std::size_t widest = columns.size();
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const bool may = natural[i] > columns[i].least;
            if (may && (widest == columns.size() || natural[i] > natural[widest])) widest = i;
        }
        if (widest == columns.size()) break;
        --natural[widest];
        --total;
    }
    return natural;
}

std::vector<std::size_t> columns_within(std::size_t available, std::size_t gap,
                                        const std::vector<Column>& columns,
                                        const std::vector<std::size_t>& natural) {
    std::vector<std::size_t> shown(columns.size());
    std::iota(shown.begin(), shown.end(), 0);
    while (least_total(shown, gap, columns, natural) > available) {
        const auto next =
            std::ranges::max_element(shown, {}, [&](std::size_t i) { return columns[i].dispensable; });
        if (columns[*next].dispensable == 0) break;
        shown.erase(next);
    }
    return shown;
}

Table::Table(Sink& sink, std::vector<Column> columns, const TextStyle& style)
    : sink_(sink), columns_(std::move(columns)), style_(style), shown_(columns_.size()) {
    std::iota(shown_.begin(), shown_.end(), 0);
}

void Table::add(std::vector<std::string> row) {
    if (!widths_.empty()) {
        print(row, false);
        return;
    }
    kept_.push_back(std::move(row));
    if (kept_.size() == kRowsToLearnFrom) settle();
}

void Table::finish() {
    if (widths_.empty() && !kept_.empty()) settle();
}

void Table::settle() {
    std::vector<std::string> titles;
    std::vector<std::size_t> natural;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        titles.push_back(columns_[i].title);
        std::size_t width = std::max(display_width(titles[i]), columns_[i].least);
        for (const auto& row : kept_) width = std::max(width, display_width(row[i]));
        natural.push_back(width);
    }
    if (style_.cut_tables) {
        const std::size_t gaps = gap_ * (columns_.size() - 1);
        if (std::accumulate(natural.begin(), natural.end(), gaps) > style_.width) gap_ = 1;
        leave_out(natural);
        natural = shrink_to(style_.width, gap_, columns_, std::move(natural));
    }
    widths_ = std::move(natural);
    print(titles, true);
    for (const auto& row : std::exchange(kept_, {})) print(row, false);
}

/// Keeps the columns there is room for. Those that are to stay whole are cut only if that is not enough.
void Table::leave_out(std::vector<std::size_t>& natural) {
    shown_ = columns_within(style_.width, gap_, columns_, natural);
    const bool fits = least_total(shown_, gap_, columns_, natural) <= style_.width;
    std::vector<Column> columns;
    std::vector<std::size_t> widths;
    for (const std::size_t i : shown_) {
        Column& column = columns.emplace_back(std::move(columns_[i]));
        if (column.whole && fits) column.least = natural[i];
        widths.push_back(natural[i]);
    }
    columns_ = std::move(columns);
    natural = std::move(widths);
}

void Table::print(const std::vector<std::string>& row, bool is_title) {
    Line line(style_, style_.cut_tables ? style_.width : std::numeric_limits<std::size_t>::max());
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        const Column& column = columns_[i];
        const std::string& text = row[shown_[i]];
        const bool last = i + 1 == columns_.size();
        std::string cell = style_.cut_tables ? fit(text, widths_[i], style_.charset, column.cut) : text;
        if (!last || column.align == Align::kRight) cell = pad(cell, widths_[i], column.align);
        line.add(cell, is_title ? Paint::kDim : column.paint);
        if (!last) line.add(std::string(gap_, ' '));
    }
    sink_.write(line.text() + "\n");
}

}  // namespace waitclose::output
