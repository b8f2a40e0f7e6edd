// SPDX-License-Identifier: BSD-2-Clause
// What a piece of work costs: always printed, and judged only where somebody measures (scripts/bench), for a
// slow or busy machine is no defect.
#pragma once

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fmt/format.h>

#include <cstdlib>
#include <string>
#include <string_view>

namespace waitclose::spent {

inline bool optimised() {
#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__)
    return true;
#else
    return false;
#endif
}

inline rusage used() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage;
}

/// Of a CPU, by this process so far, in user space and in the kernel.
inline double cpu_seconds() {
    const rusage usage = used();
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Prints a row, as scripts/lib/bench.py reads it. With `limited` and WAITCLOSE_MOST_SECONDS in the
/// environment it fails where that many seconds were not enough.
inline void tell_cost(std::string_view what, double seconds, std::string_view details, bool limited = true) {
    const char* most = limited ? std::getenv("WAITCLOSE_MOST_SECONDS") : nullptr;
    fmt::print("{}: {:.2f} s of a CPU, {}{}\n", what, seconds, details,
               most ? fmt::format(", at most {} s", most) : std::string());
    if (most != nullptr) {
        EXPECT_LE(seconds, std::strtod(most, nullptr)) << what;
    }
}

}  // namespace waitclose::spent
