// SPDX-License-Identifier: BSD-2-Clause
#include "output/headline.h"

#include <fmt/format.h>

#include <algorithm>

#include "output/escape.h"
#include "output/layout.h"

namespace waitclose::output {

namespace {

constexpr std::size_t kMargin = 2;
constexpr std::size_t kGap = 2;

/// Columns that the widest of one kind of cell takes.
template <typename Member>
std::size_t widest(const std::vector<Headline>& lines, Member member) {
    std::size_t columns = 0;
    for (const Headline& line : lines) columns = std::max(columns, display_width(line.*member));
    return columns;
}

}  // namespace

std::size_t HeadlineLayout::total() const {
    const std::size_t place_and_gap = place == 0 ? 0 : place + kGap;
    return kMargin + count + owner + cause + confidence + held + 4 * kGap + place_and_gap;
}

std::size_t HeadlineLayout::indent() const {
    return kMargin + count + kGap;
}

HeadlineLayout layout_of(const std::vector<Headline>& lines, std::size_t width) {
    constexpr std::size_t kLeastOwner = 8;
    HeadlineLayout layout{widest(lines, &Headline::count), widest(lines, &Headline::owner),
                          widest(lines, &Headline::cause), widest(lines, &Headline::confidence),
                          widest(lines, &Headline::place), widest(lines, &Headline::held)};
    const std::size_t held_briefly = widest(lines, &Headline::held_briefly);
    if (layout.total() > width) {
        layout.briefly = layout.total() - layout.held + held_briefly <= width;
        if (!layout.briefly) layout.place = 0;
    }
    if (layout.total() > width) layout.briefly = true;
    if (layout.briefly) layout.held = held_briefly;
    if (layout.total() > width && layout.owner > kLeastOwner) {
        layout.owner -= std::min(layout.total() - width, layout.owner - kLeastOwner);
    }
    return layout;
}

Paint paint_of(diagnose::Cause cause) {
    const bool harmless = cause == diagnose::Cause::kHalfOpen || cause == diagnose::Cause::kUnknown;
    return harmless ? Paint::kPlain : Paint::kAlarm;
}

std::string headline_text(const Headline& line, const HeadlineLayout& layout, const TextStyle& style) {
    const std::string gap(kGap, ' ');
    const std::string owner = fit(line.owner, layout.owner, style.charset);
    Line text(style);
    text.add(std::string(kMargin, ' '));
    text.add(pad(line.count, layout.count, Align::kRight), Paint::kBold).add(gap);
    text.add(pad(owner, layout.owner), Paint::kBold).add(gap);
    text.add(pad(line.cause, layout.cause), line.paint).add(gap);
    text.add(pad(line.confidence, layout.confidence)).add(gap);
    if (layout.place > 0) text.add(pad(line.place, layout.place)).add(gap);
    return text.add(layout.briefly ? line.held_briefly : line.held).text();
}

std::string place_text(const std::optional<std::uint16_t>& local_port,
                       const std::optional<std::string>& remote, const TextStyle& style) {
    if (remote) return fmt::format("{} {}", arrow(style), printable(*remote, style.charset));
    return local_port ? fmt::format("port {}", *local_port) : std::string();
}

std::string place_words(const std::optional<std::uint16_t>& local_port,
                        const std::optional<std::string>& remote, const TextStyle& style) {
    return remote ? "to " + printable(*remote, style.charset) : place_text(local_port, remote, style);
}

}  // namespace waitclose::output
