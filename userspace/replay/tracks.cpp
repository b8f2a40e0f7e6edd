// SPDX-License-Identifier: BSD-2-Clause
#include "replay/tracks.h"

#include <fmt/format.h>

#include <algorithm>

#include "diagnose/telling.h"
#include "model/wording.h"
#include "output/json.h"
#include "replay/endings.h"
#include "replay/words.h"

namespace waitclose::replay {

using timeline::StringId;

namespace {

StringId named(timeline::StringTable& strings, const std::string& name) {
    return name.empty() ? StringId::kNone : strings.add(name);
}

StringId known(timeline::StringTable& strings, const std::optional<std::string>& text) {
    return text ? strings.add(*text) : StringId::kNone;
}

timeline::Holder holder_of(timeline::StringTable& strings, const model::Process& process,
                           const model::Holder& holder) {
    timeline::Holder made;
    made.pid = process.pid;
    made.fd = holder.fd;
    made.comm = named(strings, process.comm);
    made.exe = known(strings, process.exe);
    made.cgroup = known(strings, process.cgroup);
    made.container = known(strings, process.container);
    made.close_on_exec = holder.close_on_exec;
    if (process.start_ns) made.started_ns = process.start_ns;
    return made;
}

timeline::Deed deed_of(timeline::StringTable& strings, const model::Actor& actor, std::uint64_t at_ns,
                       timeline::ThreadRef where) {
    return {at_ns, actor.pid, actor.tid, named(strings, actor.comm_text()), where};
}

class Phases {
public:
    Phases(timeline::StringTable& strings, std::vector<timeline::Phase>& phases)
        : strings_(strings), phases_(phases) {}

    void add(std::uint64_t begin_ns, std::uint64_t end_ns, const char* name, bool is_hold = false) {
        if (begin_ns < end_ns) phases_.push_back({begin_ns, end_ns, strings_.add(name), is_hold});
    }

private:
    timeline::StringTable& strings_;
    std::vector<timeline::Phase>& phases_;
};

/// What became of it within its hold, as far as the looks told.
void add_inner(Phases& phases, const Track& track, const timeline::Hold& hold) {
    const Fact& fact = track.fact;
    const std::uint64_t seen_ns = std::min(fact.seen_ns, fact.end_ns);
    if (track.queued) {
        phases.add(fact.since_ns, seen_ns, "in the accept queue");
    } else if (track.eof_ns && *track.eof_ns >= fact.since_ns && *track.eof_ns <= fact.end_ns) {
        phases.add(fact.since_ns, *track.eof_ns, "FIN not read");
        phases.add(*track.eof_ns, fact.end_ns, "end-of-file read");
    } else if (hold.eof_read == false) {
        phases.add(fact.since_ns, seen_ns, "FIN not read");
    }
}

constexpr std::size_t kMostTenuresTold = 4;

/// "by java (4121) for 10 s, then by sh (4180) for 2 s"
std::string tenures_text(const timeline::Timeline& timeline, const std::vector<timeline::Tenure>& tenures) {
    std::string text;
    for (std::size_t i = 0; i < tenures.size(); ++i) {
        const timeline::Tenure& tenure = tenures[i];
        const timeline::Process* owner = timeline.process_at(tenure.owner);
        if (i == kMostTenuresTold) return text + ", then by others";
        const std::string who =
            owner ? fmt::format("{} ({})", timeline.text(owner->comm), owner->pid) : "nobody known";
        text += fmt::format("{}by {} for {}", text.empty() ? "" : ", then ", who,
                            model::duration_text(tenure.end_ns - tenure.begin_ns));
    }
    return text;
}

/// Puts a fact from several looks before all others.
void tell(timeline::Timeline& timeline, timeline::Hold& hold, const char* what, const std::string& words,
          const std::string& how) {
    auto& strings = timeline.strings;
    hold.diagnosis.evidence.insert(
        hold.diagnosis.evidence.begin(),
        {strings.add(what), timeline::Value::of(strings.add(how)), strings.add(words + how + " (looks)")});
}

/// What will end a hold is not to be said of one that has ended.
void drop_ending(timeline::Timeline& timeline, std::size_t bytes, timeline::Diagnosis& diagnosis) {
    std::string advice(timeline.text(diagnosis.advice));
    if (bytes == 0 || bytes > advice.size()) return;
    advice.resize(advice.size() - bytes);
    while (advice.ends_with(' ')) advice.pop_back();
    diagnosis.advice = timeline.strings.add(advice);
}

/// A look does not know how the hold will end: what has been closed since was not "never closed".
void tell_end(timeline::Timeline& timeline, const Fact& fact, timeline::Diagnosis& diagnosis) {
    const std::string then = diagnose::past_of(std::string(timeline.text(diagnosis.summary)));
    diagnosis.summary = timeline.strings.add(fmt::format("{}; {}", then, late_end_text(fact)));
}

}  // namespace

void describe(timeline::Timeline& timeline, const model::Connection& connection, timeline::Hold& hold) {
    auto& strings = timeline.strings;
    hold.id = strings.add(output::id_text(connection.key));
    hold.netns = connection.key.netns;
    if (connection.key.has_cookie()) hold.cookie = connection.key.cookie;
    hold.family = strings.add(output::family_name(connection.family));
    hold.role = strings.add(model::name_of(model::Role::kUnknown));
    hold.local = {strings.add(model::address_text(connection.family, connection.local)),
                  connection.local.port};
    hold.remote = {strings.add(model::address_text(connection.family, connection.remote)),
                   connection.remote.port};
}

void describe(timeline::Timeline& timeline, const model::Census& census, const model::Socket& socket,
              timeline::Hold& hold) {
    auto& strings = timeline.strings;
    hold.role = strings.add(model::name_of(socket.role));
    hold.accepted = model::was_accepted(socket);
    hold.eof_read.reset();
    hold.unread_bytes.reset();
    // A subflow of Multipath TCP is read by the kernel.
    if (!socket.multipath) {
        hold.eof_read = diagnose::eof_read(census, socket);
        hold.unread_bytes = socket.unread_bytes;
    }
    hold.received_bytes = socket.received_bytes;
    hold.unsent_bytes = socket.unsent_bytes;
    hold.holders.clear();
    for (const model::Holder& holder : census.holders_of(socket))
        hold.holders.push_back(holder_of(strings, census.process_of(holder), holder));
    hold.peer.reset();
    if (socket.peer_holder != model::kNone) {
        const model::Holder& holder = census.holders[static_cast<std::size_t>(socket.peer_holder)];
        const model::Process& process = census.process_of(holder);
        hold.peer = timeline::Peer{process.pid, holder.fd, named(strings, process.comm)};
    }
}

Words words_of(timeline::Timeline& timeline, Lanes& lanes, const model::Census& census,
               diagnose::Diagnoser& diagnoser, const model::Socket& socket) {
    Words words;
    words.at_ns = census.taken_ns;
    const diagnose::Diagnosis diagnosis = diagnoser.diagnose(socket);
    words.diagnosis = interned(diagnosis, timeline.strings);
    words.ending_bytes = diagnosis.ending.size();
    if (const model::Thread* thread = diagnoser.decide(socket).verdict.who.thread) {
        words.wait_class = timeline.strings.add(diagnose::id_of(diagnose::wait_of(*thread).what));
        words.stack = lanes.stack_of(*thread);
    }
    return words;
}

void settle(timeline::Timeline& timeline, Course& course, Fact& fact, timeline::Hold& hold) {
    course.end(fact.end_ns);
    const auto outcome = course.outcome();
    if (!outcome) return;
    fact.cause = outcome->opinion.cause;
    fact.confidence = outcome->opinion.confidence;
    fact.owner = outcome->opinion.owner;
    fact.diagnosed_ns = outcome->diagnosed_ns;
    fact.told_ns = outcome->words->at_ns;
    fact.course = course.text();
    hold.diagnosis = std::move(outcome->words->diagnosis);
    hold.wait_class = outcome->words->wait_class;
    hold.stack = outcome->words->stack;
    if (!fact.is_open()) {
        drop_ending(timeline, outcome->words->ending_bytes, hold.diagnosis);
        tell_end(timeline, fact, hold.diagnosis);
    }
    if (!fact.course.empty()) tell(timeline, hold, "course", "looked at again and again: ", fact.course);
}

void tell_owners(timeline::Timeline& timeline, timeline::Hold& hold, StringId formerly) {
    const std::string tenures = tenures_text(timeline, hold.tenures);
    if (!tenures.empty()) tell(timeline, hold, "held_in_turn", "held ", tenures);
    const timeline::Process* owner = timeline.process_at(hold.owner);
    if (owner == nullptr || formerly == StringId::kNone) return;
    const std::string before(timeline.text(formerly));
    const std::string now(timeline.text(owner->comm));
    tell(timeline, hold, "formerly",
         fmt::format("process {} is called {} now; before it was ", owner->pid, now), before);
}

void lay_out(timeline::Timeline& timeline, const Track& track, timeline::Hold& hold) {
    auto& strings = timeline.strings;
    const Fact& fact = track.fact;
    hold.since_ns = fact.since_ns;
    hold.held_ns = fact.held_ns();
    hold.precision = strings.add(model::name_of(fact.precision));
    hold.open = fact.is_open();
    hold.since_or_earlier = fact.since_at_least;
    hold.ended_or_later = fact.ended == Ended::kMissed;
    hold.owner = fact.owner;
    Phases phases(strings, hold.phases);
    if (track.span && track.span->established_ns)
        phases.add(track.span->established_ns, fact.since_ns, "ESTABLISHED");
    phases.add(fact.since_ns, fact.end_ns, "CLOSE_WAIT", true);
    add_inner(phases, track, hold);
    if (track.span && track.span->last_ack_ns >= fact.end_ns && !fact.is_open()) {
        const std::uint64_t to_ns = timeline.window.to_ns;
        phases.add(track.span->last_ack_ns,
                   track.span->closed_ns ? std::min(track.span->closed_ns, to_ns) : to_ns, "LAST_ACK");
    }
    if (track.touch)
        hold.first_touch = deed_of(strings, track.touch->actor, track.touch->at_ns, track.toucher);
    if (fact.closer) hold.closed = deed_of(strings, *fact.closer, fact.end_ns, track.closer);
}

}  // namespace waitclose::replay
