// SPDX-License-Identifier: BSD-2-Clause
#include "system/keepalive.h"

#include <limits>

#include "model/units.h"
#include "system/files.h"
#include "system/text.h"

namespace waitclose::system {
namespace {

std::optional<std::uint64_t> setting(const char* name) {
    const auto line = read_line(std::string("/proc/sys/net/ipv4/tcp_keepalive_") + name);
    const auto number = line ? to_number(*line) : std::nullopt;
    // The kernel keeps them in an int.
    if (!number || *number > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
    return number;
}

}  // namespace

model::Keepalive keepalive_defaults() {
    model::Keepalive defaults;
    if (const auto seconds = setting("time")) defaults.idle_ns = *seconds * model::kSecond;
    if (const auto seconds = setting("intvl")) defaults.interval_ns = *seconds * model::kSecond;
    if (const auto count = setting("probes")) defaults.probes = static_cast<std::uint32_t>(*count);
    return defaults;
}

}  // namespace waitclose::system
