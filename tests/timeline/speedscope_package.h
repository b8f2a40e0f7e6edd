// SPDX-License-Identifier: BSD-2-Clause
// The npm package speedscope: a reader of flame graphs that we did not write.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <tl/expected.hpp>

namespace waitclose::timeline::testing {

/// Where the package lies; fetched with npm once for a build directory, or named by WAITCLOSE_SPEEDSCOPE. The
/// error says why there is none.
const tl::expected<std::string, std::string>& speedscope_package();

/// What its importer makes of a file: {"profiles": [{"name", "unit", "total", "calls": [{"name", "depth",
/// "length"}]}]}. The error is what it said.
tl::expected<nlohmann::json, std::string> speedscope_reads(const std::string& package,
                                                           const std::string& file);

}  // namespace waitclose::timeline::testing
