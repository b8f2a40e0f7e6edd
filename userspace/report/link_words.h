// SPDX-License-Identifier: BSD-2-Clause
// Threads of wait chains in words: who it is, in which function, and what it waits for. All texts are raw.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "replay/incident.h"

namespace waitclose::report {

/// "97 %"
std::string percent_text(std::uint64_t part, std::uint64_t whole);

/// What the capture saw the thread do; null where it did not follow it.
const replay::ThreadStory* story_of(const replay::Incident& incident, std::uint32_t pid, std::uint32_t tid);

/// "worker-3 (pid 41, tid 43)", with the process's name where that is another: "worker-3 of orders (...)".
std::string who_text(const replay::Incident& incident, std::uint32_t pid, std::uint32_t tid,
                     timeline::StringId comm);

/// Where it is by the last look; else where the capture found it most of the time. Each may be null.
std::string function_of(const replay::Incident& incident, const timeline::Link* link,
                        const replay::ThreadStory* story);

/// ", in write_audit_log,"
std::string in_text(const std::string& function);

/// "waits for the disk for 22 s: fdatasync(fd 12, /var/log/audit.log)"
std::string waits_text(const replay::Incident& incident, const timeline::Link& link);

/// What is at the end of a chain, by the class of its last wait: "the disk".
std::string resource_of(std::string_view what);

/// "; which is with keeper (pid 41, tid 44), in refill_quota, which sleeps for 22 s: nanosleep": a link that
/// is not the first.
std::string next_text(const replay::Incident& incident, const timeline::Link& link);

}  // namespace waitclose::report
