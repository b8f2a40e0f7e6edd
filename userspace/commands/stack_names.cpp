// SPDX-License-Identifier: BSD-2-Clause
#include "commands/stack_names.h"

#include <algorithm>
#include <utility>

#include "system/host.h"
#include "system/process_info.h"

namespace waitclose::commands {
namespace {

constexpr std::size_t kMostOpenings = 100'000;  // that are remembered, some 200 bytes each
constexpr std::size_t kMostWaiting = 1'000;     // stacks, each with the memory that was read of it
constexpr std::size_t kMostNamed = 10'000;      // different stacks
constexpr std::int64_t kPart = 20;
constexpr std::int64_t kMostSavedNs = 200'000'000;
constexpr std::uint64_t kMeetAgainNs = 1'000'000'000;

}  // namespace

Result<std::unique_ptr<StackNames>> StackNames::open(const kernel::Probes& probes,
                                                     const kernel::ProbeSettings& settings) {
    std::unique_ptr<StackNames> names(new StackNames());
    names->counted_until_ns_ = system::boottime_ns();
    if (!settings.opening_stacks) return names;
    auto openings = kernel::OpeningReader::open(probes);
    if (!openings) return tl::unexpected(openings.error());
    names->openings_.emplace(std::move(*openings));
    return names;
}

void StackNames::drain() {
    if (!openings_) return;
    for (const kernel::Opening& opening : openings_->take()) remember(opening);
    name_waiting();
}

void StackNames::remember(const kernel::Opening& opening) {
    if (!opening.stack) {
        ++unnamed_;
        return;
    }
    if (!named_.contains(opening.stack)) {
        if (waiting_.size() >= kMostWaiting) {
            ++unnamed_;
            return;
        }
        waiting_.push_back(opening.stack);
        named_[opening.stack] = nullptr;
    }
    const Moment moment{opening.deed.actor.start_ns, opening.deed.at_ns, opening.deed.actor.tid};
    if (opened_.emplace(moment, opening.stack).second) in_order_.push_back(moment);
    while (in_order_.size() > kMostOpenings) {
        opened_.erase(in_order_.front());
        in_order_.pop_front();
    }
    if (named_.size() > kMostNamed) forget();
}

/// A program that opens sockets in ever other places: what is known of earlier ones is given up.
void StackNames::forget() {
    unnamed_ += opened_.size();
    opened_.clear();
    in_order_.clear();
    waiting_.clear();
    named_.clear();
}

void StackNames::name_waiting() {
    const std::uint64_t now = system::boottime_ns();
    saved_ns_ =
        std::min(kMostSavedNs, saved_ns_ + static_cast<std::int64_t>(now - counted_until_ns_) / kPart);
    counted_until_ns_ = now;
    while (!waiting_.empty() && saved_ns_ >= 0) {
        const std::uint64_t before_ns = system::own_cpu_ns();
        name_next();
        saved_ns_ -= static_cast<std::int64_t>(system::own_cpu_ns() - before_ns);
    }
}

void StackNames::name_next() {
    const Raw raw = std::move(waiting_.front());
    waiting_.pop_front();
    const auto known = named_.find(raw);
    if (known != named_.end() && meet(*raw)) {
        model::Stack stack = naming_.name(*raw);
        if (!stack.empty()) known->second = std::make_shared<const model::Stack>(std::move(stack));
    }
    if (known == named_.end() || !known->second) ++unnamed_;
}

void StackNames::finish(std::uint64_t most_ns) {
    const std::uint64_t until_ns = system::boottime_ns() + most_ns;
    drain();
    while (!waiting_.empty() && system::boottime_ns() < until_ns) name_next();
    unnamed_ += std::exchange(waiting_, {}).size();
}

/// A process that maps something new is met again, now and then.
bool StackNames::meet(const model::RawStack& stack) {
    const auto start_ns = system::process_start_ns(stack.pid);
    const std::uint64_t now = system::boottime_ns();
    Met& met = met_[stack.pid];
    // A process that began after the socket was opened is another one, which has got the number since.
    if (!start_ns || *start_ns > stack.at_ns) return met.at_ns != 0 && met.start_ns <= stack.at_ns;
    if (met.start_ns == *start_ns && now - met.at_ns < kMeetAgainNs) return true;
    if (!naming_.meet(stack.pid, *start_ns)) return false;
    met = {*start_ns, now};
    return true;
}

void StackNames::give_openings(model::Census& census) const {
    if (!openings_) return;
    for (model::Socket& socket : census.sockets) {
        if (!socket.touches || !socket.touches->opened) continue;
        const model::Deed& deed = *socket.touches->opened;
        const auto found = opened_.find({deed.actor.start_ns, deed.at_ns, deed.actor.tid});
        if (found == opened_.end()) continue;
        const auto named = named_.find(found->second);
        if (named != named_.end()) socket.touches->opened_at = named->second;
    }
}

std::uint64_t StackNames::unnamed_openings() const {
    return unnamed_ + (openings_ ? openings_->lost() : 0);
}

}  // namespace waitclose::commands
