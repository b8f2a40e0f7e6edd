// SPDX-License-Identifier: BSD-2-Clause
// The file of a recording, before SQLite knows of it.
#pragma once

#include <cstdint>
#include <string>

#include "failure.h"
#include "system/files.h"

namespace waitclose::store {

/// The path with its directory resolved: SQLite is told to follow no symbolic link at all.
Result<std::string> resolved(const std::string& path);

/// Whether a recording can be written there: nothing is in the way, or a recording that may be replaced.
Result<void> check_place(const std::string& path, bool force);

/// Creates the file, empty and for its owner alone, and marks it as being written for as long as the
/// descriptor is open. That has to outlive SQLite's use of the file: closing any descriptor of it gives up
/// SQLite's locks. What check_place() allowed to replace is removed first.
Result<system::Descriptor> create_place(const std::string& path, bool force);

/// Whether a recorder writes to this file now. Any descriptor of it will do.
bool is_being_written(const system::Descriptor& file);

enum class Whereabouts : std::uint8_t {
    kInPlace,
    kMoved,    // it has another name now, and something else may have its own
    kRemoved,  // it has no name any more
};

/// What has become of the file that was created under that name.
Whereabouts whereabouts(const system::Descriptor& file, const std::string& path);

/// Removes a recording and what SQLite keeps beside it.
void remove_place(const std::string& path);

/// Whether the file, which a symbolic link may lead to, begins as a recording of waitclose does.
bool is_recording(const std::string& path);

/// What is free on that file system, in bytes; 0 when that cannot be told.
std::uint64_t free_bytes(const std::string& path);

/// A nameless file of so many bytes in the same directory: to be closed when the disk is full and the last
/// words need room. None where the file system has no such files.
system::Descriptor room_beside(const std::string& path, std::uint64_t bytes);

/// The size of a file, in bytes; 0 when there is none.
std::uint64_t size_of(const std::string& path);

}  // namespace waitclose::store
