// SPDX-License-Identifier: BSD-2-Clause
#include "system/tcp_table.h"

#include <charconv>

#include <fmt/format.h>

#include "system/files.h"
#include "system/text.h"

namespace waitclose::system {

void add_tcp_states(std::string_view table, const std::set<std::uint64_t>& inodes, TcpStates& states) {
    constexpr int kState = 3;  // sl local_address rem_address st ...
    constexpr int kInode = 9;
    while (!table.empty()) {
        const std::string_view line = take_line(table);
        const auto inode = to_number(word(line, kInode));
        if (!inode || *inode == 0 || !inodes.contains(*inode)) continue;
        const std::string_view hex = word(line, kState);
        std::uint8_t state = 0;
        const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), state, 16);
        if (error == std::errc{} && end == hex.data() + hex.size())
            ++states.count[static_cast<model::TcpState>(state)];
    }
}

TcpStates tcp_states(std::uint32_t pid, const std::set<std::uint64_t>& inodes, std::size_t limit) {
    TcpStates states;
    if (inodes.empty()) return states;
    for (const char* name : {"tcp", "tcp6"}) {
        const auto table = read_file(fmt::format("/proc/{}/net/{}", pid, name), limit);
        if (!table) {
            // Without IPv6 there is no such table.
            states.whole = states.whole && std::string_view(name) == "tcp6";
            continue;
        }
        if (table->size() >= limit) states.whole = false;
        add_tcp_states(*table, inodes, states);
    }
    return states;
}

}  // namespace waitclose::system
