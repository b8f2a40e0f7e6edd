// SPDX-License-Identifier: BSD-2-Clause
// What happened in a recording, in words. All texts are raw: names in them have to be made harmless.
#pragma once

#include <string>
#include <vector>

#include "replay/incident.h"

namespace waitclose::report {

/// What happened; whose fault most of it is, as far as is shown, and why; how it ended. Two of them where
/// nothing was held.
std::vector<std::string> sentences(const replay::Incident& incident);

/// How the recording ended: "when it was asked to (SIGINT or SIGTERM)".
std::string ending_text(const store::About& about);

/// What was lost, and when, a sentence each; none when nothing was.
std::vector<std::string> loss_sentences(const replay::Incident& incident);

/// "likely", or "5 likely, 2 possible" where a group's holds differ.
std::string confidence_text(const replay::Group& group);

/// "java (4121)"; "nobody who could be named" for no process.
std::string owner_text(const replay::Incident& incident, std::uint32_t process);

/// Who holds a group: its owner, or where that is nobody of several, "sh (pid 12) and cat (pid 13)", two at
/// most by name.
std::string holders_text(const replay::Incident& incident, const replay::Group& group);

/// As the contract and watch say it: "program", "exit", "error", "kernel"; empty where it was missed or is
/// open.
std::string_view ended_word(replay::Ended ended);

/// "12 were closed by programs, and 3 ended with their processes"; what is open is not said. Empty of none.
std::string endings_text(const replay::Endings& endings);

/// "java (4121) 10, java (4122) 2, and others": the threads that closed holds of a group; empty of none.
std::string closers_text(const replay::Group& group);

/// "began at 20:00:10.000 or earlier"
std::string begin_text(const replay::Incident& incident, std::uint64_t since_ns, bool or_earlier);

/// "half held no longer than 1.2 s", or, where that is a lower bound only, "half held for 1.2 s or longer".
std::string typical_text(const replay::Group& group);

/// Nanoseconds since the epoch.
std::int64_t wall_ns(const replay::Incident& incident, std::uint64_t at_ns);

/// How long it was recorded.
std::uint64_t length_ns(const replay::Incident& incident);

}  // namespace waitclose::report
