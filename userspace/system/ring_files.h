// SPDX-License-Identifier: BSD-2-Clause
// Sockets that an io_uring has registered: each is a reference that no descriptor table shows.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "model/census.h"

namespace waitclose::system {

/// The inodes of the sockets among the registered files in the text of an io_uring's /proc/PID/fdinfo. While
/// the ring is busy the kernel leaves its list out, and older ones name no sockets in it: one that is not
/// listed may be registered nevertheless.
std::vector<std::uint64_t> registered_sockets(std::string_view fdinfo);

/// Notes at each held socket without a holder which of the rings has it registered. Reads nothing when every
/// socket has a holder. `rings`: descriptors of io_urings.
void find_registered(model::Census& census, std::span<const model::InFlight> rings);

}  // namespace waitclose::system
