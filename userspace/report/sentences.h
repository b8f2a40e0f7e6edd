// SPDX-License-Identifier: BSD-2-Clause
// What happened in a recording, in words. All texts are raw: names in them have to be made harmless.
#pragma once

#include <string>
#include <vector>

#include "replay/incident.h"

namespace waitclose::report {

/// What happened; who held most and why; how it ended. Two of them where nothing was held.
std::vector<std::string> sentences(const replay::Incident& incident);

/// How the recording ended: "when it was asked to (SIGINT or SIGTERM)".
std::string ending_text(const store::About& about);

/// What was lost, and when, a sentence each; none when nothing was.
std::vector<std::string> loss_sentences(const replay::Incident& incident);

/// Holds that are not told of, and why not, a clause each; none where everything is told.
std::vector<std::string> left_out_clauses(const replay::Incident& incident);

/// When nobody looked for unusually long while something was held, a sentence each.
std::vector<std::string> gap_sentences(const replay::Incident& incident);

/// "likely", or "5 likely, 2 possible" where a group's holds differ.
std::string confidence_text(const replay::Group& group);

/// "java (4121)"; "nobody who could be named" for no process.
std::string owner_text(const replay::Incident& incident, std::uint32_t process);

/// "closed by thread http-1 (4188) of process 4121"
std::string ended_text(const replay::Fact& fact);

/// As the contract and watch say it: "program", "exit", "error", "kernel"; empty where it was missed or is
/// open.
std::string_view ended_word(replay::Ended ended);

/// How many of them ended so.
std::uint64_t count_ended(const replay::Incident& incident, replay::Ended ended);

/// Nanoseconds since the epoch.
std::int64_t wall_ns(const replay::Incident& incident, std::uint64_t at_ns);

/// How long it was recorded.
std::uint64_t length_ns(const replay::Incident& incident);

}  // namespace waitclose::report
