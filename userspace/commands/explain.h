// SPDX-License-Identifier: BSD-2-Clause
// snapshot --explain: finds what was asked for in a census and writes it in full.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "commands/options.h"
#include "failure.h"
#include "model/census.h"
#include "model/target.h"
#include "output/sink.h"

namespace waitclose::commands {

struct ExplainRequest {
    model::Target target;
    std::string typed;
};

/// A failure here is a wrong usage.
Result<ExplainRequest> check_explain(const std::string& text);

/// Fails when nothing of it is held.
Result<void> explain(output::Sink& sink, const model::Census& census,
                     const std::vector<std::uint32_t>& selected, const ExplainRequest& request,
                     const Request& common);

}  // namespace waitclose::commands
