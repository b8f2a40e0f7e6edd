// SPDX-License-Identifier: BSD-2-Clause
// One held socket as the object of the JSON contract: ids and cookies are strings, times integer nanoseconds,
// and what is not known is null.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "diagnose/diagnosis.h"
#include "model/census.h"
#include "model/ledger.h"

namespace waitclose::output {

/// A socket as a census read it, with its diagnosis.
nlohmann::ordered_json socket_json(const model::Census& census, const model::Socket& socket,
                                   const diagnose::Diagnosis& diagnosis);

/// A socket of which only events are known: the same keys, null where an event does not tell.
nlohmann::ordered_json socket_json(const model::Hold& hold, std::uint64_t held_ns,
                                   std::int64_t wall_offset_ns);

/// Brings the hold of an object made earlier up to date, e.g. to what it was when it ended.
void set_hold(nlohmann::ordered_json& socket, std::uint64_t held_ns, std::uint64_t since_ns,
              model::Precision precision, std::int64_t wall_offset_ns);

/// The value on one line, in ASCII: what a terminal could obey (C1 controls, bidi overrides) is escaped as
/// \uXXXX, and bytes that are not UTF-8 become U+FFFD.
std::string dump(const nlohmann::ordered_json& value);

/// Its cookie as a string; null where the kernel does not give it.
nlohmann::ordered_json cookie_json(const model::SocketKey& key);

/// A name; null where it is not known, as of a process that went away while it was looked at.
nlohmann::ordered_json comm_json(const std::string& comm);

/// "netns:cookie", the id of a socket; "netns:own-number" where it has no cookie.
std::string id_text(const model::SocketKey& key);

/// "ipv4" or "ipv6"
const char* family_name(model::Family family);

/// {"address", "port"}
nlohmann::ordered_json endpoint_json(model::Family family, const model::Endpoint& endpoint);

}  // namespace waitclose::output
