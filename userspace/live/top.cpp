// SPDX-License-Identifier: BSD-2-Clause
// What stands above every view: how bad it is, and whether it grows.
#include <algorithm>

#include <fmt/format.h>

#include "live/views.h"
#include "model/units.h"
#include "output/escape.h"
#include "output/format.h"
#include "output/labels.h"
#include "output/listeners.h"

namespace waitclose::live {
namespace {

using output::count_text;

std::string count_of(std::uint64_t count, std::string_view one, std::string_view many) {
    return fmt::format("{} {}", count_text(count), count == 1 ? one : many);
}

/// "● REC 1.2 MiB": where it goes was said when it began, and is said again at its end.
std::string recording_text(const Canvas& canvas, const Recording& recording) {
    constexpr double kKibi = 1024;
    const double kib = static_cast<double>(recording.bytes) / kKibi;
    const std::string size =
        kib < kKibi ? fmt::format("{:.0f} KiB", kib) : fmt::format("{:.1f} MiB", kib / kKibi);
    return fmt::format("{} REC {}", canvas.ascii() ? "*" : "●", size);
}

void draw_title(Canvas& canvas) {
    const Picture& picture = canvas.picture;
    const auto wall = static_cast<std::int64_t>(picture.now_ns) + picture.wall_offset_ns;
    std::string right = output::clock_text(wall).substr(0, 8) + " ";
    if (picture.census && picture.now_ns > picture.census->taken_ns + 2'000'000'000)
        right = fmt::format("census {} ago  {}",
                            output::duration_text((picture.now_ns - picture.census->taken_ns) /
                                                  1'000'000'000 * 1'000'000'000),
                            right);
    std::size_t column = canvas.screen.put(0, 1, "waitclose", Role::kTitle);
    column = canvas.screen.put(0, column + 2, canvas.clean(picture.host.hostname));
    column = canvas.screen.put(0, column + 2, canvas.clean("Linux " + picture.host.kernel), Role::kDim);
    if (picture.recording)
        column = canvas.screen.put(0, column + 2, recording_text(canvas, *picture.recording), Role::kAlarm);
    if (canvas.state.paused) column = canvas.screen.put(0, column + 2, "PAUSED", Role::kWarning);
    const std::size_t width = output::display_width(right);
    if (column + 2 + width <= canvas.width()) canvas.screen.put(0, canvas.width() - width, right, Role::kDim);
}

/// Who has most of them, when one process has; else how many have some.
std::string blame_text(const Canvas& canvas) {
    std::vector<std::pair<std::uint32_t, std::uint64_t>> owners;
    std::uint64_t all = 0;
    for (const GroupRow& row : canvas.picture.groups) {
        if (row.ended_ns) continue;
        all += row.sockets();
        if (!row.key.pid) continue;
        const auto found = std::ranges::find(owners, *row.key.pid, [](const auto& one) { return one.first; });
        if (found == owners.end())
            owners.emplace_back(*row.key.pid, row.sockets());
        else
            found->second += row.sockets();
    }
    all = std::max(all, canvas.picture.pulse.open);  // also those that no look has seen yet
    const auto most = std::ranges::max_element(owners, {}, [](const auto& one) { return one.second; });
    if (most == owners.end() || most->second == 0) return {};
    const auto row = std::ranges::find_if(canvas.picture.groups,
                                          [&](const GroupRow& one) { return one.key.pid == most->first; });
    const std::string who = output::process_text(row->group.owner_comm, most->first, canvas.style);
    if (most->second == all) return fmt::format(", {}in {}", all > 1 ? "all " : "", who);
    // One among many is named by its row, not by the headline.
    if (most->second * 2 <= all) return fmt::format(", in {} processes", count_text(owners.size()));
    return fmt::format(", {} of them in {}", count_text(most->second), who);
}

Spans headline(const Canvas& canvas) {
    const Picture& picture = canvas.picture;
    if (!picture.census) return {{"looking at every socket, descriptor and thread ...", Role::kDim}};
    if ((picture.groups.empty() || picture.pulse.open == 0) && picture.left_out > 0)
        return {
            {fmt::format("No hold matches; {} left out by the filter or --min-held.",
                         count_of(picture.left_out, "socket in CLOSE_WAIT is", "sockets in CLOSE_WAIT are")),
             Role::kWarning}};
    const bool blind = picture.census->nested || picture.census->unreachable > 0;
    if (picture.pulse.open == 0)
        return {{blind ? "Nothing within reach is in CLOSE_WAIT."
                       : "Nothing is in CLOSE_WAIT: no program here forgot a close().",
                 blind ? Role::kPlain : Role::kGood}};
    return {{count_text(picture.pulse.open), Role::kStrong},
            {picture.pulse.open == 1 ? " hung-up connection waits for a close() here"
                                     : " hung-up connections wait for a close() here",
             Role::kStrong},
            {blame_text(canvas), Role::kStrong}};
}

const model::Socket* oldest(const Picture& picture) {
    const model::Socket* oldest = nullptr;
    for (const GroupRow& row : picture.groups) {
        if (row.ended_ns || row.group.all.empty()) continue;
        const model::Socket& one = picture.census->sockets[row.group.oldest_socket];
        if (!oldest || one.held_since_ns < oldest->held_since_ns) oldest = &one;
    }
    return oldest;
}

Spans holds_line(const Canvas& canvas) {
    constexpr std::size_t kLongest = 60;
    const Picture& picture = canvas.picture;
    const Pulse& pulse = picture.pulse;
    Spans spans;
    if (pulse.trend.gain) {
        const Gain& growth = *pulse.trend.gain;
        spans.push_back(
            {fmt::format("{} {}  ", growth_sign(growth, canvas.style.charset), growth_text(growth)),
             growth_role(growth)});
    }
    const std::size_t room = canvas.width() > 85 ? std::min(kLongest, canvas.width() - 75) : 10;
    const std::string line = sparkline(pulse.trend.counts, room, canvas.style.charset);
    if (!line.empty()) spans.push_back({line + "  "});
    if (pulse.entered_per_s && pulse.closed_per_s)
        spans.push_back(
            {fmt::format("entered {:.1f}/s  closed {:.1f}/s  ", *pulse.entered_per_s, *pulse.closed_per_s)});
    if (const model::Socket* socket = oldest(picture))
        spans.push_back({fmt::format(
            "oldest {}", output::held_cell(held_ns(picture, *socket), socket->precision, canvas.style))});
    return spans;
}

Spans states_line(const Canvas& canvas) {
    Spans spans;
    const auto& states = canvas.picture.census->states;
    const auto add = [&](model::TcpState state, std::uint64_t count, Role role) {
        spans.push_back({fmt::format("{} {}  ", model::name_of(state), count_text(count)), role});
    };
    const auto ours = states.find(model::TcpState::kCloseWait);
    const std::uint64_t held = ours == states.end() ? 0 : ours->second;
    add(model::TcpState::kCloseWait, held, held ? Role::kAlarm : Role::kPlain);
    // The states are those of the whole machine.
    if (canvas.picture.left_out > 0)
        spans.push_back({fmt::format("({} left out)  ", count_text(canvas.picture.left_out)), Role::kDim});
    for (const auto& [state, count] : states)
        if (state != model::TcpState::kCloseWait) add(state, count, Role::kPlain);
    return spans;
}

double fullness(const diagnose::FdOutlook& fds) {
    if (!fds.used || !fds.limit || *fds.limit == 0) return -1;
    return static_cast<double>(*fds.used) / static_cast<double>(*fds.limit);
}

/// Who runs out of descriptors first: the nearest end, else the fullest table.
Spans files_line(const Canvas& canvas) {
    const GroupRow* worst = nullptr;
    const auto end_of = [](const GroupRow& row) { return row.group.fds.full_in_ns.value_or(UINT64_MAX); };
    for (const GroupRow& row : canvas.picture.groups) {
        if (row.ended_ns || fullness(row.group.fds) < 0) continue;
        if (!worst || std::pair(end_of(row), -fullness(row.group.fds)) <
                          std::pair(end_of(*worst), -fullness(worst->group.fds)))
            worst = &row;
    }
    if (!worst) return {};
    const diagnose::FdOutlook& fds = worst->group.fds;
    const double share = fullness(fds);
    Spans spans;
    if (share >= 1) {
        spans.push_back({"full, accept() and open() fail: ", Role::kAlarm});
    } else if (fds.full_in_ns) {
        const bool soon = *fds.full_in_ns < model::kHour;
        spans.push_back({fmt::format("EMFILE in {}: ", output::duration_text(*fds.full_in_ns)),
                         soon ? Role::kAlarm : Role::kWarning});
    }
    spans.push_back({fmt::format("{} has {} of {} descriptors open, {}", owner_text(canvas, *worst),
                                 count_text(*fds.used), count_text(*fds.limit),
                                 share < 0.01 ? "under 1 %" : fmt::format("{:.0f} %", share * 100)),
                     share >= 0.8 ? Role::kWarning : Role::kPlain});
    return spans;
}

Spans pressure_line(const Canvas& canvas) {
    const auto& window = canvas.picture.census->window;
    if (!window || window->length_ns() == 0) return {};
    Spans spans;
    const auto add = [&](const char* what, const std::optional<std::uint64_t>& ns, double worth,
                         double cpus) {
        if (!ns) return;
        const double share = static_cast<double>(*ns) / static_cast<double>(window->length_ns()) / cpus;
        spans.push_back({fmt::format("{} {:.0f} %  ", what, std::min(1.0, share) * 100),
                         share >= worth ? Role::kWarning : Role::kPlain});
    };
    add("CPU", window->cpu.some_ns, 0.4, 1);
    add("disk", window->io.some_ns, 0.2, 1);
    add("memory", window->memory.some_ns, 0.1, 1);
    add("steal", window->steal_ns, 0.1, std::max(1U, window->cpus));
    if (!spans.empty())
        spans.push_back(
            {fmt::format("of the last {}", output::duration_text(window->length_ns())), Role::kDim});
    return spans;
}

Spans lost_line(const Canvas& canvas) {
    const model::Losses& losses = canvas.picture.losses;
    if (!losses.any()) return {};
    std::vector<std::string> parts;
    if (losses.ring) parts.push_back(count_of(losses.ring, "event", "events"));
    if (losses.storage) parts.push_back(count_of(losses.storage, "note", "notes") + " of who did what");
    if (losses.reconciled)
        parts.push_back(count_of(losses.reconciled, "hold", "holds") + " put right by a census");
    return {{fmt::format("{}", fmt::join(parts, ", ")), Role::kWarning}};
}

Spans unseen_line(const Canvas& canvas) {
    const Picture& picture = canvas.picture;
    std::vector<std::string> parts = picture.probes.missing;
    if (picture.census && picture.census->nested) parts.emplace_back("processes outside this PID namespace");
    if (picture.census && picture.census->unreachable > 0)
        parts.push_back(count_of(picture.census->unreachable, "hold", "holds") +
                        " in network namespaces that could not be entered");
    if (parts.empty()) return {};
    return {{canvas.clean(fmt::format("{}", fmt::join(parts, ", "))) + " (waitclose doctor tells)",
             Role::kWarning}};
}

void add(std::vector<std::pair<const char*, Spans>>& lines, const char* label, Spans spans) {
    if (!spans.empty()) lines.emplace_back(label, std::move(spans));
}

/// An arrow would be taken for a part of the path.
std::string place_words(const Canvas& canvas, const GroupKey& key) {
    return key.remote.empty() ? place_text(canvas, key) : "to " + canvas.clean(key.remote);
}

/// Over what time the column CPU tells.
std::string window_text(const Canvas& canvas) {
    const auto& window = canvas.picture.census->window;
    if (!window || window->length_ns() == 0) return {};
    return fmt::format("; CPU of the last {}", output::duration_text(window->length_ns()));
}

/// Not all of very many are listed.
std::string closed_text(const Picture& picture) {
    const std::uint64_t listed = picture.ended.size();
    if (listed == 0 || (picture.ended_in_all <= listed && picture.ended_in_all_exact))
        return "just closed: holds that ended in the last minute";
    return fmt::format("just closed: the latest {} of {}{} holds that ended in the last minute",
                       output::count_text(listed), picture.ended_in_all_exact ? "" : "at least ",
                       output::count_text(std::max(listed, picture.ended_in_all)));
}

/// Where the user is: "java (4121) > eof-ignored > port 8080".
std::string path_text(const Canvas& canvas) {
    const char* sign = canvas.ascii() ? " > " : " › ";
    const State& state = canvas.state;
    if (state.view() == View::kHelp) return "help";
    if (state.view() == View::kClosed) return closed_text(canvas.picture);
    const GroupRow* row = group_of(state, canvas.picture);
    if (!row) return "this group has ended";
    if (state.view() == View::kThreads)
        return fmt::format("{}{}threads{}", owner_text(canvas, *row), sign, window_text(canvas));
    const std::string owner = owner_text(canvas, *row);
    const std::string place = place_words(canvas, row->key);
    // The cause of one hold may be another one by now than that of the group it was chosen from.
    if (state.view() == View::kHold) return fmt::format("{}{}{}{}one hold", owner, sign, place, sign);
    return fmt::format("{}{}{}{}{}{}{}", owner, sign, diagnose::id_of(row->key.cause), sign, place, sign,
                       count_of(row->sockets(), "socket", "sockets"));
}

}  // namespace

std::size_t draw_top(Canvas& canvas) {
    constexpr std::size_t kMost = 9;
    draw_title(canvas);
    put(canvas, 1, 1, headline(canvas));
    if (!canvas.picture.census) return 3;
    if (canvas.state.view() != View::kGroups) {
        canvas.screen.put(2, 1, path_text(canvas), Role::kTitle);
        return 4;
    }
    std::vector<std::pair<const char*, Spans>> lines;
    add(lines, "lost", lost_line(canvas));
    add(lines, "unseen", unseen_line(canvas));
    add(lines, "holds", holds_line(canvas));
    add(lines, "files", files_line(canvas));
    const auto queues =
        output::listener_lines(*canvas.picture.census, canvas.picture.listeners, canvas.style, 1);
    if (!queues.empty()) add(lines, "queue", {{queues.front(), Role::kWarning}});
    add(lines, "states", states_line(canvas));
    add(lines, "pressure", pressure_line(canvas));
    std::size_t row = 2;
    const std::size_t room = std::min(kMost, canvas.screen.size().rows / 3 - 1);
    for (std::size_t i = 0; i < std::min(lines.size(), room); ++i, ++row) {
        canvas.screen.put(row, 1, lines[i].first, Role::kDim);
        put(canvas, row, 1 + kLabelWidth, lines[i].second);
    }
    return row + (canvas.screen.size().rows >= 20 ? 1 : 0);
}

std::vector<std::string> message_lines(const State& state, Size size, output::Charset charset) {
    constexpr std::size_t kMost = 3;
    constexpr std::size_t kFewRows = 12;
    if (state.message.empty()) return {};
    return output::wrap(output::printable(state.message, charset), size.columns - 2,
                        size.rows < kFewRows ? kMost - 1 : kMost, charset);
}

namespace {

/// The filter being typed, the cursor always in sight, and what may be typed where there is room to say so.
void draw_typing(Canvas& canvas, std::size_t row) {
    constexpr std::size_t kAhead = 12;  // of what is behind the cursor
    const Line& line = *canvas.state.typing;
    const std::string before = canvas.clean(std::string_view(line.text).substr(0, line.cursor));
    const std::string behind = canvas.clean(std::string_view(line.text).substr(line.cursor));
    std::size_t column = canvas.screen.put(row, 1, "filter: ", Role::kTitle);
    const std::size_t kept = 2 + std::min(kAhead, output::display_width(behind));
    const std::size_t room = canvas.width() - std::min(canvas.width(), column + kept);
    column =
        canvas.screen.put(row, column, output::fit(before, room, canvas.style.charset, output::Cut::kStart));
    column = canvas.screen.put(row, column, canvas.ascii() ? "_" : "▏", Role::kStrong);
    column = canvas.screen.put(row, column, behind);
    const std::string help = canvas.ascii() ? "pid 4121, comm java, localport 8080, min-held 10s"
                                            : "pid 4121 · comm java · localport 8080 · min-held 10s";
    if (column + 3 + output::display_width(help) < canvas.width())
        canvas.screen.put(row, column + 3, help, Role::kDim);
}

}  // namespace

void draw_footer(Canvas& canvas, std::size_t row, const std::vector<std::string>& message) {
    const State& state = canvas.state;
    for (const std::string& line : message)
        canvas.screen.put(row++, 1, line, state.message_is_error ? Role::kAlarm : Role::kWarning);
    if (state.typing) return draw_typing(canvas, row);
    if (!message.empty()) return;
    // Where they do not all fit, the last ones give way; help tells of all.
    std::size_t column = 1;
    const auto key = [&](const char* name, const std::string& does) {
        const std::size_t wide = output::display_width(name) + output::display_width(does) + 1;
        if (column + wide > canvas.width()) return;
        put(canvas, row, column, {{name, Role::kStrong}, {" " + does, Role::kDim}});
        column += wide + 2;
    };
    key("q", "quit");
    key("?", "help");
    if (state.path.size() > 1) key("Esc", "back");
    if (state.view() == View::kGroups || state.view() == View::kSockets) key("Enter", "inside");
    if (state.view() != View::kThreads && state.view() != View::kClosed) key("t", "threads");
    key("/", state.filter.empty() ? "filter" : "filter: " + canvas.clean(state.filter));
    key("r", canvas.picture.recording ? "end recording" : "record");
    if (state.view() == View::kGroups) key("c", "closed");
    if (state.view() == View::kGroups) key("s", "sort");
    key("space", state.paused ? "go on" : "pause");
    key("w", "write");
}

}  // namespace waitclose::live
