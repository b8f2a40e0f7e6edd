// SPDX-License-Identifier: BSD-2-Clause
// What a capture adds to a report: the reason in three lines, and what the threads did. All texts are raw.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "output/sink.h"
#include "output/style.h"
#include "replay/incident.h"

namespace waitclose::report {

/// Of the group with most sockets (and which part of all that is, where there are others): who, in which
/// function; what that waits for, along the chain; what is at the end of it. At most three, none where there
/// was no capture. Nobody is named where nobody is to blame, as far as is known.
std::vector<std::string> reason_lines(const replay::Incident& incident);

/// What each of these lines is about.
inline constexpr std::array<std::string_view, 3> kReasonLabels{"Who", "Waits", "For"};

/// "What the threads did", for people; nothing where there was no capture.
void write_threads(output::Sink& sink, const replay::Incident& incident, const output::TextStyle& style);

/// The capture as an object: when, what it lacked, the reason, and the threads; null where there was none.
nlohmann::ordered_json capture_json(const replay::Incident& incident);

/// The same as a table: first the titles of its columns; empty where no thread was followed.
std::vector<std::vector<std::string>> thread_rows(const replay::Incident& incident);

}  // namespace waitclose::report
