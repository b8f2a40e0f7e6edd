// SPDX-License-Identifier: BSD-2-Clause
// `snapshot` for people: what is going on in a header, then who, how long and why, largest group first.
#pragma once

#include <cstdint>

#include "output/sink.h"
#include "output/snapshot_view.h"
#include "output/style.h"

namespace waitclose::output {

inline constexpr std::size_t kGroupsShown = 20;

/// The header and the first `most` groups.
void write_snapshot_text(Sink& sink, const SnapshotView& view, const TextStyle& style,
                         std::size_t most = kGroupsShown);

/// The header alone: states, holds, descriptors, and what could not be seen.
void write_snapshot_header(Sink& sink, const SnapshotView& view, const TextStyle& style);

/// `--sockets`: the header and every socket, longest held first.
void write_socket_table(Sink& sink, const SnapshotView& view, const TextStyle& style);

}  // namespace waitclose::output
