// SPDX-License-Identifier: BSD-2-Clause
// The file of a recording, before SQLite knows of it.
#pragma once

#include <cstdint>
#include <string>

#include "failure.h"

namespace waitclose::store {

/// The path with its directory resolved: SQLite is told to follow no symbolic link at all.
Result<std::string> resolved(const std::string& path);

/// Whether a recording can be written there: nothing is in the way, or a recording that may be replaced.
Result<void> check_place(const std::string& path, bool force);

/// Creates the file, empty and for its owner alone. What check_place() allowed to replace is removed first.
Result<void> create_place(const std::string& path, bool force);

/// Removes a recording and what SQLite keeps beside it.
void remove_place(const std::string& path);

/// Whether the file begins as a recording of waitclose does.
bool is_recording(const std::string& path);

/// What is free on that file system, in bytes; 0 when that cannot be told.
std::uint64_t free_bytes(const std::string& path);

/// The size of a file, in bytes; 0 when there is none.
std::uint64_t size_of(const std::string& path);

}  // namespace waitclose::store
