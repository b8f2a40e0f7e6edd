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
    case model::End::kProgram:
    case model::End::kShutdown: return Ended::kClosed;
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
    incident_.asked = wanted_.words;
    incident_.min_held_ns = min_held_ns_;
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
    if (strays_.contains(event.connection.key)) is_stray(event.connection);
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
    recorded_by_holder_ = true;
    unwanted_.insert(sockets.begin(), sockets.end());
}

void Replay::look(model::Census& census) {
    passes(census.taken_ns);
    for (const model::Closed& closed : ledger_.reconcile(census)) ended(closed);
    ++incident_.looks;
    incident_.nested |= census.nested;
    incident_.unreachable = std::max(incident_.unreachable, census.unreachable);
    if (watched_since_ns_ && *watched_since_ns_ <= census.taken_ns)
        waits_.push_back({*watched_since_ns_, census.taken_ns});
    auto now = std::make_unique<Look>(std::move(census));
    compare_with_earlier(*now);
    for (std::uint32_t i = 0; i < now->census.sockets.size(); ++i) see(*now, i);
    unwanted_.clear();
    // Those that this look did not see and that are still open will be looked for once more.
    if (look_)
        for (const std::uint32_t hold : look_->holds)
            if (sights_[hold].look != incident_.looks && !sights_[hold].worded) write_down(hold);
    look_ = std::move(now);
    if (incident_.looks == 1) first_look_ns_ = look_->census.taken_ns;
    watched_since_ns_.reset();
    if (!open_.empty()) watched_since_ns_ = look_->census.taken_ns;
    follow_answers(*look_);
    lanes_->look(look_->census);
    for (const model::Socket& listener : look_->census.listeners)
        incident_.listening.insert(listener.local.port);
    counters_.look(look_->census, listeners_told(*look_));
    note_descriptors(*look_);
    note_growth(*look_);
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
        courses_.emplace_back();
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
    courses_[hold] = {};
    timeline_.holds[hold] = {};
    free_.push_back(hold);
}

void Replay::see(Look& look, std::uint32_t index) {
    const model::Socket& socket = look.census.sockets[index];
    const model::Connection connection = connection_of(socket);
    if (!wanted_.has_address(connection)) return;
    const bool is_selected = !unwanted_.contains(connection.key);
    if (!is_selected || !model::is_wanted(look.census, socket, wanted_.selection)) {
        if (!open_.contains(connection.key) && ledger_.find(connection.key))
            strays_[connection.key] = is_selected ? Stray::kLeftOut : Stray::kNotSelected;
        return;
    }
    strays_.erase(connection.key);
    const auto [at, is_new] = open_.try_emplace(connection.key, 0);
    if (is_new) at->second = add_hold(connection);
    const std::uint32_t hold = at->second;
    if (model::Hold* known = ledger_.find(connection.key)) known->told = kLookedAt;
    look.holds.push_back(hold);
    note_keepers(look, socket, hold, note_cause(look, socket, hold));
    Fact& fact = facts_[hold];
    fact.role = socket.role;
    fact.since_ns = socket.held_since_ns;
    fact.precision = socket.precision;
    fact.since_at_least = socket.precision == model::Precision::kAtLeast;
    fact.seen_ns = look.census.taken_ns;
    Sight& sight = sights_[hold];
    sight.look = incident_.looks;
    sight.socket = index;
    sight.worded = false;
    sight.queued = socket.listener != model::kNone;
    note_touches(sight, socket);
}

void Replay::note_keepers(Look& look, const model::Socket& socket, std::uint32_t hold, std::uint32_t owner) {
    holders_.clear();
    for (const model::Holder& holder : look.census.holders_of(socket)) {
        holders_.push_back(follow(look, holder.process));
        look.keepers.insert(holder.process);
    }
    const std::uint32_t set = holder_sets_.of(holders_);
    sights_[hold].keepers.see(look.census.taken_ns, owner, set, handed_over_ns(socket, facts_[hold].seen_ns));
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

/// Who is shown with it, into the timeline's processes.
std::uint32_t Replay::note_cause(Look& look, const model::Socket& socket, std::uint32_t hold) {
    const auto decision = look.diagnoser.decide(socket);
    const diagnose::Verdict& verdict = decision.verdict;
    Opinion opinion{verdict.cause, verdict.confidence, 0, 0, kNowhere};
    if (verdict.who.process) opinion.pid = verdict.who.process->pid;
    if (verdict.who.thread) opinion.tid = verdict.who.thread->tid;
    if (decision.owner)
        opinion.owner =
            follow(look, static_cast<std::uint32_t>(decision.owner - look.census.processes.data()));
    Course& course = courses_[hold];
    course.end(look.census.taken_ns);
    // The look before has the last words of what is said no more.
    if (!course.goes_on(opinion) && !sights_[hold].worded && course.wants_words())
        course.keep(words_at_last_look(hold));
    course.say(opinion, look.census.taken_ns);
    return opinion.owner;
}

Words Replay::words_at_last_look(std::uint32_t hold) {
    const model::Socket& socket = look_->census.sockets[sights_[hold].socket];
    return words_of(timeline_, *lanes_, look_->census, look_->diagnoser, socket);
}

void Replay::note_growth(const Look& look) {
    const std::uint64_t now_ns = look.census.taken_ns;
    const auto counts = diagnose::look_of(look.census).holds;
    for (const auto& [process, holds] : counts) {
        const auto [growth, is_new] = growths_.try_emplace(process);
        // Of those that held nothing before nothing was noted.
        if (is_new && incident_.looks > 1) {
            growth->second.look(first_look_ns_, 0);
            growth->second.look(look_before_ns_, 0);
        }
    }
    for (auto& [process, growth] : growths_) {
        const auto found = counts.find(process);
        growth.look(now_ns, found == counts.end() ? 0 : found->second.sockets);
    }
    look_before_ns_ = now_ns;
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
    describe(timeline_, look_->census, socket, timeline_.holds[hold]);
    courses_[hold].keep(words_at_last_look(hold));
}

bool Replay::is_older(model::Precision precision, std::uint64_t since_ns) const {
    return precision == model::Precision::kAtLeast && since_ns <= first_look_ns_;
}

void Replay::ended_briefly(std::uint16_t local_port, std::uint64_t held_ns) {
    incident_.brief.add(held_ns);
    incident_.brief_by_port[local_port].add(held_ns);
    brief_durations_.add(held_ns);
}

/// Before a look saw it nobody knows whose it is.
bool Replay::is_stray(const model::Connection& connection, bool is_short) {
    const auto found = strays_.find(connection.key);
    const bool known = found != strays_.end();
    if (!wanted_.has_address(connection) || (known && found->second == Stray::kLeftOut))
        ++incident_.left_out;
    else if (known)
        ++incident_.not_selected;
    else if (wanted_.selection.by_holder() || recorded_by_holder_)
        ++(is_short ? incident_.short_whose_unknown : incident_.whose_unknown);
    else
        return false;
    if (known) strays_.erase(found);
    return true;
}

void Replay::ended(const model::Closed& closed) {
    const model::Connection& connection = closed.hold.connection;
    const auto found = open_.find(connection.key);
    const bool seen = found != open_.end();
    const std::uint64_t since_ns = closed.hold.since_ns;
    // Where its end was missed it lasted at least until it was seen last.
    const std::uint64_t seen_ns = seen ? facts_[found->second].seen_ns : since_ns;
    const std::uint64_t end_ns = std::max(since_ns, closed.left ? closed.left->at_ns : seen_ns);
    const bool is_short = closed.left && end_ns - since_ns < min_held_ns_;
    if (!seen && is_stray(connection, is_short)) return;
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
    fact.since_at_least = closed.hold.precision == model::Precision::kAtLeast;
    fact.is_older = is_older(closed.hold.precision, since_ns);
    fact.ended = ended_by(closed.left);
    fact.shut_down = closed.left && closed.left->end == model::End::kShutdown;
    if (closed.left) {
        fact.error = closed.left->error;
        fact.closer = closed.left->closer;
    }
}

}  // namespace waitclose::replay
