// SPDX-License-Identifier: BSD-2-Clause
// The listeners of a census and their accept queues, for machines and for people.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "model/census.h"
#include "output/style.h"

namespace waitclose::output {

/// One listener: its queue, its owners, and what was counted of accept() on it; null where it is not known.
nlohmann::ordered_json listener_json(const model::Census& census, std::size_t index);

/// What is known of every network namespace that was entered.
nlohmann::ordered_json networks_json(const model::Census& census);

/// A sentence for each listener with a problem, the fullest queue first, at most `most`: its queue holds
/// connections whose peers have hung up or was as full as it may get, or accept() fails on it. `listeners`:
/// those to look at, as indices into census.listeners.
std::vector<std::string> listener_lines(const model::Census& census, const std::set<std::uint32_t>& listeners,
                                        const TextStyle& style, std::size_t most = 5);

/// ", 62 % of tcp_max_tw_buckets"; empty below a half of it, and where the limit is not known.
std::string time_wait_remark(const model::Census& census);

}  // namespace waitclose::output
