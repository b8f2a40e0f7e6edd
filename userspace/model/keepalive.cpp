// SPDX-License-Identifier: BSD-2-Clause
#include "model/keepalive.h"

#include <algorithm>

namespace waitclose::model {
namespace {

/// Where all sums end, so that hostile settings overflow nothing: 126 years.
constexpr std::uint64_t kNever = 4'000'000'000'000'000'000;

std::uint64_t plus(std::uint64_t at_ns, std::uint64_t span_ns) {
    return at_ns >= kNever || span_ns >= kNever - at_ns ? kNever : at_ns + span_ns;
}

std::uint64_t times(std::uint64_t count, std::uint64_t span_ns) {
    return span_ns != 0 && count > kNever / span_ns ? kNever : count * span_ns;
}

/// How many intervals pass between the first probe and the end. With TCP_USER_TIMEOUT the kernel looks at
/// each interval, once a probe is out, whether so much time has passed without a segment.
std::uint64_t intervals(const Keepalive& keepalive) {
    if (keepalive.user_timeout_ns == 0) return *keepalive.probes;
    const std::uint64_t interval = std::max<std::uint64_t>(*keepalive.interval_ns, 1);
    const std::uint64_t idle = *keepalive.idle_ns;
    const std::uint64_t rest = keepalive.user_timeout_ns > idle ? keepalive.user_timeout_ns - idle : 0;
    return std::max<std::uint64_t>(rest / interval + (rest % interval != 0), 1);
}

}  // namespace

std::optional<Reaping> reaping_of(const Socket& socket) {
    const Keepalive& keepalive = socket.keepalive;
    if (!keepalive.on || socket.unsent_bytes > 0) return std::nullopt;
    if (!keepalive.idle_ns || !keepalive.interval_ns || !keepalive.probes) return std::nullopt;
    const std::uint64_t first = plus(keepalive.heard_ns, *keepalive.idle_ns);
    const std::uint64_t count = intervals(keepalive);
    return Reaping{first, plus(first, times(count, *keepalive.interval_ns)), count};
}

}  // namespace waitclose::model
