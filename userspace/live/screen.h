// SPDX-License-Identifier: BSD-2-Clause
// A screen as cells: what the live view draws on, and what its tests read. Knows no terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "output/style.h"

namespace waitclose::live {

/// What a text is for; how that looks the terminal layer decides.
enum class Role : std::uint8_t {
    kPlain,
    kDim,      // labels, rules, what is of less interest
    kStrong,   // what the eye should find first
    kTitle,    // the first line, column titles
    kAlarm,    // a fault
    kWarning,  // not well, or not known
    kGood,
    kCpu,      // of a bar: it ran
    kReady,    // it could run, but had no CPU
    kBlocked,  // it waited for somebody or something
    kIdle,     // it waited for work
};

struct Size {
    std::size_t rows = 24;
    std::size_t columns = 80;

    bool operator==(const Size&) const = default;
};

/// One column of one row: a character with the marks that belong to it; "" behind a character of two columns.
struct Cell {
    std::string text = " ";
    Role role = Role::kPlain;
    bool selected = false;
    bool struck = false;
};

class Screen {
public:
    explicit Screen(Size size);

    Size size() const { return size_; }
    const Cell& at(std::size_t row, std::size_t column) const { return cells_[row * size_.columns + column]; }

    /// Writes printable text; what does not fit into `width` columns, or the row, ends with an ellipsis.
    /// Returns the column behind it. Rows below the last one swallow everything.
    std::size_t put(std::size_t row, std::size_t column, std::string_view text, Role role = Role::kPlain,
                    std::size_t width = kWhole);

    /// Marks a row as the one under the cursor; or its first columns as what has ended.
    void select(std::size_t row);
    void strike(std::size_t row, std::size_t columns = kWhole);

    void set_charset(output::Charset charset) { charset_ = charset; }

    static constexpr std::size_t kWhole = static_cast<std::size_t>(-1);

private:
    Cell& cell(std::size_t row, std::size_t column) { return cells_[row * size_.columns + column]; }

    Size size_;
    output::Charset charset_ = output::Charset::kUtf8;
    std::vector<Cell> cells_;
};

/// The rows as text, each ended by a newline, without blanks at their ends.
std::string text_of(const Screen& screen);

/// The same with a letter for the role of each cell that is not plain; the row under the cursor begins with
/// ">", one struck out with "x".
std::string roles_of(const Screen& screen);

}  // namespace waitclose::live
