// SPDX-License-Identifier: BSD-2-Clause
#include "system/disk_statistics.h"

#include <algorithm>
#include <array>
#include <limits>

#include "system/files.h"
#include "system/text.h"

namespace waitclose::system {
namespace {

constexpr std::uint64_t kSectorBytes = 512;

/// Counters wrap, and those of a device that was removed and came back begin anew.
std::uint64_t grown(std::uint64_t before, std::uint64_t after) {
    return after >= before ? after - before : 0;
}

std::optional<double> mean(std::uint64_t total_ms, std::uint64_t count) {
    if (count == 0) return std::nullopt;
    return static_cast<double>(total_ms) / static_cast<double>(count);
}

std::uint64_t bytes_of(std::uint64_t sectors) {
    return sectors > std::numeric_limits<std::uint64_t>::max() / kSectorBytes ? 0 : sectors * kSectorBytes;
}

DiskActivity between(const std::string& name, const DiskCounters& before, const DiskCounters& after,
                     std::uint64_t elapsed_ns) {
    DiskActivity did;
    did.name = name;
    did.major = after.major;
    did.minor = after.minor;
    did.reads = grown(before.reads, after.reads);
    did.read_bytes = bytes_of(grown(before.read_sectors, after.read_sectors));
    did.writes = grown(before.writes, after.writes);
    did.written_bytes = bytes_of(grown(before.written_sectors, after.written_sectors));
    did.in_flight = after.in_flight;
    did.busy = std::min(1.0, static_cast<double>(grown(before.busy_ms, after.busy_ms)) * 1e6 /
                                 static_cast<double>(elapsed_ns));
    did.mean_read_ms = mean(grown(before.read_ms, after.read_ms), did.reads);
    did.mean_write_ms = mean(grown(before.write_ms, after.write_ms), did.writes);
    if (before.flushes && after.flushes) {
        did.flushes = grown(*before.flushes, *after.flushes);
        did.mean_flush_ms =
            mean(grown(before.flush_ms.value_or(0), after.flush_ms.value_or(0)), *did.flushes);
    }
    return did;
}

}  // namespace

DiskTable disk_table_in(std::string_view diskstats) {
    constexpr int kFirst = 3;  // after major, minor, name
    DiskTable table;
    while (!diskstats.empty()) {
        const std::string_view line = take_line(diskstats);
        const auto major = to_number(word(line, 0));
        const auto minor = to_number(word(line, 1));
        const std::string_view name = word(line, 2);
        std::array<std::optional<std::uint64_t>, 17> field;
        for (std::size_t i = 0; i < field.size(); ++i)
            field.at(i) = to_number(word(line, kFirst + static_cast<int>(i)));
        constexpr std::size_t kSinceEver = 11;
        const auto known =
            std::ranges::find_if_not(field, &std::optional<std::uint64_t>::has_value) - field.begin();
        if (!major || !minor || name.empty() || known < static_cast<std::ptrdiff_t>(kSinceEver)) continue;
        constexpr auto kMost = std::numeric_limits<std::uint32_t>::max();
        if (*major > kMost || *minor > kMost) continue;
        table[std::string(name)] = {static_cast<std::uint32_t>(*major),
                                    static_cast<std::uint32_t>(*minor),
                                    *field[0],
                                    *field[2],
                                    *field[3],
                                    *field[4],
                                    *field[6],
                                    *field[7],
                                    *field[8],
                                    *field[9],
                                    field[15],
                                    field[16]};
    }
    return table;
}

DiskTable disk_table() {
    const auto text = read_file("/proc/diskstats");
    return text ? disk_table_in(*text) : DiskTable{};
}

std::vector<DiskActivity> disk_activity(const DiskTable& before, const DiskTable& after,
                                        std::uint64_t elapsed_ns) {
    std::vector<DiskActivity> found;
    for (const auto& [name, now] : after) {
        const auto then = before.find(name);
        if (then == before.end()) continue;
        DiskActivity did = between(name, then->second, now, elapsed_ns);
        if (did.reads || did.writes || did.in_flight || did.flushes.value_or(0))
            found.push_back(std::move(did));
    }
    std::ranges::stable_sort(found, std::ranges::greater{}, &DiskActivity::busy);
    return found;
}

}  // namespace waitclose::system
