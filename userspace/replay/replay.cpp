// SPDX-License-Identifier: BSD-2-Clause
#include "replay/replay.h"

#include <algorithm>

#include "model/units.h"
#include "replay/groups.h"
#include "replay/tracks.h"

namespace waitclose::replay {

using timeline::kNowhere;

namespace {

/// A fingerprint of the ledger's that means: looked at.
constexpr std::uint64_t kLookedAt = 1;

Ended ended_by(const std::optional<model::Left>& left) {
    if (!left) return Ended::kMissed;
    switch (left->end) {
    case model::End::kProgram: return Ended::kClosed;
    case model::End::kExit: return Ended::kExit;
    case model::End::kError: return Ended::kError;
    case model::End::kKernel: break;
    }
    return Ended::kKernel;
}

model::Connection connection_of(const model::Socket& socket) {
    return {{socket.netns, socket.cookie}, socket.family, socket.local, socket.remote};
}

model::Selection without_age(model::Selection selection) {
    selection.min_held_ns = 0;
    return selection;
}

}  // namespace

bool Wanted::has_address(const model::Connection& connection) const {
    return (connection.family == model::Family::kIpv4 ? ipv4 : ipv6) &&
           (!netns || *netns == connection.key.netns) &&
           (!local_ports || local_ports->test(connection.local.port)) &&
           (!remote_ports || remote_ports->test(connection.remote.port));
}

Replay::Replay(Wanted wanted)
    : wanted_(std::move(wanted)), min_held_ns_(wanted_.selection.min_held_ns), timeline_(incident_.timeline) {
    wanted_.selection = without_age(std::move(wanted_.selection));
}

Replay::~Replay() = default;

/// The window reaches from the beginning of the recording to the last moment anything is known of.
void Replay::passes(std::uint64_t at_ns) {
    if (!lanes_) {
        if (timeline_.window.from_ns == 0) timeline_.window.from_ns = at_ns;
        lanes_.emplace(timeline_, timeline_.window.from_ns);
    }
    latest_ns_ = std::max(latest_ns_, at_ns);
}

void Replay::about(const store::About& about) {
    incident_.about = about;
    timeline_.window.from_ns = about.begun_ns;
    timeline_.window.wall_offset_ns = about.wall_offset_ns;
    const auto text = [this](const std::string& name) {
        return name.empty() ? timeline::StringId::kNone : timeline_.strings.add(name);
    };
    timeline_.hostname = text(about.hostname);
    timeline_.kernel = text(about.kernel);
    timeline_.program = text(about.program);
    if (about.begun_ns) passes(about.begun_ns);
    if (about.end_ns) latest_ns_ = std::max(latest_ns_, *about.end_ns);
}

void Replay::on(const model::Entered& event) {
    passes(event.at_ns);
    const model::Hold* before = ledger_.find(event.connection.key);
    if (before && open_.contains(event.connection.key)) ended({*before, 0, std::nullopt});
    ledger_.apply(event);
}

void Replay::on(const model::Left& event) {
    passes(event.at_ns);
    if (const auto closed = ledger_.apply(event)) ended(*closed);
}

void Replay::on(const model::Transition& event) {
    passes(event.at_ns);
    spans_.on(event);
}

void Replay::look_begins(std::uint64_t at_ns) {
    passes(at_ns);
    ledger_.begin_census(at_ns);
}

void Replay::unwanted(const std::vector<model::SocketKey>& sockets) {
    unwanted_.insert(sockets.begin(), sockets.end());
}

void Replay::look(model::Census& census) {
    passes(census.taken_ns);
    for (const model::Closed& closed : ledger_.reconcile(census)) ended(closed);
    ++incident_.looks;
    auto now = std::make_unique<Look>(std::move(census));
    compare_with_earlier(*now);
    for (std::uint32_t i = 0; i < now->census.sockets.size(); ++i) see(*now, i);
    unwanted_.clear();
    // Those that this look did not see and that are still open will be looked for once more.
    if (look_)
        for (const std::uint32_t hold : look_->holds)
            if (sights_[hold].look != incident_.looks && !sights_[hold].worded) write_down(hold);
    look_ = std::move(now);
    follow_answers(*look_);
    lanes_->look(look_->census);
    for (const model::Socket& listener : look_->census.listeners)
        incident_.listening.insert(listener.local.port);
    counters_.look(look_->census);
    note_descriptors(*look_);
    static_cast<void>(ledger_.has_untold(0, 0));  // it forgets what has ended
}

void Replay::losses(std::uint64_t at_ns, const model::Losses& so_far) {
    passes(at_ns);
    const auto note = [&](const char* what, std::uint64_t before, std::uint64_t now) {
        if (now > before) timeline_.losses.push_back({at_ns, timeline_.strings.add(what), now - before});
    };
    note("ring", incident_.losses.ring, so_far.ring);
    note("storage", incident_.losses.storage, so_far.storage);
    note("reconciled", incident_.losses.reconciled, so_far.reconciled);
    incident_.losses = so_far;
}

std::uint32_t Replay::add_hold(const model::Connection& connection) {
    std::uint32_t hold = static_cast<std::uint32_t>(facts_.size());
    if (free_.empty()) {
        facts_.emplace_back();
        sights_.emplace_back();
        timeline_.holds.emplace_back();
    } else {
        hold = free_.back();
        free_.pop_back();
    }
    Fact& fact = facts_[hold];
    fact.key = connection.key;
    fact.family = connection.family;
    fact.local = connection.local;
    fact.remote = connection.remote;
    describe(timeline_, connection, timeline_.holds[hold]);
    spans_.attach(connection.key, hold);
    return hold;
}

void Replay::forget(std::uint32_t hold) {
    spans_.detach(facts_[hold].key, hold);
    facts_[hold] = {};
    sights_[hold] = {};
    sights_[hold].worded = true;
    timeline_.holds[hold] = {};
    free_.push_back(hold);
}

void Replay::see(Look& look, std::uint32_t index) {
    const model::Socket& socket = look.census.sockets[index];
    const model::Connection connection = connection_of(socket);
    if (!wanted_.has_address(connection) || unwanted_.contains(connection.key)) return;
    if (!model::is_wanted(look.census, socket, wanted_.selection)) return;
    const auto [at, is_new] = open_.try_emplace(connection.key, 0);
    if (is_new) at->second = add_hold(connection);
    const std::uint32_t hold = at->second;
    if (model::Hold* known = ledger_.find(connection.key)) known->told = kLookedAt;
    look.holds.push_back(hold);
    Fact& fact = facts_[hold];
    fact.role = socket.role;
    fact.since_ns = socket.held_since_ns;
    fact.precision = socket.precision;
    fact.seen_ns = look.census.taken_ns;
    Sight& sight = sights_[hold];
    sight.look = incident_.looks;
    sight.socket = index;
    sight.worded = false;
    sight.queued = socket.listener != model::kNone;
    note_touches(sight, socket);
    note_cause(look, socket, hold);
    for (const model::Holder& holder : look.census.holders_of(socket)) follow(look, holder.process);
}

void Replay::note_touches(Sight& sight, const model::Socket& socket) {
    if (!socket.touches) return;
    const auto note = [&](const std::optional<model::Deed>& deed) {
        if (!deed || deed->at_ns < socket.held_since_ns) return;
        if (!sight.touch || deed->at_ns < sight.touch->at_ns) sight.touch = deed;
    };
    note(socket.touches->eof);
    note(socket.touches->last);
    if (socket.touches->eof) sight.eof_ns = socket.touches->eof->at_ns;
}

void Replay::note_cause(Look& look, const model::Socket& socket, std::uint32_t hold) {
    const auto decision = look.diagnoser.decide(socket);
    const diagnose::Verdict& verdict = decision.verdict;
    const std::uint32_t pid = verdict.who.process ? verdict.who.process->pid : 0;
    const std::uint32_t tid = verdict.who.thread ? verdict.who.thread->tid : 0;
    Fact& fact = facts_[hold];
    Sight& sight = sights_[hold];
    if (fact.cause != verdict.cause || sight.pid != pid || sight.tid != tid)
        fact.diagnosed_ns = look.census.taken_ns;
    fact.cause = verdict.cause;
    fact.confidence = verdict.confidence;
    sight.pid = pid;
    sight.tid = tid;
    fact.owner = decision.owner
                     ? follow(look, static_cast<std::uint32_t>(decision.owner - look.census.processes.data()))
                     : kNowhere;
}

std::uint32_t Replay::follow(Look& look, std::uint32_t process) {
    if (look.followed.empty()) look.followed.resize(look.census.processes.size(), kNowhere);
    std::uint32_t& followed = look.followed[process];
    if (followed == kNowhere) followed = lanes_->follow(look.census.processes[process]);
    return followed;
}

/// Whom threads wait for.
void Replay::follow_answers(Look& look) {
    for (const model::Answer& answer : look.census.answers)
        if (answer.process != model::kNone) follow(look, static_cast<std::uint32_t>(answer.process));
}

void Replay::note_descriptors(const Look& look) {
    for (std::size_t i = 0; i < look.followed.size(); ++i) {
        const model::Process& process = look.census.processes[i];
        if (look.followed[i] == kNowhere || !process.fds_used) continue;
        counters_.descriptors(look.census.taken_ns, look.followed[i], *process.fds_used);
        outlooks_[look.followed[i]] = {process.fds_used, process.fd_limit, std::nullopt, std::nullopt, {}};
    }
}

void Replay::compare_with_earlier(Look& look) {
    constexpr std::uint64_t kLeast = 2 * model::kSecond;
    constexpr std::uint64_t kMost = model::kMinute;
    const std::uint64_t now_ns = look.census.taken_ns;
    if (!next_earlier_ || next_earlier_->taken_ns + kMost <= now_ns) {
        earlier_ = std::exchange(next_earlier_, diagnose::look_of(look.census));
        if (!earlier_) earlier_ = next_earlier_;
    }
    if (!look.census.earlier && earlier_->taken_ns + kLeast <= now_ns) look.census.earlier = earlier_;
}

void Replay::write_down(std::uint32_t hold) {
    Sight& sight = sights_[hold];
    sight.worded = true;
    const model::Socket& socket = look_->census.sockets[sight.socket];
    describe(timeline_, *lanes_, look_->census, look_->diagnoser, socket, timeline_.holds[hold]);
}

void Replay::ended_briefly(std::uint16_t local_port, std::uint64_t held_ns) {
    incident_.brief.add(held_ns);
    incident_.brief_by_port[local_port].add(held_ns);
    brief_durations_.add(held_ns);
}

void Replay::ended(const model::Closed& closed) {
    const model::Connection& connection = closed.hold.connection;
    const auto found = open_.find(connection.key);
    const bool seen = found != open_.end();
    if (!seen && (wanted_.by_holder() || !wanted_.has_address(connection))) {
        ++incident_.left_out;
        return;
    }
    const std::uint64_t since_ns = closed.hold.since_ns;
    // Where its end was missed it lasted at least until it was seen last.
    const std::uint64_t seen_ns = seen ? facts_[found->second].seen_ns : since_ns;
    const std::uint64_t end_ns = std::max(since_ns, closed.left ? closed.left->at_ns : seen_ns);
    std::optional<std::uint32_t> known;
    if (seen) {
        known = found->second;
        open_.erase(found);
    }
    if (end_ns - since_ns < min_held_ns_) {
        if (known) forget(*known);
        ended_briefly(connection.local.port, end_ns - since_ns);
        return;
    }
    const std::uint32_t hold = known ? *known : add_hold(connection);
    if (known && !sights_[hold].worded) write_down(hold);
    Fact& fact = facts_[hold];
    fact.since_ns = since_ns;
    fact.end_ns = end_ns;
    fact.precision = closed.left ? closed.hold.precision : model::Precision::kAtLeast;
    fact.ended = ended_by(closed.left);
    if (closed.left) {
        fact.error = closed.left->error;
        fact.closer = closed.left->closer;
    }
}

Incident Replay::finish() {
    passes(std::max(latest_ns_, timeline_.window.from_ns));
    timeline_.window.to_ns = std::max(latest_ns_, lanes_->latest_ns());
    if (look_) {
        for (const std::uint32_t hold : look_->holds)
            if (!sights_[hold].worded) write_down(hold);
        const diagnose::FdOutlooks outlooks(look_->census);
        for (std::size_t i = 0; i < look_->followed.size(); ++i)
            if (look_->followed[i] != kNowhere)
                outlooks_[look_->followed[i]] = outlooks.of(look_->census.processes[i]);
    }
    if (ledger_.open() > open_.size()) incident_.open_unseen = ledger_.open() - open_.size();
    lanes_->finish(timeline_.window.to_ns);
    spans_.finish();
    finish_tracks();
    sort_holds();
    count_open();
    counters_.finish(timeline_);
    for (auto& loss : timeline_.losses)
        loss.at_ns = std::clamp(loss.at_ns, timeline_.window.from_ns, timeline_.window.to_ns);
    incident_.totals = ledger_.totals();
    incident_.brief_typical_ns = brief_durations_.typical_ns();
    gather(incident_, outlooks_);
    return std::move(incident_);
}

void Replay::finish_tracks() {
    for (std::uint32_t hold = 0; hold < facts_.size(); ++hold) {
        Fact& fact = facts_[hold];
        const Sight& sight = sights_[hold];
        if (fact.is_open()) fact.end_ns = timeline_.window.to_ns;
        fact.end_ns = std::min(fact.end_ns, timeline_.window.to_ns);
        fact.since_ns = std::min(fact.since_ns, fact.end_ns);
        const auto lane_of = [this](const model::Actor& actor) { return lanes_->find(actor); };
        lay_out(timeline_,
                {fact, spans_.of(hold), sight.touch,
                 sight.touch ? lane_of(sight.touch->actor) : timeline::ThreadRef{}, sight.eof_ns,
                 sight.queued, fact.closer ? lane_of(*fact.closer) : timeline::ThreadRef{}},
                timeline_.holds[hold]);
    }
}

/// How many of the holds told of were open when. Those from before the recording are so from its beginning.
void Replay::count_open() {
    std::vector<std::uint64_t> ends;
    const std::uint64_t from_ns = timeline_.window.from_ns;
    for (const Fact& fact : incident_.holds)
        ends.push_back(fact.is_open() ? UINT64_MAX : std::max(fact.end_ns, from_ns));
    std::ranges::sort(ends);
    std::uint64_t ended = 0;
    std::uint64_t begun = 0;
    const auto end_until = [&](std::uint64_t at_ns) {
        for (; ended < ends.size() && ends[ended] <= at_ns; ++ended)
            counters_.open(ends[ended], begun - ended - 1);
    };
    for (const Fact& fact : incident_.holds) {
        const std::uint64_t at_ns = std::max(fact.since_ns, from_ns);
        end_until(std::min(at_ns, UINT64_MAX - 1));
        counters_.open(at_ns, ++begun - ended);
        if (begun - ended <= incident_.most_open) continue;
        incident_.most_open = begun - ended;
        incident_.most_open_ns = at_ns;
    }
    end_until(UINT64_MAX - 1);
}

/// By their beginning; those that were forgotten go.
void Replay::sort_holds() {
    std::vector<bool> gone(facts_.size(), false);
    for (const std::uint32_t hold : free_) gone[hold] = true;
    std::vector<std::uint32_t> order;
    for (std::uint32_t hold = 0; hold < facts_.size(); ++hold)
        if (!gone[hold]) order.push_back(hold);
    std::ranges::stable_sort(order, {}, [this](std::uint32_t hold) { return facts_[hold].since_ns; });
    std::vector<timeline::Hold> tracks;
    tracks.reserve(order.size());
    incident_.holds.reserve(order.size());
    for (const std::uint32_t hold : order) {
        tracks.push_back(std::move(timeline_.holds[hold]));
        incident_.holds.push_back(std::move(facts_[hold]));
    }
    timeline_.holds = std::move(tracks);
}

}  // namespace waitclose::replay
