// SPDX-License-Identifier: BSD-2-Clause
// Everything a snapshot shows, gathered for the writers. Holds references: keep the parts alive.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "diagnose/group.h"
#include "model/census.h"
#include "model/facts.h"
#include "model/selection.h"

namespace waitclose::output {

/// Names the cause of one hold.
using Explain = std::function<diagnose::Diagnosis(const model::Socket&)>;

struct SnapshotView {
    const model::Census& census;
    const std::vector<std::uint32_t>& selected;  // the sockets to show, into census.sockets
    const std::vector<diagnose::Group>& groups;
    const model::HostFacts& host;
    const model::ProbeFacts& probes;
    const model::Losses& losses;
    Explain explain = {};  // empty: a Diagnoser of the census
    model::LeftOut left_out = {};
    model::Selection selection = {};  // what `selected` was selected by
};

/// What the writers ask for diagnoses while they go through the sockets.
Explain explain_of(const SnapshotView& view);

}  // namespace waitclose::output
