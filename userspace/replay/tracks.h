// SPDX-License-Identifier: BSD-2-Clause
// One hold as a timeline shows it.
#pragma once

#include <cstdint>
#include <optional>

#include "diagnose/diagnoser.h"
#include "model/census.h"
#include "model/events.h"
#include "replay/course.h"
#include "replay/incident.h"
#include "replay/lanes.h"
#include "replay/spans.h"
#include "timeline/timeline.h"

namespace waitclose::replay {

/// What an event tells of a socket.
void describe(timeline::Timeline& timeline, const model::Connection& connection, timeline::Hold& hold);

/// What a look tells: holders and data. `socket` is one of `census`.
void describe(timeline::Timeline& timeline, const model::Census& census, const model::Socket& socket,
              timeline::Hold& hold);

/// The diagnosis of that look, and what the culprit does meanwhile. `diagnoser` is that of the census.
Words words_of(timeline::Timeline& timeline, Lanes& lanes, const model::Census& census,
               diagnose::Diagnoser& diagnoser, const model::Socket& socket);

/// What accounts for the hold, and in what course that was said.
void settle(timeline::Timeline& timeline, Course& course, Fact& fact, timeline::Hold& hold);

/// Adds to the evidence who held it one after the other, if several did, and whether its owner has another
/// name now than some of what is told: `formerly`, if any.
void tell_owners(timeline::Timeline& timeline, timeline::Hold& hold, timeline::StringId formerly);

/// Everything that lies on a track. The hold ends within the window.
struct Track {
    const Fact& fact;
    std::optional<Span> span;
    std::optional<model::Deed> touch;  // within the hold
    timeline::ThreadRef toucher;
    std::optional<std::uint64_t> eof_ns;
    bool queued = false;
    timeline::ThreadRef closer;
};

/// Times, phases and deeds.
void lay_out(timeline::Timeline& timeline, const Track& track, timeline::Hold& hold);

}  // namespace waitclose::replay
