// SPDX-License-Identifier: BSD-2-Clause
// What a HotSpot JVM says of its own pauses, in the file that jstat reads (hsperfdata).
//
// Its form, version 2.0: a prologue of 32 bytes (magic number ca fe c0 c0; then a byte for the byte order of
// the rest: 0 big, 1 little; major and minor version; whether it is complete; bytes used; overflow; time of
// the last change; where the entries begin; how many there are). An entry is its length, the offset of its
// name, the length of a vector or 0, a letter for its type, flags, units, variability, and the offset of its
// value. All of it was written by the program that is looked at, so nothing of it is believed unchecked.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/process.h"
#include "model/window.h"

namespace waitclose::system {

/// Since the JVM started, as far as the pauses have ended.
struct JvmCounters {
    std::uint32_t pid = 0;
    std::uint64_t start_ns = 0;
    std::uint64_t collecting_ns = 0;  // in stop-the-world collections, of all collectors
    std::uint64_t collections = 0;
    std::uint64_t safepoints_ns = 0;
    std::optional<std::uint64_t> in_collection;  // one goes on; the number says which
};

/// The counters of a process; nothing when it has no such file, or one that is not its own any more: the file
/// must be the one that the process has mapped. `process` must still be the one meant (its start is checked).
std::optional<JvmCounters> jvm_counters(const model::Process& process);

/// The same from the bytes of the file; nothing when they are malformed.
std::optional<JvmCounters> jvm_counters_in(std::string_view bytes);

/// What happened between two readings.
void add_jvm_pauses(std::span<const JvmCounters> before, std::span<const JvmCounters> after,
                    model::Window& window);

/// A file that a process has mapped.
struct MappedFile {
    std::string path;
    std::uint64_t inode = 0;
};

/// The first hsperfdata file in the text of /proc/PID/maps; nothing when there is none, or a deleted one.
std::optional<MappedFile> hsperfdata_in(std::string_view maps);

}  // namespace waitclose::system
