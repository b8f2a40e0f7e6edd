// SPDX-License-Identifier: BSD-2-Clause
// The formats a timeline can be written in: one function each.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "output/sink.h"
#include "timeline/timeline.h"

namespace waitclose::timeline {

/// What the flame graphs of `folded` and `speedscope` add up.
enum class Weight : std::uint8_t {
    kHeldTime,
    kCount,  // of holds
};

struct Options {
    Weight weight = Weight::kHeldTime;
    /// Told now and then how much of the work is done, in units of the writer's own. May be empty.
    std::function<void(std::uint64_t done, std::uint64_t total)> progress;
};

/// Writes the whole timeline, piece by piece: what a writer keeps in memory grows with what is different in
/// the timeline (names, stacks), not with its length. Errors stick to the sink; once it has ended, writing
/// stops early.
using Write = void (*)(const Timeline& timeline, const Options& options, output::Sink& sink);

struct Format {
    std::string_view name;    // as --format takes it
    std::string_view suffix;  // of a file, e.g. ".pftrace"
    std::string_view about;   // half a sentence for --help
    Write write;
    bool weighs = false;  // it adds up: Options::weight means something to it
};

/// All of them, in the order of --help.
std::span<const Format> formats();

/// Null when there is none of that name.
const Format* find_format(std::string_view name);

/// Perfetto's own trace format: protobuf, for ui.perfetto.dev.
void write_perfetto(const Timeline& timeline, const Options& options, output::Sink& sink);

/// Trace-event JSON, for chrome://tracing and whatever else reads it.
void write_chrome(const Timeline& timeline, const Options& options, output::Sink& sink);

/// Flame-graph stacks, one a line: process;cause;thread;wait class;frames WEIGHT. The weight is held
/// milliseconds, at least 1 where anything was held, or the number of holds.
void write_folded(const Timeline& timeline, const Options& options, output::Sink& sink);

/// speedscope's file format: a sampled profile of held time, and an evented profile of every thread.
void write_speedscope(const Timeline& timeline, const Options& options, output::Sink& sink);

/// The holds, one object a line, with the names of the JSON contract.
void write_ndjson(const Timeline& timeline, const Options& options, output::Sink& sink);

/// One hold as write_ndjson() has it, newline included.
void write_hold(const Timeline& timeline, const Hold& hold, output::Sink& sink);

}  // namespace waitclose::timeline
