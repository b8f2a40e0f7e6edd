// SPDX-License-Identifier: BSD-2-Clause
#include "system/network_facts.h"

#include <algorithm>
#include <string>

#include "system/files.h"
#include "system/text.h"

namespace waitclose::system {
namespace {

// /proc/net is the namespace of the process's first thread; a visit moves the calling one alone.
constexpr const char* kNetstat = "/proc/thread-self/net/netstat";
constexpr const char* kSockstat = "/proc/thread-self/net/sockstat";

/// /proc/sys/net shows the settings of the namespace of whoever opens it.
std::optional<std::uint64_t> setting(const char* path) {
    const auto line = read_line(path);
    return line ? to_number(*line) : std::nullopt;
}

/// Takes the first word (without the blanks before it) off the front.
std::string_view take_word(std::string_view& line) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    const std::string_view found = line.substr(0, line.find(' '));
    line.remove_prefix(found.size());
    return found;
}

std::optional<model::GrowingCount> counter(const std::optional<std::string>& text, std::string_view name) {
    const auto value = text ? netstat_counter(*text, "TcpExt:", name) : std::nullopt;
    if (!value) return std::nullopt;
    return model::GrowingCount{*value, std::nullopt};
}

}  // namespace

std::optional<std::uint64_t> netstat_counter(std::string_view text, std::string_view group,
                                             std::string_view name) {
    while (!text.empty()) {
        std::string_view names = take_line(text);
        std::string_view numbers = take_line(text);
        if (take_word(names) != group || take_word(numbers) != group) continue;
        for (std::string_view one = take_word(names); !one.empty(); one = take_word(names)) {
            const std::string_view number = take_word(numbers);
            if (one == name) return to_number(number);
        }
    }
    return std::nullopt;
}

std::optional<std::uint64_t> sockstat_number(std::string_view text, std::string_view group,
                                             std::string_view name) {
    while (!text.empty()) {
        std::string_view line = take_line(text);
        if (take_word(line) != group) continue;
        for (std::string_view one = take_word(line); !one.empty(); one = take_word(line)) {
            const std::string_view number = take_word(line);
            if (one == name) return to_number(number);
        }
    }
    return std::nullopt;
}

std::optional<model::FileTable> file_table_in(std::string_view text) {
    std::string_view line = take_line(text);
    std::string plain(line);
    std::ranges::replace(plain, '\t', ' ');
    const auto used = to_number(word(plain, 0));
    const auto limit = to_number(word(plain, 2));
    if (!used || !limit || *limit == 0) return std::nullopt;
    return model::FileTable{*used, *limit};
}

model::NetworkFacts network_facts_here() {
    const auto netstat = read_file(kNetstat);
    const auto sockstat = read_file(kSockstat, 4096);
    model::NetworkFacts facts;
    facts.somaxconn = setting("/proc/sys/net/core/somaxconn");
    facts.listen_overflows = counter(netstat, "ListenOverflows");
    facts.listen_drops = counter(netstat, "ListenDrops");
    if (sockstat) facts.time_wait = sockstat_number(*sockstat, "TCP:", "tw");
    facts.time_wait_limit = setting("/proc/sys/net/ipv4/tcp_max_tw_buckets");
    return facts;
}

std::optional<model::FileTable> file_table() {
    const auto text = read_file("/proc/sys/fs/file-nr", 4096);
    return text ? file_table_in(*text) : std::nullopt;
}

}  // namespace waitclose::system
