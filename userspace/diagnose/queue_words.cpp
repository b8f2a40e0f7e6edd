// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/queue_words.h"

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "diagnose/text.h"
#include "model/accept_pace.h"

namespace waitclose::diagnose {

using model::AcceptSide;
using model::Census;
using model::Socket;
using model::TcpState;

namespace {

std::size_t index_of(const Census& census, const Socket& listener) {
    return static_cast<std::size_t>(&listener - census.listeners.data());
}

model::AcceptPace pace_of(const Census& census, const Socket& listener) {
    return model::pace_at(census.accept, static_cast<std::int32_t>(index_of(census, listener)));
}

const char* times(std::uint64_t count) {
    return count == 1 ? "time" : "times";
}

void add_members(const Census& census, const Socket& listener, Diagnosis& diagnosis) {
    const std::size_t index = index_of(census, listener);
    if (index >= census.accept.queues.size()) return;
    const model::AcceptQueue& queue = census.accept.queues[index];
    if (queue.oldest_since_ns && *queue.oldest_since_ns <= census.taken_ns)
        add_fact(diagnosis, "oldest_in_queue_ns", census.taken_ns - *queue.oldest_since_ns,
                 fmt::format("the first in that queue waits for at least {} (census)",
                             duration_text(census.taken_ns - *queue.oldest_since_ns)));
    if (const auto reset = queue.by_state[static_cast<std::size_t>(TcpState::kClose)])
        add_fact(diagnosis, "reset_in_queue", std::uint64_t{reset},
                 fmt::format("{} of {} in that queue {} reset by the peer meanwhile (census)", reset,
                             queue.walked, reset == 1 ? "was" : "were"));
}

void add_limit(const Census& census, const Socket& listener, Diagnosis& diagnosis) {
    const auto limited =
        model::is_limited_by_somaxconn(census.accept, listener.netns, listener.backlog_limit);
    if (!limited) return;
    const std::uint64_t somaxconn = *census.accept.networks.at(listener.netns).somaxconn;
    add_fact(
        diagnosis, "backlog_limit_from", *limited ? "somaxconn" : "listen",
        *limited
            ? fmt::format("that limit equals net.core.somaxconn, {} in its network namespace (/proc)",
                          somaxconn)
            : fmt::format("that limit is what the program gave listen(); net.core.somaxconn is {} (/proc)",
                          somaxconn));
}

void add_pace(const Census& census, const Socket& listener, Diagnosis& diagnosis) {
    const model::AcceptPace pace = pace_of(census, listener);
    if (!census.accept.counted || !census.accept.window_ns) return;
    const std::string window = duration_text(*census.accept.window_ns);
    add_fact(diagnosis, "accepts", pace.taken.recent,
             pace.taken.recent == 0
                 ? fmt::format("accept() took no connection from that queue in the last {} (counted)", window)
                 : fmt::format("accept() took {} from that queue in the last {} (counted)", pace.taken.recent,
                               window));
    for (const auto& [error, outcome] : pace.failed)
        add_fact(
            diagnosis, "failed_accepts", outcome.recent,
            fmt::format(
                "accept() on it failed {} {} with {} in the last {}, {} since tracing began, "
                "the last time {} ago (counted)",
                outcome.recent, times(outcome.recent), model::errno_name(error), window, outcome.total,
                duration_text(census.taken_ns > outcome.last_ns ? census.taken_ns - outcome.last_ns : 0)));
}

void add_overflows(const Census& census, const Socket& listener, Diagnosis& diagnosis) {
    const auto network = census.accept.networks.find(listener.netns);
    if (network == census.accept.networks.end() || !census.accept.window_ns) return;
    const std::string window = duration_text(*census.accept.window_ns);
    const auto add = [&](const char* fact, const char* name, const auto& counter) {
        if (counter && counter->recent.value_or(0) > 0)
            add_fact(diagnosis, fact, *counter->recent,
                     fmt::format("{} grew by {} in the last {}, for all listeners of its network namespace "
                                 "(/proc)",
                                 name, *counter->recent, window));
    };
    add("listen_overflows", "ListenOverflows", network->second.listen_overflows);
    add("listen_drops", "ListenDrops", network->second.listen_drops);
}

}  // namespace

std::string pace_clause(const Census& census, const Socket& listener) {
    constexpr std::uint64_t kFewest = 5;  // fewer are no pace
    const auto pace = pace_of(census, listener);
    const auto rate = model::accepts_per_second(census.accept, pace);
    if (!rate || *rate <= 0 || pace.taken.recent < kFewest) return {};
    const auto needed = static_cast<std::uint64_t>(static_cast<double>(listener.backlog) / *rate * 1e9);
    return fmt::format(", which it does {:.{}f} times a second: the queue of {} takes {}", *rate,
                       *rate < 10 ? 1 : 0, listener.backlog, duration_text(needed));
}

std::string failures_clause(const Census& census, const Socket& listener) {
    const model::AcceptPace pace = pace_of(census, listener);
    std::string clause;
    for (const std::uint32_t error : {EMFILE, ENFILE}) {
        const auto found = pace.failed.find(error);
        if (found == pace.failed.end() || found->second.recent == 0) continue;
        clause += fmt::format("{}failed {} {} with {}", clause.empty() ? "" : " and ", found->second.recent,
                              times(found->second.recent), model::errno_name(error));
    }
    if (clause.empty() || !census.accept.window_ns) return {};
    return fmt::format("{} in the last {}", clause, duration_text(*census.accept.window_ns));
}

void add_queue_facts(const Census& census, const Socket& listener, Diagnosis& diagnosis) {
    add_members(census, listener, diagnosis);
    add_limit(census, listener, diagnosis);
    add_pace(census, listener, diagnosis);
    add_overflows(census, listener, diagnosis);
}

}  // namespace waitclose::diagnose
