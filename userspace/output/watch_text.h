// SPDX-License-Identifier: BSD-2-Clause
// `watch` for people: one line an event, newline included, never cut (logs are searched).
#pragma once

#include <cstdint>
#include <string>

#include "diagnose/diagnosis.h"
#include "model/census.h"
#include "model/events.h"
#include "model/ledger.h"
#include "output/style.h"
#include "output/watch_json.h"

namespace waitclose::output {

/// `entered`, of which only the event is known yet.
std::string watch_text(const model::Connection& connection, std::int64_t at_epoch_ns, const TextStyle& style);

/// `held` or `changed`: who holds it, which thread, why.
std::string watch_text(WatchEvent event, std::int64_t at_epoch_ns, const model::Census& census,
                       const model::Socket& socket, const diagnose::Diagnosis& diagnosis,
                       const TextStyle& style);

/// `closed`: how long it was held and who ended it.
std::string watch_text(const model::Closed& closed, std::int64_t at_epoch_ns, const TextStyle& style);

/// A transition, for --all-transitions: time, OLD → NEW, addresses, id.
std::string transition_text(const model::Transition& transition, std::int64_t wall_offset_ns,
                            const TextStyle& style);

/// How a hold ended: "closed by thread http-exec-17 (4188) of process 4121". `left`: nothing when a census
/// found it gone.
std::string ending_text(const std::optional<model::Left>& left, const TextStyle& style);

}  // namespace waitclose::output
