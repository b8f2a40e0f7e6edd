// SPDX-License-Identifier: BSD-2-Clause
// What each disk did over a stretch of time: the counters of /proc/diskstats at its two ends.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waitclose::system {

/// Since boot (Documentation/admin-guide/iostats.rst); times in ms, sectors of 512 bytes.
struct DiskCounters {
    std::uint32_t major = 0;
    std::uint32_t minor = 0;
    std::uint64_t reads = 0;
    std::uint64_t read_sectors = 0;
    std::uint64_t read_ms = 0;
    std::uint64_t writes = 0;
    std::uint64_t written_sectors = 0;
    std::uint64_t write_ms = 0;
    std::uint64_t in_flight = 0;  // now
    std::uint64_t busy_ms = 0;
    std::optional<std::uint64_t> flushes;  // since 5.5
    std::optional<std::uint64_t> flush_ms;
};
using DiskTable = std::map<std::string, DiskCounters>;  // by name

/// In between. A mean is absent where nothing was finished.
struct DiskActivity {
    std::string name;
    std::uint32_t major = 0;
    std::uint32_t minor = 0;
    std::uint64_t reads = 0;
    std::uint64_t read_bytes = 0;
    std::uint64_t writes = 0;
    std::uint64_t written_bytes = 0;
    std::uint64_t in_flight = 0;  // at the end
    double busy = 0;              // share of the time, 0 to 1
    std::optional<double> mean_read_ms;
    std::optional<double> mean_write_ms;
    std::optional<std::uint64_t> flushes;
    std::optional<double> mean_flush_ms;
};

/// Of the text of /proc/diskstats; malformed lines are left out.
DiskTable disk_table_in(std::string_view diskstats);
/// Now; empty where it cannot be read.
DiskTable disk_table();

/// Of disks that are in both and did something, or have something to do; the busiest first. `elapsed_ns`
/// must not be 0.
std::vector<DiskActivity> disk_activity(const DiskTable& before, const DiskTable& after,
                                        std::uint64_t elapsed_ns);

}  // namespace waitclose::system
