// SPDX-License-Identifier: BSD-2-Clause
#include "system/host.h"

#include <sys/utsname.h>
#include <time.h>

#include <limits>

#include "system/files.h"

namespace waitclose::system {
namespace {

std::uint64_t to_ns(const timespec& time) {
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
           static_cast<std::uint64_t>(time.tv_nsec);
}

std::uint64_t read_clock(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return to_ns(now);
}

}  // namespace

model::HostFacts host_facts() {
    model::HostFacts facts;
    utsname names{};
    if (uname(&names) == 0) {
        facts.hostname = names.nodename;
        facts.kernel = names.release;
    }
    if (auto id = read_line("/proc/sys/kernel/random/boot_id")) facts.boot_id = *id;
    return facts;
}

std::uint64_t boottime_ns() {
    return read_clock(CLOCK_BOOTTIME);
}

std::uint64_t own_cpu_ns() {
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

std::int64_t wall_offset_ns() {
    // A preemption between the two clocks would be taken for an offset: the tightest of a few readings.
    constexpr std::uint64_t tight_ns = 2'000;
    constexpr int most_readings = 20;
    std::uint64_t tightest = std::numeric_limits<std::uint64_t>::max();
    std::int64_t offset = 0;
    for (int i = 0; i < most_readings && tightest > tight_ns; ++i) {
        const std::uint64_t before = read_clock(CLOCK_BOOTTIME);
        const std::uint64_t wall = read_clock(CLOCK_REALTIME);
        const std::uint64_t took = read_clock(CLOCK_BOOTTIME) - before;
        if (took >= tightest) continue;
        tightest = took;
        offset = static_cast<std::int64_t>(wall - (before + took / 2));
    }
    return offset;
}

std::uint64_t tick_ns() {
    // The kernel's KTIME_LOW_RES is one tick (hrtimers, since 2.6.32); no kconfig needs to be read for it.
    timespec resolution{};
    clock_getres(CLOCK_MONOTONIC_COARSE, &resolution);
    return to_ns(resolution);
}

}  // namespace waitclose::system
