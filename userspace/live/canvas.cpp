// SPDX-License-Identifier: BSD-2-Clause
#include "live/canvas.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "model/units.h"
#include "output/escape.h"
#include "output/format.h"
#include "output/outlook.h"

namespace waitclose::live {

using output::Charset;

std::string Canvas::clean(std::string_view raw) const {
    return output::sentence(raw, style);
}

std::size_t put(Canvas& canvas, std::size_t row, std::size_t column, const Spans& spans) {
    for (const Span& span : spans) column = canvas.screen.put(row, column, span.text, span.role);
    return column;
}

void Text::add(std::string_view label, std::string_view text, Role role, std::size_t indent) {
    constexpr std::size_t kLeast = 20;
    const std::size_t left = 1 + kLabelWidth + indent;
    const std::size_t width = std::max(canvas_.width(), left + kLeast + 1) - left - 1;
    std::string head = " " + output::pad(label, kLabelWidth + indent);
    for (std::string& piece : output::wrap(text, width, 100, canvas_.style.charset)) {
        lines_.push_back({{head, Role::kDim}, {std::move(piece), role}});
        head.assign(left, ' ');
    }
}

void Text::line(std::string_view label, Spans spans) {
    spans.insert(spans.begin(), {" " + output::pad(label, kLabelWidth), Role::kDim});
    lines_.push_back(std::move(spans));
}

namespace {

/// There is more below than is shown; `row` is the last one.
void mark_more(Canvas& canvas, std::size_t row) {
    canvas.screen.put(row, canvas.width() - 1, canvas.ascii() ? "v" : "▼", Role::kDim);
}

}  // namespace

void Text::draw(Canvas& canvas, std::size_t row) const {
    const std::size_t room = canvas.bottom > row ? canvas.bottom - row : 0;
    const std::size_t most = lines_.size() > room ? lines_.size() - room : 0;
    canvas.page = room;
    canvas.scrolled = std::min(canvas.state.scrolled.back(), most);
    for (std::size_t i = 0; i < room && canvas.scrolled + i < lines_.size(); ++i)
        put(canvas, row + i, 0, lines_[canvas.scrolled + i]);
    const std::size_t edge = canvas.width() - 1;
    if (room > 1 && canvas.scrolled > 0) canvas.screen.put(row, edge, canvas.ascii() ? "^" : "▲", Role::kDim);
    if (room > 1 && canvas.scrolled < most) mark_more(canvas, canvas.bottom - 1);
}

void Text::draw_beginning(Canvas& canvas, std::size_t row) const {
    for (std::size_t i = 0; i < lines_.size() && row + i < canvas.bottom; ++i)
        put(canvas, row + i, 0, lines_[i]);
    if (row + lines_.size() > canvas.bottom && canvas.bottom > row) mark_more(canvas, canvas.bottom - 1);
}

namespace {

std::size_t first_row(std::size_t wished, std::size_t cursor, std::size_t count, std::size_t room) {
    if (room == 0 || count <= room) return 0;
    std::size_t first = std::min(wished, count - room);
    if (cursor < first) first = cursor;
    if (cursor >= first + room) first = cursor - room + 1;
    return first;
}

constexpr std::size_t kMargin = 2;  // for the mark of the cursor

/// Between columns.
std::size_t gap_of(const Canvas& canvas) {
    return canvas.narrow() ? 1 : 2;
}

std::vector<std::size_t> widths_of(const Canvas& canvas, const Rows& rows,
                                   const std::vector<RowCells>& shown) {
    std::vector<std::size_t> natural;
    for (std::size_t i = 0; i < rows.columns.size(); ++i) {
        std::size_t width = std::max(output::display_width(rows.columns[i].title), rows.columns[i].least);
        for (const RowCells& row : shown) width = std::max(width, output::display_width(row.cells[i].text));
        natural.push_back(width);
    }
    return output::shrink_to(canvas.width() - kMargin - 1, gap_of(canvas), rows.columns, std::move(natural));
}

void draw_row(Canvas& canvas, std::size_t row, const Rows& rows, const std::vector<std::size_t>& widths,
              const std::vector<Span>& cells) {
    std::size_t column = kMargin;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const output::Column& how = rows.columns[i];
        const std::string cell = output::fit(cells[i].text, widths[i], canvas.style.charset, how.cut);
        canvas.screen.put(row, column, output::pad(cell, widths[i], how.align), cells[i].role);
        column += widths[i] + gap_of(canvas);
    }
}

}  // namespace

std::size_t draw_rows(Canvas& canvas, std::size_t row, const Rows& rows,
                      const std::function<RowCells(std::size_t)>& cells_of) {
    const std::size_t room = canvas.bottom > row + 1 ? canvas.bottom - row - 1 : 0;
    canvas.page = room;
    canvas.scrolled = first_row(canvas.state.scrolled.back(), rows.cursor, rows.count, room);
    const std::size_t shown = std::min(room, rows.count - canvas.scrolled);
    std::vector<RowCells> lines;
    for (std::size_t i = 0; i < shown; ++i) lines.push_back(cells_of(canvas.scrolled + i));
    const auto widths = widths_of(canvas, rows, lines);
    std::vector<Span> titles;
    for (std::size_t i = 0; i < rows.columns.size(); ++i)
        titles.push_back({rows.columns[i].title, i == rows.sorted ? Role::kTitle : Role::kDim});
    draw_row(canvas, row, rows, widths, titles);
    // The last column says that it has ended, and stays readable.
    std::size_t last = kMargin;
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) last += widths[i] + gap_of(canvas);
    for (std::size_t i = 0; i < shown; ++i) {
        const std::size_t at = row + 1 + i;
        draw_row(canvas, at, rows, widths, lines[i].cells);
        if (lines[i].struck) canvas.screen.strike(at, last);
        if (canvas.scrolled + i != rows.cursor) continue;
        canvas.screen.put(at, 0, canvas.ascii() ? ">" : "▶", Role::kStrong);
        canvas.screen.select(at);
    }
    const std::size_t edge = canvas.width() - 1;
    if (shown > 0 && canvas.scrolled > 0)
        canvas.screen.put(row + 1, edge, canvas.ascii() ? "^" : "▲", Role::kDim);
    if (shown > 1 && canvas.scrolled + shown < rows.count) mark_more(canvas, row + shown);
    return row + 1 + shown;
}

std::string sparkline(const std::vector<std::uint64_t>& counts, std::size_t width, Charset charset) {
    static constexpr std::array<std::string_view, 8> kBlocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static constexpr std::array<std::string_view, 8> kPlain{"_", ".", "-", "~", "=", "+", "*", "#"};
    const auto& glyphs = charset == Charset::kAscii ? kPlain : kBlocks;
    if (counts.empty()) return {};
    const auto [least, most] = std::ranges::minmax_element(counts);
    // A change of few in a thousand is no mountain.
    const std::uint64_t range = std::max({*most - *least, *most / 500, std::uint64_t{1}});
    const std::size_t columns = std::min(width, counts.size());
    std::string text;
    for (std::size_t i = 1; i <= columns; ++i) {
        const std::uint64_t count = counts[i * counts.size() / columns - 1];  // the last of its part
        text += glyphs[static_cast<std::size_t>((count - *least) * (glyphs.size() - 1) / range)];
    }
    return text;
}

namespace {

std::string_view glyph_of(Role role, Charset charset) {
    const bool plain = charset == Charset::kAscii;
    switch (role) {
    case Role::kCpu: return plain ? "#" : "█";
    case Role::kReady: return plain ? "+" : "▓";
    case Role::kBlocked: return plain ? "x" : "▒";
    case Role::kIdle: return plain ? "." : "░";
    default: return plain ? "-" : "─";
    }
}

}  // namespace

Spans bar(const std::vector<Share>& shares, std::size_t width, Charset charset) {
    Spans spans;
    double until = 0;
    std::size_t drawn = 0;
    for (const Share& share : shares) {
        until += share.share;
        const auto end =
            std::min(width, static_cast<std::size_t>(std::lround(until * static_cast<double>(width))));
        std::string text;
        for (; drawn < end; ++drawn) text += glyph_of(share.role, charset);
        if (!text.empty()) spans.push_back({std::move(text), share.role});
    }
    return spans;
}

Spans legend(const std::vector<Share>& shares, Charset charset) {
    Spans spans;
    for (const Share& share : shares) {
        if (share.share < 0.005) continue;
        spans.push_back({std::string(glyph_of(share.role, charset)), share.role});
        spans.push_back({fmt::format(" {} {:.0f} %   ", share.label, share.share * 100)});
    }
    return spans;
}

namespace {

std::string change_text(double change) {
    const auto whole = static_cast<std::uint64_t>(std::llround(std::fabs(change)));
    return whole == 0 ? "0" : fmt::format("{}{}", change < 0 ? "-" : "+", output::count_text(whole));
}

}  // namespace

std::string growth_text(const Gain& gain) {
    if (gain.over_ns >= model::kMinute) return change_text(gain.change) + "/min";
    return fmt::format("{} in {} s", change_text(gain.change), gain.over_ns / model::kSecond);
}

std::string growth_cell(const Gain& gain) {
    if (gain.over_ns >= model::kMinute) return change_text(gain.change);
    return fmt::format("{}/{}s", change_text(gain.change), gain.over_ns / model::kSecond);
}

std::string_view growth_sign(const Gain& gain, Charset charset) {
    const bool plain = charset == Charset::kAscii;
    if (std::fabs(gain.change) < 0.5) return "=";
    if (gain.change > 0) return plain ? "^" : "▲";
    return plain ? "v" : "▼";
}

Role growth_role(const Gain& gain) {
    if (std::fabs(gain.change) < 0.5) return Role::kPlain;
    if (gain.change < 0) return Role::kGood;
    return gain.lasts ? Role::kAlarm : Role::kWarning;
}

}  // namespace waitclose::live
