// SPDX-License-Identifier: BSD-2-Clause
// The groups, and below them the story of the one under the cursor.
#include <algorithm>

#include <fmt/format.h>

#include "diagnose/families.h"
#include "live/views.h"
#include "model/units.h"
#include "output/escape.h"
#include "output/format.h"
#include "output/labels.h"

namespace waitclose::live {

namespace {

constexpr std::size_t kRowsWithStory = 16;  // fewer rows, and the list takes them all
constexpr std::size_t kWithSparklines = 110;

Span trend_cell(const Canvas& canvas, const GroupRow& row) {
    if (row.ended_ns) {
        const std::uint64_t ago = canvas.picture.now_ns - std::min(canvas.picture.now_ns, *row.ended_ns);
        return {ago < model::kSecond ? "just ended" : fmt::format("ended {} s ago", ago / model::kSecond),
                Role::kGood};
    }
    if (!row.trend.gain) return {"-", Role::kDim};
    const Gain& growth = *row.trend.gain;
    if (canvas.narrow()) return {growth_cell(growth), growth_role(growth)};
    const std::string line =
        canvas.width() >= kWithSparklines ? "  " + sparkline(row.trend.counts, 24, canvas.style.charset) : "";
    return {fmt::format("{} {}{}", growth_sign(growth, canvas.style.charset), growth_text(growth), line),
            growth_role(growth)};
}

/// Whose holds are all young is not diagnosed yet: a moment later it may be.
bool is_early(const Canvas& canvas, const GroupRow& row) {
    if (row.key.cause != diagnose::Cause::kUnknown || row.ended_ns || row.group.all.empty()) return false;
    return held_ns(canvas.picture, canvas.picture.census->sockets[row.group.oldest_socket]) <
           diagnose::kMayAnswerNs;
}

std::string cause_cell(const Canvas& canvas, const GroupRow& row) {
    return is_early(canvas, row) ? "unknown yet" : std::string(diagnose::id_of(row.key.cause));
}

RowCells cells_of(const Canvas& canvas, const GroupRow& row) {
    const bool ended = row.ended_ns.has_value();
    const auto role = [ended](Role living) { return ended ? Role::kDim : living; };
    const model::Socket* oldest =
        ended || row.group.all.empty() ? nullptr : &canvas.picture.census->sockets[row.group.oldest_socket];
    const std::string held =
        oldest ? output::held_cell(held_ns(canvas.picture, *oldest), oldest->precision, canvas.style) : "-";
    return {{{output::count_text(ended ? 0 : row.sockets()), role(Role::kStrong)},
             {owner_text(canvas, row), role(Role::kStrong)},
             {cause_cell(canvas, row), role(role_of(row.key.cause, row.group.confidence))},
             {sure_cell(row.key.cause, row.group.confidence), role(Role::kPlain)},
             {place_text(canvas, row.key), role(Role::kPlain)},
             {held, role(Role::kPlain)},
             trend_cell(canvas, row)},
            ended};
}

std::size_t sorted_column(Sort sort) {
    switch (sort) {
    case Sort::kSockets: return 0;
    case Sort::kOwner: return 1;
    case Sort::kCause: return 2;
    case Sort::kOldest: return 5;
    case Sort::kGrowth: break;
    }
    return 6;
}

Rows rows_of(const Canvas& canvas, const Cursor& cursor) {
    using output::Align;
    using output::Cut;
    constexpr std::size_t kWholeOwner = 18;  // with its pid, which is needed next
    std::size_t cause = 5;
    std::size_t owner = 14;
    for (const GroupRow& row : canvas.picture.groups) {
        cause = std::max(cause, cause_cell(canvas, row).size());
        if (owner < kWholeOwner) owner = std::max(owner, output::display_width(owner_text(canvas, row)));
    }
    return {{{"SOCKETS", Align::kRight, Cut::kEnd, 7},
             {"OWNER", Align::kLeft, Cut::kEnd, std::min(owner, kWholeOwner)},
             {"CAUSE", Align::kLeft, Cut::kEnd, cause},
             {"SURE", Align::kLeft, Cut::kEnd, 6},
             {"WHERE", Align::kLeft, Cut::kStart, 10},
             {"OLDEST", Align::kRight, Cut::kEnd, 6},
             {canvas.narrow() ? "/MIN" : "TREND", Align::kLeft, Cut::kEnd, 6}},
            cursor.rows,
            cursor.index,
            sorted_column(canvas.state.sort)};
}

/// The sentence says all of it, and there is little room.
bool is_chain_said(const diagnose::Diagnosis& diagnosis) {
    return diagnosis.cause == diagnose::Cause::kUnknown ||
           (diagnosis.cause == diagnose::Cause::kHandlerBlocked && !chain_is_story(diagnosis));
}

/// What happened, in the words of the diagnosis of the member held longest.
void add_story(Text& text, const Canvas& canvas, const GroupRow& row) {
    if (row.ended_ns) {
        text.line("why", {{"All of its holds have ended.", Role::kGood}});
        return;
    }
    const model::Socket& oldest = canvas.picture.census->sockets[row.group.oldest_socket];
    const diagnose::Diagnosis diagnosis = canvas.picture.explain(oldest);
    // As sure as the row says: of all its members.
    const diagnose::Confidence sure = row.group.confidence;
    text.add(
        "cause",
        is_early(canvas, row) ? "unknown yet: it is too early to say" : cause_text(diagnosis.cause, sure),
        role_of(diagnosis.cause, sure));
    std::string story = canvas.clean(diagnosis.summary);
    if (row.group.sockets > 1) story = "the oldest: " + story;
    if (!chain_is_story(diagnosis)) text.add(why_label(diagnosis.cause, sure), story, Role::kStrong);
    if (!is_chain_said(diagnosis)) add_chain(text, canvas, diagnosis.because);
    text.add("what to do", canvas.clean(diagnosis.advice));
    if (row.group.culprits > 1 && accuses(diagnosis.cause)) {
        std::string who;
        for (const diagnose::TopCulprit& one : row.group.top_culprits)
            who += fmt::format("{}{} has {}", who.empty() ? "" : ", ",
                               output::process_text(one.comm, one.tid, canvas.style),
                               output::count_text(one.sockets));
        text.add("threads", fmt::format("{} in all: {}", output::count_text(row.group.culprits), who));
    }
}

/// The story at the bottom, over as many rows as it needs and may have. Returns the row where it begins.
std::size_t draw_story(Canvas& canvas, std::size_t row, std::size_t groups) {
    const GroupRow* under = group_of(canvas.state, canvas.picture);
    if (!under || canvas.screen.size().rows < kRowsWithStory) return canvas.bottom;
    Text text(canvas);
    add_story(text, canvas, *under);
    const std::size_t room = canvas.bottom - row;
    const std::size_t wanted = std::min(groups + 2, room / 2);  // for the list
    const std::size_t lines = std::min(text.size(), room - std::min(room, wanted + 1));
    if (lines == 0) return canvas.bottom;
    const std::size_t first = canvas.bottom - lines;
    text.draw_beginning(canvas, first);
    std::string rule;
    for (std::size_t i = 0; i < canvas.width(); ++i) rule += canvas.ascii() ? "-" : "─";
    canvas.screen.put(first - 1, 0, rule, Role::kDim);
    return first - 1;
}

}  // namespace

std::string owner_text(const Canvas& canvas, const GroupRow& row) {
    if (row.group.owner_pid)
        return output::process_text(row.group.owner_comm, *row.group.owner_pid, canvas.style);
    if (row.ended_ns || row.group.all.empty()) return "no process";
    return output::holders_text(*canvas.picture.census,
                                canvas.picture.census->sockets[row.group.oldest_socket], canvas.style);
}

std::string place_text(const Canvas& canvas, const GroupKey& key) {
    if (!key.remote.empty())
        return fmt::format("{} {}", output::arrow(canvas.style), canvas.clean(key.remote));
    return key.local_port ? fmt::format("port {}", *key.local_port) : "";
}

Role role_of(diagnose::Cause cause, diagnose::Confidence confidence) {
    if (!accuses(cause)) return Role::kPlain;
    return confidence == diagnose::Confidence::kPossible ? Role::kWarning : Role::kAlarm;
}

std::string cause_text(diagnose::Cause cause, diagnose::Confidence confidence) {
    if (cause == diagnose::Cause::kUnknown)
        return fmt::format("{}: {}", diagnose::id_of(cause), diagnose::meaning_of(cause));
    return fmt::format("{}, {}: {}", diagnose::id_of(cause), diagnose::id_of(confidence),
                       diagnose::meaning_of(cause));
}

std::string sure_cell(diagnose::Cause cause, diagnose::Confidence confidence) {
    return cause == diagnose::Cause::kUnknown ? "-" : std::string(diagnose::id_of(confidence));
}

const char* why_label(diagnose::Cause cause, diagnose::Confidence confidence) {
    return accuses(cause) && confidence == diagnose::Confidence::kPossible ? "perhaps" : "why";
}

void draw_groups(Canvas& canvas, std::size_t row) {
    const Picture& picture = canvas.picture;
    const Cursor cursor = cursor_of(canvas.state, picture);
    if (cursor.rows == 0) return;
    const std::size_t whole = canvas.bottom;
    canvas.bottom = draw_story(canvas, row, cursor.rows);
    draw_rows(canvas, row, rows_of(canvas, cursor), [&](std::size_t index) {
        const GroupRow* group = find(picture, canvas.state.order[index]);
        return group ? cells_of(canvas, *group) : RowCells{std::vector<Span>(7), false};
    });
    canvas.bottom = whole;
}

}  // namespace waitclose::live
