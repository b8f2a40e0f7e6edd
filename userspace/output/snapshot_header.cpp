// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "output/escape.h"
#include "output/format.h"
#include "output/labelled.h"
#include "output/labels.h"
#include "output/layout.h"
#include "output/listeners.h"
#include "output/snapshot_text.h"

namespace waitclose::output {

namespace {

std::string title_text(const SnapshotView& view, const TextStyle& style) {
    const auto wall = static_cast<std::int64_t>(view.census.taken_ns) + view.census.wall_offset_ns;
    const std::string title = fmt::format("waitclose on {}, {}, Linux {}", view.host.hostname,
                                          date_time_text(wall), view.host.kernel);
    return fit(printable(title, style.charset), style.width, style.charset);
}

std::string remark_on(model::TcpState state, const model::Census& census) {
    switch (state) {
    case model::TcpState::kCloseWait: return " (ours to close)";
    case model::TcpState::kTimeWait: return fmt::format(" (normal end{})", time_wait_remark(census));
    default: return "";
    }
}

void write_states(Sink& sink, const SnapshotView& view, const TextStyle& style) {
    const auto& states = view.census.states;
    std::vector<std::pair<model::TcpState, std::uint64_t>> order(states.begin(), states.end());
    if (!states.contains(model::TcpState::kCloseWait)) order.emplace_back(model::TcpState::kCloseWait, 0);
    std::stable_partition(order.begin(), order.end(),
                          [](const auto& entry) { return entry.first == model::TcpState::kCloseWait; });
    const std::size_t available = style.width - kLabelWidth;
    std::string head = paint(style, Paint::kDim, pad("States", kLabelWidth));
    std::string line;
    for (const auto& [state, count] : order) {
        // A state and its number stay together, so wrap() cannot do this.
        const std::string item =
            fmt::format("{} {}{}", model::name_of(state), count_text(count), remark_on(state, view.census));
        if (!line.empty() && line.size() + 2 + item.size() > available) {
            sink.write(head + std::exchange(line, {}) + "\n");
            head.assign(kLabelWidth, ' ');
        }
        line += (line.empty() ? "" : "  ") + item;
    }
    sink.write(head + line + "\n");
}

/// Index of the socket held longest.
std::uint32_t oldest_of(const SnapshotView& view) {
    const auto& sockets = view.census.sockets;
    return *std::min_element(view.selected.begin(), view.selected.end(), [&sockets](auto a, auto b) {
        return sockets[a].held_since_ns < sockets[b].held_since_ns;
    });
}

/// What the options left out, so that an empty answer does not read like an all-clear.
std::string left_out_text(const model::LeftOut& out) {
    std::vector<std::string> parts;
    const auto add = [&](std::uint64_t count, const char* why) {
        if (count > 0) parts.push_back(fmt::format("{} {}", count_text(count), why));
    };
    add(out.by_address, "by port or address family");
    add(out.by_age, "held too briefly (see --min-held)");
    add(out.by_holder, "by process, name or cgroup");
    return fmt::format("{}", fmt::join(parts, ", "));
}

std::string no_holds_text(const SnapshotView& view) {
    if (const std::uint64_t others = view.left_out.total(); others > 0)
        return fmt::format(
            "This is no all-clear: {} in CLOSE_WAIT, and the options in force (--min-held is 250ms unless "
            "said) left {} out: {}.",
            count_of(others, "socket is", "sockets are"), others == 1 ? "it" : "all of them",
            left_out_text(view.left_out));
    if (!view.census.sockets.empty()) return "None that you asked for is in CLOSE_WAIT.";
    return view.census.unreachable > 0 || view.census.nested
               ? "Nothing within reach is in CLOSE_WAIT: no program there forgot a close()."
               : "Nothing is in CLOSE_WAIT: no program here forgot a close().";
}

std::string holds_text(const SnapshotView& view) {
    const model::Socket& oldest = view.census.sockets[oldest_of(view)];
    std::set<std::uint32_t> owners;
    for (const std::uint32_t index : view.selected)
        for (const model::Holder& holder : view.census.holders_of(view.census.sockets[index]))
            owners.insert(view.census.process_of(holder).pid);
    for (const diagnose::Group& group : view.groups)
        if (group.owner_pid) owners.insert(*group.owner_pid);
    std::string text = count_of(view.selected.size(), "socket", "sockets");
    const std::size_t all = view.census.sockets.size();
    if (all != view.selected.size()) text += fmt::format(" (of {})", count_text(all));
    if (!owners.empty()) text += " by " + count_of(owners.size(), "process", "processes");
    text += fmt::format(", {}for {}{}", view.selected.size() == 1 ? "" : "the oldest ",
                        oldest.precision == model::Precision::kAtLeast ? "at least " : "",
                        duration_text(view.census.held_ns(oldest)));
    return text;
}

double fullness(const model::Process& process) {
    if (!process.fds_used || !process.fd_limit || *process.fd_limit == 0) return -1;
    return static_cast<double>(*process.fds_used) / static_cast<double>(*process.fd_limit);
}

/// The process that is closest to its limit of descriptors, of those that the selection is about.
void write_descriptors(Sink& sink, const SnapshotView& view, const TextStyle& style) {
    const model::Process* worst = nullptr;
    for (const std::uint32_t index : model::processes_meant(view.census, view.selected, view.selection)) {
        const model::Process& process = view.census.processes[index];
        if (!worst || fullness(process) > fullness(*worst)) worst = &process;
    }
    if (!worst || fullness(*worst) < 0) return;
    const double share = fullness(*worst);
    const std::string percent =
        share > 0 && share < 0.01 ? "under 1" : std::to_string(static_cast<int>(share * 100));
    std::string text =
        fmt::format("{} has {} of {} descriptors open, {} %", process_text(worst->comm, worst->pid, style),
                    count_text(*worst->fds_used), count_text(*worst->fd_limit), percent);
    Paint how = Paint::kPlain;
    if (share >= 1) {
        text += ": accept() and open() fail";
        how = Paint::kAlarm;
    } else if (share >= 0.8) {
        text += fmt::format(", {} left", count_text(*worst->fd_limit - *worst->fds_used));
        how = Paint::kWarning;
    }
    write_labelled(sink, style, "Files", text, how);
}

void write_listeners(Sink& sink, const SnapshotView& view, const TextStyle& style) {
    const auto meant = model::listeners_meant(view.census, view.selected, view.selection);
    for (const std::string& line : listener_lines(view.census, meant, style))
        write_labelled(sink, style, "Queue", line, Paint::kWarning);
}

void write_blind_spots(Sink& sink, const SnapshotView& view, const TextStyle& style) {
    const model::Losses& losses = view.losses;
    if (losses.any()) {
        std::vector<std::string> parts;
        if (losses.ring) parts.push_back(count_of(losses.ring, "event", "events"));
        if (losses.storage) parts.push_back(count_of(losses.storage, "note", "notes") + " of who did what");
        std::string text = fmt::format("{}", fmt::join(parts, ", "));
        if (losses.reconciled) {
            text += fmt::format("{}{} put right by a census", parts.empty() ? "" : "; ",
                                count_of(losses.reconciled, "hold", "holds"));
        }
        write_labelled(sink, style, "Lost", text, Paint::kWarning);
    }
    if (!view.probes.missing.empty()) {
        const std::string needs = fmt::format("{}", fmt::join(view.probes.missing, ", "));
        write_labelled(sink, style, "Unseen",
                       printable(needs, style.charset) + " (no hook here serves it: see waitclose doctor)",
                       Paint::kWarning);
    }
    if (view.census.nested) {
        write_labelled(sink, style, "Unseen",
                       "processes outside this PID namespace, and what they hold: run it on the host",
                       Paint::kWarning);
    }
    if (view.census.unreachable > 0) {
        write_labelled(sink, style, "Unseen",
                       count_of(view.census.unreachable, "more held socket is", "more held sockets are") +
                           " in network namespaces that could not be entered",
                       Paint::kWarning);
    }
}

}  // namespace

void write_snapshot_header(Sink& sink, const SnapshotView& view, const TextStyle& style) {
    sink.write(paint(style, Paint::kDim, title_text(view, style)) + "\n");
    write_states(sink, view, style);
    if (!view.selected.empty()) {
        write_labelled(sink, style, "Held", holds_text(view), Paint::kBold);
        write_descriptors(sink, view, style);
    }
    write_listeners(sink, view, style);
    write_blind_spots(sink, view, style);
    if (!view.selected.empty()) return;
    sink.write("\n");
    for (const std::string& line : wrap(no_holds_text(view), style.width)) sink.write(line + "\n");
}

}  // namespace waitclose::output
