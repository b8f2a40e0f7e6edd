// SPDX-License-Identifier: BSD-2-Clause
#include "clock.h"

#include <cstdio>
#include <ctime>
#include <stdexcept>

namespace runtime {

namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

std::int64_t read_clock(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return now.tv_sec * second_ns + now.tv_nsec;
}

// The tightest of a few readings, as a preemption between the two clocks would be taken for an offset.
std::int64_t boot_minus_wall() {
    std::int64_t best = 0;
    std::int64_t tightest = second_ns;
    for (int i = 0; i < 10; ++i) {
        std::int64_t before = read_clock(CLOCK_BOOTTIME);
        std::int64_t wall = read_clock(CLOCK_REALTIME);
        std::int64_t after = read_clock(CLOCK_BOOTTIME);
        if (after - before >= tightest) continue;
        tightest = after - before;
        best = before + tightest / 2 - wall;
    }
    return best;
}

}  // namespace

std::int64_t boot_ns() {
    return read_clock(CLOCK_BOOTTIME);
}

std::int64_t boot_ns_of(const std::string& utc) {
    std::tm date{};
    long nanoseconds = 0;
    if (std::sscanf(utc.c_str(), "%d-%d-%dT%d:%d:%d.%9ldZ", &date.tm_year, &date.tm_mon, &date.tm_mday,
                    &date.tm_hour, &date.tm_min, &date.tm_sec, &nanoseconds) != 7)
        throw std::runtime_error("not a time in UTC with nanoseconds: " + utc);
    date.tm_year -= 1900;
    date.tm_mon -= 1;
    return timegm(&date) * second_ns + nanoseconds + boot_minus_wall();
}

}  // namespace runtime
