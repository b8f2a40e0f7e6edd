// SPDX-License-Identifier: BSD-2-Clause
#include "output/snapshot_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "output/escape.h"
#include "output/format.h"
#include "output/labels.h"
#include "output/layout.h"
#include "output/outlook.h"
#include "output/table.h"

namespace waitclose::output {

namespace {

constexpr std::size_t kMargin = 2;
constexpr std::size_t kGap = 2;
constexpr std::size_t kMostSentenceLines = 4;
constexpr std::size_t kMostAdviceLines = 8;  // what keepalive will do takes its words

/// A group's first line, as printable cells.
struct Headline {
    std::string count;
    std::string owner;
    std::string cause;
    std::string confidence;
    std::string place;
    std::string held;
    std::string held_briefly;
};

std::string place_text(const diagnose::Group& group, const TextStyle& style) {
    if (group.remote) return fmt::format("{} {}", arrow(style), printable(*group.remote, style.charset));
    if (group.local_port) return fmt::format("port {}", *group.local_port);
    return {};
}

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
        place_text(group, style),
        fmt::format("{} {}{}{}", word, sign, sign.empty() ? "" : " ", duration_text(group.oldest_held_ns)),
        fmt::format("{} {}", word, held_cell(group.oldest_held_ns, precision, style))};
}

/// How the headlines line up. Where they would be too wide together the hold is written briefly, then the
/// place moves down to the sentence, and then the owner is cut.
struct Layout {
    std::size_t count = 0;
    std::size_t owner = 0;
    std::size_t cause = 0;
    std::size_t confidence = 0;
    std::size_t place = 0;  // 0: not in the headline
    std::size_t held = 0;
    bool briefly = false;

    std::size_t total() const {
        const std::size_t place_and_gap = place == 0 ? 0 : place + kGap;
        return kMargin + count + owner + cause + confidence + held + 4 * kGap + place_and_gap;
    }
};

/// Columns that the widest of one kind of cell takes.
template <typename Member>
std::size_t widest(const std::vector<Headline>& lines, Member member) {
    std::size_t columns = 0;
    for (const Headline& line : lines) columns = std::max(columns, display_width(line.*member));
    return columns;
}

Layout layout_of(const std::vector<Headline>& lines, std::size_t width) {
    constexpr std::size_t kLeastOwner = 8;
    Layout layout{widest(lines, &Headline::count), widest(lines, &Headline::owner),
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

/// Where the sentences start: under the owner.
std::size_t indent_of(const Layout& layout) {
    return kMargin + layout.count + kGap;
}

Paint paint_of(diagnose::Cause cause) {
    const bool harmless = cause == diagnose::Cause::kHalfOpen || cause == diagnose::Cause::kUnknown;
    return harmless ? Paint::kPlain : Paint::kAlarm;
}

std::string headline_text(const Headline& line, const diagnose::Group& group, const Layout& layout,
                          const TextStyle& style) {
    const std::string gap(kGap, ' ');
    const std::string owner = fit(line.owner, layout.owner, style.charset);
    Line text(style);
    text.add(std::string(kMargin, ' '));
    text.add(pad(line.count, layout.count, Align::kRight), Paint::kBold).add(gap);
    text.add(pad(owner, layout.owner), Paint::kBold).add(gap);
    text.add(pad(line.cause, layout.cause), paint_of(group.cause)).add(gap);
    text.add(pad(line.confidence, layout.confidence)).add(gap);
    if (layout.place > 0) text.add(pad(line.place, layout.place)).add(gap);
    return text.add(layout.briefly ? line.held_briefly : line.held).text();
}

/// What happened, about the member held longest, since the sentence names one thread and one descriptor.
std::string sentence_of(const diagnose::Group& group, const Headline& line,
                        const diagnose::Diagnosis& diagnosis, const Layout& layout, const TextStyle& style) {
    std::string text;
    // Below the headline an arrow means advice, so the place is written in words.
    if (layout.place == 0) text = group.remote ? "to " + printable(*group.remote, style.charset) : line.place;
    if (group.sockets > 1) text += text.empty() ? "oldest" : ", oldest";
    if (!text.empty()) text += ": ";
    text += printable(diagnosis.summary, style.charset);
    if (group.culprits > 1) text += fmt::format(" ({} threads in all)", count_text(group.culprits));
    return text;
}

void write_indented(Sink& sink, const TextStyle& style, std::size_t indent, std::string_view text) {
    const std::string blanks(indent, ' ');
    for (const std::string& line : wrap(text, style.width - indent, kMostSentenceLines, style.charset)) {
        sink.write(blanks + line + "\n");
    }
}

/// How a thread stands to the one before it, which waits for it.
const char* relation_of(const diagnose::Link& waiting) {
    if (waiting.waits_for == "lock") return "held by";
    return waiting.waits_for == "child" ? "the child" : "at the other end";
}

/// "auditor (4190)", with the process where that is another than before.
std::string member_text(const diagnose::Link& before, const diagnose::Link& link, const TextStyle& style) {
    const std::string thread = process_text(link.comm, link.tid, style);
    return before.pid == link.pid || link.pid == link.tid ? thread
                                                          : fmt::format("{} of pid {}", thread, link.pid);
}

/// The threads behind the one of the sentence, each a step further in.
void write_chain(Sink& sink, const TextStyle& style, std::size_t indent,
                 const std::vector<diagnose::Link>& chain) {
    for (std::size_t i = 1; i < chain.size(); ++i) {
        const diagnose::Link& link = chain[i];
        const std::string slept = link.for_ns ? " for " + duration_text(*link.for_ns) : "";
        write_indented(
            sink, style, indent + 2 * i,
            fmt::format("{} {}: {}: {}{}", relation_of(chain[i - 1]), member_text(chain[i - 1], link, style),
                        link.waits_for, printable(link.detail, style.charset), slept));
    }
}

/// That the peers give up after a fixed time, with its figures alone.
void write_peer_timeout(Sink& sink, const TextStyle& style, std::size_t indent,
                        const diagnose::Diagnosis& diagnosis) {
    for (const diagnose::Evidence& fact : diagnosis.evidence)
        if (fact.fact == "peer_timeout_ns")
            write_indented(sink, style, indent,
                           "contributing: " + sentence(fact.text.substr(0, fact.text.find(':')), style));
}

/// The advice behind an arrow, its further lines under its first word.
void write_advice(Sink& sink, const TextStyle& style, std::size_t indent, const std::string& advice) {
    const std::string sign = fmt::format("{} ", arrow(style));
    const std::size_t within = indent + display_width(sign);
    std::string head = std::string(indent, ' ') + sign;
    for (const std::string& line : wrap(advice, style.width - within, kMostAdviceLines, style.charset)) {
        sink.write(head + line + "\n");
        head.assign(within, ' ');
    }
}

/// The sentences of the advice that no group above has given: repeated under each of twenty they would hide
/// what differs.
std::string unsaid(std::set<std::string>& said, std::string_view advice) {
    std::string fresh;
    while (!advice.empty()) {
        const std::size_t end = std::min(advice.find(". "), advice.size());
        const std::string_view sentence = advice.substr(0, end + 1);
        if (said.emplace(sentence).second) fresh += (fresh.empty() ? "" : " ") + std::string(sentence);
        advice.remove_prefix(std::min(end + 2, advice.size()));
    }
    return fresh;
}

void write_groups(Sink& sink, const SnapshotView& view, const TextStyle& style, std::size_t most) {
    const std::size_t shown = std::min(view.groups.size(), most);
    std::vector<Headline> lines;
    for (std::size_t i = 0; i < shown; ++i) lines.push_back(headline_of(view.groups[i], view.census, style));
    const Layout layout = layout_of(lines, style.width);
    std::set<std::string> said;
    const Explain explain = explain_of(view);
    for (std::size_t i = 0; i < shown; ++i) {
        const diagnose::Group& group = view.groups[i];
        const auto diagnosis = explain(view.census.sockets[group.oldest_socket]);
        sink.write("\n" + headline_text(lines[i], group, layout, style) + "\n");
        write_indented(sink, style, indent_of(layout),
                       sentence_of(group, lines[i], diagnosis, layout, style));
        write_chain(sink, style, indent_of(layout), diagnosis.because);
        write_peer_timeout(sink, style, indent_of(layout), diagnosis);
        if (group.fds.holds_per_s) write_indented(sink, style, indent_of(layout), outlook_text(group.fds));
        const std::string advice = unsaid(said, printable(diagnosis.advice, style.charset));
        write_advice(sink, style, indent_of(layout), advice.empty() ? "as above" : advice);
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
