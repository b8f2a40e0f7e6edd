// SPDX-License-Identifier: BSD-2-Clause
// `snapshot --json`: one object, schema waitclose.snapshot/1.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "output/sink.h"
#include "output/snapshot_view.h"

namespace waitclose::output {

inline constexpr const char* kSnapshotSchema = "waitclose.snapshot/1";

/// The objects "host" and "probes" of a snapshot, and "fds" of a group.
nlohmann::ordered_json host_json(const model::HostFacts& host);
nlohmann::ordered_json probes_json(const model::ProbeFacts& probes);
nlohmann::ordered_json fds_json(const diagnose::FdOutlook& fds);

/// One group: its story's figures, its members by id, and its owner's descriptors.
nlohmann::ordered_json group_json(const model::Census& census, const diagnose::Group& group);

/// Writes the object, one line a socket: each is diagnosed and written before the next, so that 200,000
/// sockets never stand in memory. Stops early when the sink has ended; the caller's finish() reports why.
void write_snapshot_json(Sink& sink, const SnapshotView& view);

}  // namespace waitclose::output
