// SPDX-License-Identifier: BSD-2-Clause
#include "model/accept_history.h"

#include <utility>

namespace waitclose::model {

namespace {

/// So many looks within a window are enough to choose from.
constexpr std::uint64_t kSpacingNs = AcceptHistory::kLeastWindowNs / 8;

/// A counter that shrank was evicted, or is that of another namespace with the same number.
std::uint64_t growth(std::uint64_t before, std::uint64_t now) {
    return now >= before ? now - before : now;
}

void grow(std::optional<GrowingCount>& now, const std::optional<GrowingCount>& before) {
    if (now && before) now->recent = growth(before->total, now->total);
}

}  // namespace

AcceptHistory::CallKey AcceptHistory::key_of(const AcceptCalls& calls,
                                             const std::vector<std::uint64_t>& identities) {
    const auto index = static_cast<std::size_t>(calls.listener);
    return {calls.listener >= 0 && index < identities.size() ? identities[index] : 0, calls.thread_start_ns,
            calls.tid, calls.error};
}

const AcceptHistory::Look* AcceptHistory::look_before(std::uint64_t taken_ns) {
    while (looks_.size() > 1 && looks_[1].taken_ns + kLeastWindowNs <= taken_ns) looks_.pop_front();
    return looks_.empty() ? nullptr : &looks_.front();
}

void AcceptHistory::apply(AcceptSide& now, const std::vector<std::uint64_t>& identities,
                          std::uint64_t taken_ns) {
    if (const Look* before = look_before(taken_ns); before && before->taken_ns < taken_ns) {
        now.window_ns = taken_ns - before->taken_ns;
        for (AcceptCalls& calls : now.calls) {
            const auto found = before->calls.find(key_of(calls, identities));
            calls.recent = found == before->calls.end() ? calls.total : growth(found->second, calls.total);
        }
        for (auto& [netns, facts] : now.networks) {
            const auto found = before->networks.find(netns);
            if (found == before->networks.end()) continue;
            grow(facts.listen_overflows, found->second.listen_overflows);
            grow(facts.listen_drops, found->second.listen_drops);
        }
    }
    if (!looks_.empty() && looks_.back().taken_ns + kSpacingNs > taken_ns) return;
    Look look{taken_ns, {}, now.networks};
    for (const AcceptCalls& calls : now.calls) look.calls.emplace(key_of(calls, identities), calls.total);
    looks_.push_back(std::move(look));
}

}  // namespace waitclose::model
