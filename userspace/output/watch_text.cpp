// SPDX-License-Identifier: BSD-2-Clause
#include "output/watch_text.h"

#include <fmt/format.h>

#include "model/wording.h"
#include "output/escape.h"
#include "output/format.h"
#include "output/json.h"
#include "output/labels.h"
#include "output/layout.h"
#include "output/story.h"

namespace waitclose::output {

namespace {

constexpr std::size_t kEventWidth = 7;   // "entered", "changed"
constexpr std::size_t kStateWidth = 11;  // "ESTABLISHED"

Paint paint_of(WatchEvent event) {
    switch (event) {
    case WatchEvent::kEntered: return Paint::kDim;
    case WatchEvent::kHeld: return Paint::kAlarm;
    case WatchEvent::kChanged: return Paint::kWarning;
    case WatchEvent::kClosed: break;
    }
    return Paint::kPlain;
}

/// "20:00:01.123  held     "
std::string head_text(WatchEvent event, std::int64_t at_epoch_ns, const TextStyle& style) {
    return clock_text(at_epoch_ns) + "  " + paint(style, paint_of(event), pad(word_of(event), kEventWidth)) +
           "  ";
}

std::string addresses_text(const model::Connection& connection, const TextStyle& style) {
    return connection_text(model::Role::kUnknown, connection.family, connection.local, connection.remote,
                           style);
}

}  // namespace

std::string ending_text(const std::optional<model::Left>& left, const TextStyle& style) {
    if (!left) return "its end was missed; a census found it gone";
    if (left->end == model::End::kError) return model::error_end_text(left->error);
    if (left->end == model::End::kKernel) return "ended by the kernel";
    if (!left->closer)
        return left->end == model::End::kExit       ? "ended when its process exited"
               : left->end == model::End::kShutdown ? "shut down, by whom was not seen"
                                                    : "closed, by whom was not seen";
    const model::Actor& closer = *left->closer;
    if (left->end == model::End::kExit)
        return closer.tid == closer.pid
                   ? fmt::format("ended when process {} exited",
                                 process_text(closer.comm_text(), closer.pid, style))
                   : fmt::format("ended when process {} exited, its thread {} last", closer.pid,
                                 process_text(closer.comm_text(), closer.tid, style));
    return fmt::format("{} by thread {} of process {}",
                       left->end == model::End::kShutdown ? "shut down" : "closed",
                       process_text(closer.comm_text(), closer.tid, style), closer.pid);
}

std::string watch_text(const model::Connection& connection, std::int64_t at_epoch_ns,
                       const TextStyle& style) {
    return head_text(WatchEvent::kEntered, at_epoch_ns, style) + addresses_text(connection, style) + "\n";
}

std::string watch_text(WatchEvent event, std::int64_t at_epoch_ns, const model::Census& census,
                       const model::Socket& socket, const diagnose::Diagnosis& diagnosis,
                       const TextStyle& style) {
    std::string line = head_text(event, at_epoch_ns, style);
    line += connection_text(socket.role, socket.family, socket.local, socket.remote, style) + "  ";
    line += held_cell(census.held_ns(socket), socket.precision, style) + "  ";
    line += paint(style, Paint::kBold, holder_text(census, socket, style)) + "  ";
    if (diagnosis.culprit && diagnosis.culprit->tid)
        line += fmt::format("{}thread {}  ", perhaps(diagnosis), culprit_text(diagnosis, style));
    line += fmt::format("{} ({})", diagnose::id_of(diagnosis.cause), diagnose::id_of(diagnosis.confidence));
    return line + ": " + printable(reason_text(diagnosis), style.charset) + "\n";
}

std::string watch_text(const model::Closed& closed, std::int64_t at_epoch_ns, const TextStyle& style) {
    const bool bound = closed.hold.precision == model::Precision::kAtLeast;
    return fmt::format("{}{}  held {}{}, {}\n", head_text(WatchEvent::kClosed, at_epoch_ns, style),
                       addresses_text(closed.hold.connection, style), bound ? "at least " : "",
                       duration_text(closed.held_ns), ending_text(closed.left, style));
}

std::string transition_text(const model::Transition& transition, std::int64_t wall_offset_ns,
                            const TextStyle& style) {
    const auto at = static_cast<std::int64_t>(transition.at_ns) + wall_offset_ns;
    return fmt::format("{}  {} {} {}  {}  {}\n", clock_text(at),
                       pad(model::name_of(transition.from), kStateWidth), arrow(style),
                       pad(model::name_of(transition.to), kStateWidth),
                       addresses_text(transition.connection, style), id_text(transition.connection.key));
}

}  // namespace waitclose::output
