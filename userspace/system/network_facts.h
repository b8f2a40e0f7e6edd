// SPDX-License-Identifier: BSD-2-Clause
// What /proc says of a network namespace as a whole, and of the open files of the machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "model/accept_side.h"

namespace waitclose::system {

/// Reads those of the network namespace that the calling thread is in; what cannot be read stays empty.
model::NetworkFacts network_facts_here();

/// Reads /proc/sys/fs/file-nr; nothing when it cannot be read.
std::optional<model::FileTable> file_table();

/// A counter of the text of /proc/net/netstat, where a line of names is followed by one of numbers; nothing
/// when there is none of that name.
std::optional<std::uint64_t> netstat_counter(std::string_view text, std::string_view group,
                                             std::string_view name);

/// A number of the text of /proc/net/sockstat, e.g. of "TCP:" that of "tw"; nothing when there is none.
std::optional<std::uint64_t> sockstat_number(std::string_view text, std::string_view group,
                                             std::string_view name);

/// The text of /proc/sys/fs/file-nr: used, free (0 since 2.6), limit.
std::optional<model::FileTable> file_table_in(std::string_view text);

}  // namespace waitclose::system
