// SPDX-License-Identifier: BSD-2-Clause
#include "output/listeners.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "model/accept_pace.h"
#include "output/escape.h"
#include "output/format.h"
#include "output/json.h"
#include "output/labels.h"

namespace waitclose::output {

using model::Census;
using model::Socket;
using model::TcpState;
using nlohmann::ordered_json;

namespace {

template <typename T>
ordered_json or_null(const std::optional<T>& value) {
    return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json recent_or_null(const std::optional<model::GrowingCount>& counter) {
    return counter ? or_null(counter->recent) : ordered_json(nullptr);
}

/// Null where nothing was walked and yet something waits.
const model::AcceptQueue* queue_at(const Census& census, std::size_t index) {
    if (index >= census.accept.queues.size()) return nullptr;
    const model::AcceptQueue& queue = census.accept.queues[index];
    return queue.walked || census.listeners[index].backlog == 0 ? &queue : nullptr;
}

std::uint32_t in_state(const model::AcceptQueue& queue, TcpState state) {
    return queue.by_state[static_cast<std::size_t>(state)];
}

const model::NetworkFacts* network_of(const Census& census, const Socket& listener) {
    const auto found = census.accept.networks.find(listener.netns);
    return found == census.accept.networks.end() ? nullptr : &found->second;
}

ordered_json owners_json(const Census& census, const Socket& listener) {
    ordered_json owners = ordered_json::array();
    for (const model::Holder& holder : census.holders_of(listener)) {
        const model::Process& process = census.process_of(holder);
        owners.push_back({{"pid", process.pid}, {"fd", holder.fd}, {"comm", process.comm}});
    }
    return owners;
}

ordered_json queued_json(const model::AcceptQueue* queue) {
    if (!queue) return nullptr;
    ordered_json states = ordered_json::object();
    for (std::size_t state = 0; state < queue->by_state.size(); ++state)
        if (queue->by_state[state])
            states[model::name_of(static_cast<TcpState>(state))] = queue->by_state[state];
    return states;
}

ordered_json oldest_json(const Census& census, const model::AcceptQueue* queue) {
    if (!queue || !queue->oldest_since_ns || *queue->oldest_since_ns > census.taken_ns) return nullptr;
    return census.taken_ns - *queue->oldest_since_ns;
}

ordered_json failed_json(const model::AcceptSide& side, const model::AcceptPace& pace) {
    if (!side.counted) return nullptr;
    ordered_json failed = ordered_json::object();
    for (const auto& [error, outcome] : pace.failed)
        failed[model::errno_name(error)] = {
            {"recent", side.window_ns ? ordered_json(outcome.recent) : ordered_json(nullptr)},
            {"total", outcome.total}};
    return failed;
}

ordered_json limit_from_json(const Census& census, const Socket& listener) {
    const auto limited =
        model::is_limited_by_somaxconn(census.accept, listener.netns, listener.backlog_limit);
    if (!limited) return nullptr;
    return *limited ? "somaxconn" : "listen";
}

ordered_json rate_json(const model::AcceptSide& side, const model::AcceptPace& pace) {
    const auto rate = model::accepts_per_second(side, pace);
    if (!rate) return nullptr;
    return std::round(*rate * 1000) / 1000;
}

/// The queue takes what comes while no more than its limit waits (sk_acceptq_is_full), so it fills to one
/// more.
bool is_full(const Socket& listener) {
    return listener.backlog_limit > 0 && listener.backlog >= listener.backlog_limit;
}

bool has_problem(const Census& census, std::size_t index) {
    const Socket& listener = census.listeners[index];
    if (is_full(listener)) return true;
    const auto pace = model::pace_at(census.accept, static_cast<std::int32_t>(index));
    if (pace.out_of_files().recent > 0) return true;
    const model::AcceptQueue* queue = queue_at(census, index);
    return queue && (in_state(*queue, TcpState::kCloseWait) || in_state(*queue, TcpState::kClose));
}

std::string owners_text(const Census& census, const Socket& listener, const TextStyle& style) {
    std::set<std::uint32_t> others;
    const model::Process* first = nullptr;
    for (const model::Holder& holder : census.holders_of(listener)) {
        const model::Process& process = census.process_of(holder);
        if (!first) first = &process;
        if (process.pid != first->pid) others.insert(process.pid);
    }
    if (!first) return "no process here";
    std::string text = process_text(first->comm, first->pid, style);
    if (!others.empty()) text += fmt::format(" and {} more", others.size());
    return text;
}

std::string members_text(const model::AcceptQueue& queue) {
    constexpr std::array<std::pair<TcpState, const char*>, 3> kNamed{{
        {TcpState::kEstablished, "connected"},
        {TcpState::kCloseWait, "hung up by the peer"},
        {TcpState::kClose, "reset by the peer"},
    }};
    std::vector<std::string> parts;
    std::uint32_t named = 0;
    for (const auto& [state, words] : kNamed) {
        if (const std::uint32_t count = in_state(queue, state))
            parts.push_back(fmt::format("{} {}", count_text(count), words));
        named += in_state(queue, state);
    }
    if (queue.walked > named) parts.push_back(fmt::format("{} other", count_text(queue.walked - named)));
    return fmt::format("{}", fmt::join(parts, ", "));
}

std::string pace_text(const Census& census, std::size_t index) {
    const auto pace = model::pace_at(census.accept, static_cast<std::int32_t>(index));
    std::string text;
    if (const auto rate = model::accepts_per_second(census.accept, pace))
        text = fmt::format("; {:.{}f} accepted a second", *rate, *rate > 0 && *rate < 10 ? 1 : 0);
    for (const auto& [error, outcome] : pace.failed)
        if (outcome.recent)
            text += fmt::format("; accept() failed {} {} with {}", count_text(outcome.recent),
                                outcome.recent == 1 ? "time" : "times", model::errno_name(error));
    return text;
}

std::string overflow_text(const Census& census, const Socket& listener) {
    const model::NetworkFacts* network = network_of(census, listener);
    if (!network || !network->listen_overflows || network->listen_overflows->recent.value_or(0) == 0)
        return {};
    return fmt::format("; ListenOverflows grew by {}", count_text(*network->listen_overflows->recent));
}

std::string line_of(const Census& census, std::size_t index, const TextStyle& style) {
    const Socket& listener = census.listeners[index];
    const auto limited =
        model::is_limited_by_somaxconn(census.accept, listener.netns, listener.backlog_limit);
    std::string text = fmt::format("port {} of {}: {} waiting, limit {}{}", listener.local.port,
                                   owners_text(census, listener, style), count_text(listener.backlog),
                                   count_text(listener.backlog_limit),
                                   !limited   ? ""
                                   : *limited ? " (somaxconn)"
                                              : " (by listen())");
    const model::AcceptQueue* queue = queue_at(census, index);
    if (queue && queue->walked) text += ": " + members_text(*queue);
    if (queue && queue->oldest_since_ns && *queue->oldest_since_ns <= census.taken_ns)
        text += fmt::format("; the first for at least {}",
                            duration_text(census.taken_ns - *queue->oldest_since_ns));
    return text + pace_text(census, index) + overflow_text(census, listener);
}

}  // namespace

ordered_json listener_json(const Census& census, std::size_t index) {
    const Socket& listener = census.listeners[index];
    const auto pace = model::pace_at(census.accept, static_cast<std::int32_t>(index));
    const model::AcceptQueue* queue = queue_at(census, index);
    const model::NetworkFacts* network = network_of(census, listener);
    return {{"local", endpoint_json(listener.family, listener.local)},
            {"family", family_name(listener.family)},
            {"netns", listener.netns},
            {"owners", owners_json(census, listener)},
            {"backlog", listener.backlog},
            {"backlog_limit", listener.backlog_limit},
            {"backlog_limit_from", limit_from_json(census, listener)},
            {"queued", queued_json(queue)},
            {"walked", queue ? ordered_json(queue->walked) : ordered_json(nullptr)},
            {"oldest_ns", oldest_json(census, queue)},
            {"window_ns", or_null(census.accept.window_ns)},
            {"failed_accepts", failed_json(census.accept, pace)},
            {"accept_rate", rate_json(census.accept, pace)},
            {"overflows", network ? recent_or_null(network->listen_overflows) : ordered_json(nullptr)},
            {"drops", network ? recent_or_null(network->listen_drops) : ordered_json(nullptr)}};
}

ordered_json networks_json(const Census& census) {
    ordered_json networks = ordered_json::array();
    for (const auto& [netns, facts] : census.accept.networks)
        networks.push_back({{"netns", netns},
                            {"somaxconn", or_null(facts.somaxconn)},
                            {"time_wait", or_null(facts.time_wait)},
                            {"time_wait_limit", or_null(facts.time_wait_limit)}});
    return networks;
}

std::vector<std::string> listener_lines(const Census& census, const std::set<std::uint32_t>& listeners,
                                        const TextStyle& style, std::size_t most) {
    std::vector<std::size_t> troubled;
    for (const std::uint32_t i : listeners)
        if (has_problem(census, i)) troubled.push_back(i);
    std::ranges::stable_sort(troubled, std::ranges::greater{},
                             [&](std::size_t i) { return census.listeners[i].backlog; });
    std::vector<std::string> lines;
    for (const std::size_t index : troubled) {
        if (lines.size() == most) {
            lines.push_back(fmt::format("and {} more (--json lists all)", troubled.size() - most));
            break;
        }
        lines.push_back(line_of(census, index, style));
    }
    return lines;
}

std::string time_wait_remark(const Census& census) {
    std::uint64_t fullest = 0;
    for (const auto& [netns, facts] : census.accept.networks)
        if (facts.time_wait && facts.time_wait_limit && *facts.time_wait_limit > 0)
            fullest = std::max(fullest, *facts.time_wait * 100 / *facts.time_wait_limit);
    if (fullest < 50) return {};
    return fmt::format(", {} % of tcp_max_tw_buckets{}", fullest,
                       census.accept.networks.size() > 1 ? " in one network namespace" : "");
}

}  // namespace waitclose::output
