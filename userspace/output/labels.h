// SPDX-License-Identifier: BSD-2-Clause
// How processes, threads and connections are called in text for people. All of it is printable.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "diagnose/diagnosis.h"
#include "model/census.h"
#include "output/style.h"

namespace waitclose::output {

/// "java (4121)"
std::string process_text(std::string_view comm, std::uint32_t pid, const TextStyle& style);

/// "http-exec-17 (4188)", the process when no thread is named, "-" when nobody is.
std::string culprit_text(const diagnose::Diagnosis& diagnosis, const TextStyle& style);

/// "java (4121) fd 57", with "+2" for further holders; "accept queue" or "-" when there is no holder.
std::string holder_text(const model::Census& census, const model::Socket& socket, const TextStyle& style);

/// "java (4121), nginx (99) and 2 more": the processes that hold it, or the listener it waits at; "no
/// process" when none does.
std::string holders_text(const model::Census& census, const model::Socket& socket, const TextStyle& style);

/// The same for table cells, numbers first: "4188 http-exec-17" and "4121:57 java", "4121:57+2 java".
std::string culprit_cell(const diagnose::Diagnosis& diagnosis, const TextStyle& style);
std::string holder_cell(const model::Census& census, const model::Socket& socket, const TextStyle& style);

/// "10.0.0.7:8080 ← 10.2.3.4:51234", the arrow pointing to who was connected to.
std::string connection_text(model::Role role, model::Family family, const model::Endpoint& local,
                            const model::Endpoint& remote, const TextStyle& style);

/// "2h13m", or "≥2h13m" for a lower bound.
std::string held_cell(std::uint64_t held_ns, model::Precision precision, const TextStyle& style);

}  // namespace waitclose::output
