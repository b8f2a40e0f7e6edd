// SPDX-License-Identifier: BSD-2-Clause
// A set of ports as the kernel side wants it (wc_filter): one bit each.
#pragma once

#include <cstdint>

#include "bpf/records.h"

namespace waitclose::commands {

/// `map`: WC_PORT_BITMAP_BYTES, as in wc_filter.
inline bool has_port(const wc_u8* map, std::uint16_t port) {
    return (map[port / 8] >> (port % 8) & 1U) != 0;
}

inline void add_port(wc_u8* map, std::uint16_t port) {
    map[port / 8] = static_cast<wc_u8>(map[port / 8] | 1U << (port % 8));
}

}  // namespace waitclose::commands
