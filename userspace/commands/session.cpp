// SPDX-License-Identifier: BSD-2-Clause
#include "commands/session.h"

#include "system/capabilities.h"
#include "system/host.h"

namespace waitclose::commands {

Session::Session(kernel::Probes&& probes, const kernel::ProbeSettings& settings, HoldListener& listener,
                 Witness* witness)
    : probes_(std::move(probes)),
      traces_(settings.trace),
      purpose_(kernel::purpose_of(settings)),
      listener_(listener),
      witness_(witness) {}

Result<std::unique_ptr<Session>> Session::open(const kernel::ProbeSettings& settings, HoldListener& listener,
                                               Witness* witness) {
    auto probes = kernel::Probes::attach(settings);
    if (!probes) return tl::unexpected(probes.error());
    std::unique_ptr<Session> session(new Session(std::move(*probes), settings, listener, witness));
    auto taker = kernel::CensusTaker::prepare(session->probes_, settings.filter.netns);
    if (!taker) return tl::unexpected(taker.error());
    session->taker_.emplace(std::move(*taker));
    if (settings.captures || settings.opening_stacks) {
        auto names = StackNames::open(session->probes_, settings);
        if (!names) return tl::unexpected(names.error());
        session->stack_names_ = std::move(*names);
    }
    if (!settings.captures) system::drop_capabilities();
    return session;
}

void Session::drain() {
    if (traces_) probes_.drain(*this);
    if (stack_names_) stack_names_->drain();
}

Result<model::Census> Session::take_census() {
    return take(true);
}

Result<model::Census> Session::take_census_within_window() {
    return take(false);
}

Result<model::Census> Session::take(bool ends_window) {
    drain();
    const std::uint64_t begun_ns = system::boottime_ns();
    if (witness_) witness_->look_begins(begun_ns);
    ledger_.begin_census(begun_ns);
    auto census = taker_->take();
    drain();
    if (census && window_ && ends_window) window_->close(*census);
    if (census && stack_names_) stack_names_->give_openings(*census);
    if (census && witness_) witness_->look(*census);
    if (census && traces_)
        for (const model::Closed& closed : ledger_.reconcile(*census)) listener_.closed(closed);
    return census;
}

Result<model::Census> Session::take_next_census() {
    constexpr std::uint64_t kShortest = 1'000'000'000;
    auto census = take_census();
    if (!census) return census;
    if (!window_) window_.emplace(probes_);
    if (!census->window || census->window->length_ns() >= kShortest) window_->open(*census);
    return census;
}

Result<model::Census> Session::open_window() {
    kernel::WindowTaker window(probes_);
    window.prepare();
    auto census = take_census();
    if (!census) return census;
    window.open(*census);
    window_ = std::move(window);
    return census;
}

void Session::end_tracing() {
    probes_.detach();
    drain();
}

model::Losses Session::losses() const {
    const kernel::KernelTotals totals = probes_.totals();
    return {totals.lost_events, totals.lost_storage, ledger_.totals().reconciled};
}

model::ProbeFacts Session::probe_facts() const {
    return kernel::probe_facts(kernel::all_needs(), probes_.plan(), purpose_);
}

void Session::on(const model::Entered& event) {
    if (witness_) witness_->on(event);
    listener_.entered(ledger_.apply(event));
}

void Session::on(const model::Left& event) {
    if (witness_) witness_->on(event);
    if (const auto closed = ledger_.apply(event)) listener_.closed(*closed);
}

void Session::on(const model::Transition& event) {
    if (witness_) witness_->on(event);
    listener_.transition(event);
}

}  // namespace waitclose::commands
