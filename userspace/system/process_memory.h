// SPDX-License-Identifier: BSD-2-Clause
// What another process has in its memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace waitclose::system {

/// Copies what stands at `address` of a process. False when not all of it could be read: the process has
/// ended, nothing is there, or it is not ours to read.
bool read_memory(std::uint32_t pid, std::uint64_t address, std::span<std::byte> to);

/// Copies what stands from `address` on, page by page up to the first that cannot be read; gives the number
/// of bytes copied.
std::size_t read_memory_up_to(std::uint32_t pid, std::uint64_t address, std::span<std::byte> to);

}  // namespace waitclose::system
