// SPDX-License-Identifier: BSD-2-Clause
// What all views draw with: labelled text, columns, sparklines, bars.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "live/screen.h"
#include "live/state.h"
#include "output/layout.h"
#include "output/style.h"
#include "output/table.h"

namespace waitclose::live {

/// A screen being drawn. `bottom` is the first row that views may not use.
struct Canvas {
    Screen& screen;
    const Picture& picture;
    const State& state;
    output::TextStyle style;  // without colour: roles are for that
    std::size_t bottom;
    std::size_t scrolled = 0;  // out: the first row shown
    std::size_t page = 1;      // out: rows that there is room for

    std::size_t width() const { return screen.size().columns; }
    bool ascii() const { return style.ascii(); }
    /// Too few columns for what can be done without.
    bool narrow() const { return width() < 100; }
    /// Made harmless, in the character set of the screen.
    std::string clean(std::string_view raw) const;
};

/// Text with a role, part of a line.
struct Span {
    std::string text;
    Role role = Role::kPlain;
};
using Spans = std::vector<Span>;

/// Puts the spans one behind the other. Returns the column behind them.
std::size_t put(Canvas& canvas, std::size_t row, std::size_t column, const Spans& spans);

/// Lines that are drawn as far as there is room, from where the user has scrolled to.
class Text {
public:
    explicit Text(const Canvas& canvas) : canvas_(canvas) {}

    /// Wrapped beside its label; without a label it goes on under the one before.
    void add(std::string_view label, std::string_view text, Role role = Role::kPlain, std::size_t indent = 0);
    /// One line, cut off where it is too long.
    void line(std::string_view label, Spans spans);
    void gap() { lines_.emplace_back(); }
    std::size_t size() const { return lines_.size(); }

    /// Draws and sets what the canvas says of scrolling; a mark shows where there is more.
    void draw(Canvas& canvas, std::size_t row) const;
    /// Draws what there is room for, without scrolling.
    void draw_beginning(Canvas& canvas, std::size_t row) const;

private:
    const Canvas& canvas_;
    std::vector<Spans> lines_;
};

inline constexpr std::size_t kLabelWidth = 11;

/// Rows of cells under their titles, the cursor's among them wherever it is.
struct Rows {
    std::vector<output::Column> columns;
    std::size_t count = 0;
    std::size_t cursor = 0;
    std::size_t sorted = Screen::kWhole;  // the column that gives the order
};

struct RowCells {
    std::vector<Span> cells;
    bool struck = false;
};

/// Draws the rows there is room for; `cells_of` makes one of them. Returns the row behind.
std::size_t draw_rows(Canvas& canvas, std::size_t row, const Rows& rows,
                      const std::function<RowCells(std::size_t)>& cells_of);

/// "▁▂▄█": how the counts went, in at most `width` columns, from the least to the greatest.
std::string sparkline(const std::vector<std::uint64_t>& counts, std::size_t width, output::Charset charset);

/// One part of a bar.
struct Share {
    double share = 0;  // of 1
    Role role = Role::kPlain;
    std::string label;
};

/// The shares as a bar of `width` columns, each with a glyph of its own so that it reads without colour.
Spans bar(const std::vector<Share>& shares, std::size_t width, output::Charset charset);
/// "CPU 12 %  lock 80 %", each behind its glyph.
Spans legend(const std::vector<Share>& shares, output::Charset charset);

/// "+1,240/min", and where less than a minute was watched "+413 in 20 s"; under the title "/MIN" of a narrow
/// column "+1,240" and "+413/20s".
std::string growth_text(const Gain& gain);
std::string growth_cell(const Gain& gain);
/// Its sign: "▲", "▼" or "=".
std::string_view growth_sign(const Gain& gain, output::Charset charset);
/// Alarming where it goes on.
Role growth_role(const Gain& gain);

}  // namespace waitclose::live
