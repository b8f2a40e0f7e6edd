// SPDX-License-Identifier: BSD-2-Clause
// Flame-graph stacks, as flamegraph.pl, inferno and speedscope read them: frames between semicolons, a space,
// a number. A name that has a semicolon in it is written with \x3b.
#include <fmt/format.h>

#include <map>

#include "output/escape.h"
#include "timeline/format.h"
#include "timeline/held_time.h"
#include "timeline/labels.h"
#include "timeline/progress.h"

namespace waitclose::timeline {

namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;

void append_frame(std::string& line, std::string_view name) {
    if (!line.empty()) line += ';';
    if (name.empty()) line += "(empty)";  // nothing between two semicolons is no frame
    for (const char byte : output::printable(name)) {
        if (byte == ';') {
            line += "\\x3b";
        } else {
            line += byte;
        }
    }
}

std::string path_of(const Timeline& timeline, const HeldTime& kind) {
    std::string path;
    append_frame(path, owner_label(timeline, kind));
    for (const StringId id : {kind.cause, kind.thread, kind.wait_class}) {
        append_frame(path, known(timeline, id));
    }
    for (const std::uint32_t frame : timeline.stacks.frames_of(kind.stack)) {
        append_frame(path, frame_label(timeline, timeline.stacks.frames()[frame]));
    }
    return path;
}

/// Rounded, but nothing that was held disappears.
std::uint64_t milliseconds(std::uint64_t held_ns) {
    if (held_ns == 0) return 0;
    const std::uint64_t rounded =
        held_ns / kMillisecond + (held_ns % kMillisecond >= kMillisecond / 2 ? 1 : 0);
    return rounded == 0 ? 1 : rounded;
}

}  // namespace

void write_folded(const Timeline& timeline, const Options& options, output::Sink& sink) {
    Progress progress(timeline, options, false, true);
    std::map<std::string, std::uint64_t> sums;  // stacks that differ in addresses only are the same text
    for (const HeldTime& kind : held_time(timeline)) {
        sums[path_of(timeline, kind)] += options.weight == Weight::kCount ? kind.holds : kind.held_ns;
        progress.add(kind.holds);
    }
    for (const auto& [path, sum] : sums) {
        const std::uint64_t weight = options.weight == Weight::kCount ? sum : milliseconds(sum);
        if (weight != 0) sink.write(fmt::format("{} {}\n", path, weight));
    }
}

}  // namespace waitclose::timeline
