// SPDX-License-Identifier: BSD-2-Clause
#include "model/accept_pace.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace waitclose::model {

void Outcome::add(const AcceptCalls& calls) {
    recent += calls.recent.value_or(0);
    total += calls.total;
    last_ns = std::max(last_ns, calls.last_ns);
}

Outcome AcceptPace::out_of_files() const {
    Outcome all;
    for (const std::uint32_t error : {EMFILE, ENFILE}) {
        const auto found = failed.find(error);
        if (found == failed.end()) continue;
        all.recent += found->second.recent;
        all.total += found->second.total;
        all.last_ns = std::max(all.last_ns, found->second.last_ns);
    }
    return all;
}

void sort_by_listener(AcceptSide& side) {
    std::ranges::stable_sort(side.calls, {}, &AcceptCalls::listener);
}

AcceptPace pace_at(const AcceptSide& side, std::int32_t listener, std::optional<std::uint32_t> pid) {
    AcceptPace pace;
    for (const AcceptCalls& calls :
         std::ranges::equal_range(side.calls, listener, {}, &AcceptCalls::listener)) {
        if (pid && calls.pid != *pid) continue;
        (calls.error ? pace.failed[calls.error] : pace.taken).add(calls);
    }
    return pace;
}

std::optional<double> accepts_per_second(const AcceptSide& side, const AcceptPace& pace) {
    if (!side.counted || !side.window_ns || *side.window_ns == 0) return std::nullopt;
    return static_cast<double>(pace.taken.recent) * 1e9 / static_cast<double>(*side.window_ns);
}

std::string errno_name(std::uint32_t error) {
    const char* name = ::strerrorname_np(static_cast<int>(error));
    return name ? name : "error " + std::to_string(error);
}

std::optional<bool> is_limited_by_somaxconn(const AcceptSide& side, std::uint32_t netns,
                                            std::uint32_t backlog_limit) {
    const auto network = side.networks.find(netns);
    if (network == side.networks.end() || !network->second.somaxconn) return std::nullopt;
    return *network->second.somaxconn == backlog_limit;
}

}  // namespace waitclose::model
