// SPDX-License-Identifier: BSD-2-Clause
// What a thread asks poll() for, as its own memory tells.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include <poll.h>

#include "model/process.h"

namespace waitclose::system {

/// An array of this length at most is looked at.
inline constexpr std::uint32_t kMostPolled = 2;

/// The one descriptor that is asked about, for data or for room; nothing when there are several, or when it
/// is asked for neither. Negative descriptors are none: poll() leaves them out.
std::optional<model::Polled> only_polled(std::span<const pollfd> asked);

/// The same by the arguments of a poll() or ppoll() that a thread of `pid` sleeps in, with its timeout. Waits
/// for the process's mmap_lock (may_hold_memory_lock).
std::optional<model::Polled> read_polled(std::uint32_t pid, std::uint32_t number,
                                         std::span<const std::uint64_t, 4> arguments);

}  // namespace waitclose::system
