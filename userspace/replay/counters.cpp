// SPDX-License-Identifier: BSD-2-Clause
#include "replay/counters.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model/units.h"

namespace waitclose::replay {

namespace {

constexpr std::uint64_t kOpenEveryNs = 100 * model::kMillisecond;

}  // namespace

void Durations::add(std::uint64_t ns) {
    const double octaves = ns == 0 ? 0 : std::log2(static_cast<double>(ns));
    const auto bin = static_cast<std::size_t>(octaves * kBinsPerOctave);
    ++bins_[std::min(bin, bins_.size() - 1)];
    ++all_;
}

std::uint64_t Durations::typical_ns() const {
    std::uint64_t below = 0;
    for (std::size_t bin = 0; bin < bins_.size(); ++bin) {
        below += bins_[bin];
        if (bins_[bin] > 0 && below * 2 >= all_)
            return static_cast<std::uint64_t>(std::exp2((static_cast<double>(bin) + 0.5) / kBinsPerOctave));
    }
    return 0;
}

/// Only what differs from the sample before; never backwards in time.
void Counters::add(Samples& samples, std::uint64_t at_ns, double value) {
    if (!samples.empty()) {
        if (samples.back().value == value) return;
        at_ns = std::max(at_ns, samples.back().at_ns);
    }
    samples.push_back({at_ns, value});
}

void Counters::open(std::uint64_t at_ns, std::uint64_t holds) {
    if (latest_ && at_ns >= latest_->at_ns + kOpenEveryNs) {
        add(open_, latest_->at_ns, latest_->value);
        latest_.reset();
    }
    const auto value = static_cast<double>(holds);
    if (open_.empty() || at_ns >= open_.back().at_ns + kOpenEveryNs) {
        add(open_, at_ns, value);
        latest_.reset();
    } else {
        latest_ = {at_ns, value};
    }
}

void Counters::descriptors(std::uint64_t at_ns, std::uint32_t process, std::uint64_t used) {
    add(all_[{"fds used", "", process}], at_ns, static_cast<double>(used));
}

void Counters::add_pressure(const model::Window& window, const char* what,
                            const model::PressureTime& pressure) {
    if (!pressure.some_ns || window.to_ns <= window.from_ns) return;
    const double share = static_cast<double>(*pressure.some_ns) / static_cast<double>(window.length_ns());
    const double percent = std::round(std::min(share, 1.0) * 1000) / 10;
    add(all_[{fmt::format("{} pressure", what), "%", timeline::kNowhere}], window.to_ns, percent);
}

void Counters::look(const model::Census& census, const std::set<std::uint32_t>& listeners) {
    for (std::uint32_t index = 0; index < census.listeners.size(); ++index) {
        const model::Socket& listener = census.listeners[index];
        const Key key{fmt::format("accept queue of port {}", listener.local.port), "", timeline::kNowhere};
        // A queue that is always empty is no news. One that was told of is told of until it has drained.
        if (!all_.contains(key) && (listener.backlog == 0 || !listeners.contains(index))) continue;
        add(all_[key], census.taken_ns, listener.backlog);
    }
    if (!census.window) return;
    add_pressure(*census.window, "cpu", census.window->cpu);
    add_pressure(*census.window, "disk", census.window->io);
    add_pressure(*census.window, "memory", census.window->memory);
}

void Counters::finish(timeline::Timeline& timeline) {
    if (latest_) add(open_, latest_->at_ns, latest_->value);
    if (!open_.empty()) all_[{"holds open", "", timeline::kNowhere}] = std::move(open_);
    for (auto& [key, samples] : all_) {
        for (auto& sample : samples)
            sample.at_ns = std::clamp(sample.at_ns, timeline.window.from_ns, timeline.window.to_ns);
        const auto unit = key.unit.empty() ? timeline::StringId::kNone : timeline.strings.add(key.unit);
        timeline.counters.push_back({timeline.strings.add(key.name), unit, key.process, std::move(samples)});
    }
    all_.clear();
}

}  // namespace waitclose::replay
