// SPDX-License-Identifier: BSD-2-Clause
// Compares what waitclose says about a socket with the truth its culprit tells.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace runtime {

using nlohmann::json;

// When the tracer was attached: before the connection existed, between that and the FIN, or after the FIN.
enum class Tracing { from_start, before_fin, after };

// One sentence for everything that is not right; empty when the socket object agrees with the truth.
std::vector<std::string> disagreements(const json& socket, const json& truth, Tracing tracing);

// What `closed` says about the end: who, and for how long it was held.
std::vector<std::string> closing_disagreements(const json& event, const json& truth, const json& closed,
                                               Tracing tracing);

// The evidence of a cause by its name; null when it has none of that name.
const json* fact_of(const json& cause, std::string_view name);

std::string joined(const std::vector<std::string>& sentences);

}  // namespace runtime
