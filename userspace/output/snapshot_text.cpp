// SPDX-License-Identifier: BSD-2-Clause
#include "output/snapshot_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "output/escape.h"
#include "output/format.h"
#include "output/headline.h"
#include "output/labels.h"
#include "output/layout.h"
#include "output/outlook.h"
#include "output/story.h"
#include "output/table.h"

namespace waitclose::output {

namespace {

Headline headline_of(const diagnose::Group& group, const model::Census& census, const TextStyle& style) {
    const model::Precision precision = census.sockets[group.oldest_socket].precision;
    const char* word = group.sockets == 1 ? "held" : "oldest";
    const std::string_view sign =
        precision == model::Precision::kAtLeast ? at_least(style) : std::string_view();
    return {
        count_text(group.sockets),
        group.owner_pid ? process_text(group.owner_comm, *group.owner_pid, style)
                        : holders_text(census, census.sockets[group.oldest_socket], style),
        std::string(diagnose::id_of(group.cause)),
        std::string(diagnose::id_of(group.confidence)),
        place_text(group.local_port, group.remote, style),
        fmt::format("{} {}{}{}", word, sign, sign.empty() ? "" : " ", duration_text(group.oldest_held_ns)),
        fmt::format("{} {}", word, held_cell(group.oldest_held_ns, precision, style)),
        paint_of(group.cause)};
}

/// What happened, about the member held longest, since the sentence names one thread and one descriptor.
std::string sentence_of(const diagnose::Group& group, const diagnose::Diagnosis& diagnosis,
                        const HeadlineLayout& layout, const TextStyle& style) {
    std::string text;
    if (layout.place == 0) text = place_words(group.local_port, group.remote, style);
    if (group.sockets > 1) text += text.empty() ? "oldest" : ", oldest";
    if (!text.empty()) text += ": ";
    text += printable(reason_text(diagnosis), style.charset);
    if (group.culprits > 1) text += fmt::format(" ({} threads in all)", count_text(group.culprits));
    return text;
}

void write_groups(Sink& sink, const SnapshotView& view, const TextStyle& style, std::size_t most) {
    const std::size_t shown = std::min(view.groups.size(), most);
    std::vector<Headline> lines;
    for (std::size_t i = 0; i < shown; ++i) lines.push_back(headline_of(view.groups[i], view.census, style));
    const HeadlineLayout layout = layout_of(lines, style.width);
    const std::size_t indent = layout.indent();
    Advice advice;
    const Explain explain = explain_of(view);
    for (std::size_t i = 0; i < shown; ++i) {
        const diagnose::Group& group = view.groups[i];
        const auto diagnosis = explain(view.census.sockets[group.oldest_socket]);
        sink.write("\n" + headline_text(lines[i], layout, style) + "\n");
        write_indented(sink, style, indent, sentence_of(group, diagnosis, layout, style));
        write_behind(sink, style, indent, diagnosis);
        if (group.fds.holds_per_s) write_indented(sink, style, indent, outlook_text(group.fds));
        advice.write(sink, style, indent, advice_text(diagnosis));
    }
}

void write_rest(Sink& sink, const SnapshotView& view, const TextStyle& style, std::size_t most) {
    if (view.groups.size() <= most) return;
    std::uint64_t sockets = 0;
    for (std::size_t i = most; i < view.groups.size(); ++i) sockets += view.groups[i].sockets;
    const std::size_t groups = view.groups.size() - most;
    sink.write(fmt::format("\n{} and {} more group{} with {} socket{} (use --json)\n", ellipsis(style),
                           count_text(groups), groups == 1 ? "" : "s", count_text(sockets),
                           sockets == 1 ? "" : "s"));
}

/// Numbers come before names, so that a narrow terminal cuts the name off and not the pid. A cause is never
/// cut; the groups tell which there are. Which connection, since when, why and who holds it stays in any
/// case.
std::vector<Column> socket_columns(const std::vector<diagnose::Group>& groups) {
    std::size_t cause = 0;
    for (const diagnose::Group& group : groups) cause = std::max(cause, diagnose::id_of(group.cause).size());
    return {{"HELD", Align::kRight, Cut::kEnd, 6, Paint::kBold},
            {"LOCAL", Align::kLeft, Cut::kStart, 8, Paint::kPlain, true},
            {"REMOTE", Align::kLeft, Cut::kStart, 8, Paint::kPlain, true},
            {"PID:FD NAME", Align::kLeft, Cut::kEnd, 12},
            {"TID NAME", Align::kLeft, Cut::kEnd, 8, Paint::kPlain, false, 2},
            {"CAUSE", Align::kLeft, Cut::kEnd, cause, Paint::kAlarm},
            {"CONFID.", Align::kLeft, Cut::kEnd, 8, Paint::kPlain, false, 1},
            {"UNREAD", Align::kRight, Cut::kEnd, 6, Paint::kPlain, false, 3}};
}

}  // namespace

void write_snapshot_text(Sink& sink, const SnapshotView& view, const TextStyle& style, std::size_t most) {
    write_snapshot_header(sink, view, style);
    if (view.selected.empty()) return;
    write_groups(sink, view, style, most);
    write_rest(sink, view, style, most);
}

void write_socket_table(Sink& sink, const SnapshotView& view, const TextStyle& style) {
    write_snapshot_header(sink, view, style);
    if (view.selected.empty()) return;
    sink.write("\n");
    const model::Census& census = view.census;
    std::vector<std::uint32_t> order = view.selected;
    std::stable_sort(order.begin(), order.end(), [&census](auto a, auto b) {
        return census.sockets[a].held_since_ns < census.sockets[b].held_since_ns;
    });
    const Explain explain = explain_of(view);
    Table table(sink, socket_columns(view.groups), style);
    for (const std::uint32_t index : order) {
        if (sink.ended()) return;
        const model::Socket& socket = census.sockets[index];
        const auto diagnosis = explain(socket);
        table.add({held_cell(census.held_ns(socket), socket.precision, style),
                   endpoint_text(socket.family, socket.local), endpoint_text(socket.family, socket.remote),
                   holder_cell(census, socket, style), culprit_cell(diagnosis, style),
                   std::string(diagnose::id_of(diagnosis.cause)),
                   std::string(diagnose::id_of(diagnosis.confidence)), count_text(socket.unread_bytes)});
    }
    table.finish();
}

}  // namespace waitclose::output
