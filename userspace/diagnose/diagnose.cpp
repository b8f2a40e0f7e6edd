// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "diagnose/acceptors.h"
#include "diagnose/culprit.h"
#include "diagnose/diagnoser.h"
#include "diagnose/ending.h"
#include "diagnose/families.h"
#include "diagnose/fin.h"
#include "diagnose/pressure.h"
#include "diagnose/text.h"
#include "diagnose/watched.h"

namespace waitclose::diagnose {

using model::Process;
using model::Socket;

namespace {

using Family = std::optional<Verdict> (*)(const Scene&);

// The first that can show something wins. Who cannot close at all comes before who has not, and what explains
// a hold without blame before what blames.
constexpr std::array<Family, 18> kFamilies{
    kernel_owned,         accept_queue,         without_holder, exiting,          stopped,
    duplicate_descriptor, inherited_descriptor, half_open,      too_little_known, spin_on_eof,
    handler_blocked,      handler_awaits,       gc_pause,       handler_time,     end_of_file,
    event_loop,           forked_for_one,       unread,
};

void word_threads_unread(const Scene& scene, const Verdict&, Diagnosis& diagnosis) {
    diagnosis.summary = "its owner went away while it was looked at";
    for (const Process* process : scene.processes)
        if (scene.rosters.of(*process).threads().empty())
            add_fact(diagnosis, "threads_unread", true,
                     fmt::format("no thread of {} could be read (census)", process_text(*process)));
}

void word_too_young(const Scene& scene, const Verdict&, Diagnosis& diagnosis) {
    const std::string held = duration_text(scene.census.held_ns(scene.socket));
    diagnosis.summary = fmt::format("the hold is known for {} only: too early to say", held);
    add_fact(
        diagnosis, "too_young", true,
        fmt::format("{} after the peer's FIN a healthy program may not have heard of it (census)", held));
}

void word_multipath(const Scene&, const Verdict&, Diagnosis& diagnosis) {
    diagnosis.summary = "it carries Multipath TCP: what the program has read of it does not show";
    add_fact(diagnosis, "multipath", true,
             "the kernel reads this subflow on the program's behalf, so copied_seq says nothing of the "
             "program (census)");
}

bool threads_unread(const Scene& scene) {
    const auto unread = [&](const Process* process) { return scene.rosters.of(*process).threads().empty(); };
    return scene.who.process ? unread(scene.who.process) : std::ranges::all_of(scene.processes, unread);
}

Verdict decide_from(const Scene& scene) {
    for (const Family family : kFamilies)
        if (auto verdict = family(scene)) return *verdict;
    return {};
}

const Process* owner_of(const Scene& scene, const Verdict& verdict) {
    if (verdict.who.process) return verdict.who.process;
    if (!scene.processes.empty()) return scene.only_process();
    const Socket* listener = scene.listener();
    if (!listener) return nullptr;
    return head_of(processes_of(scene.census, *listener));
}

void add_hold(const Scene& scene, Diagnosis& diagnosis) {
    const std::uint64_t held_ns = scene.census.held_ns(scene.socket);
    const std::string held = duration_text(held_ns);
    if (scene.socket.precision == model::Precision::kExact)
        return add_fact(diagnosis, "held_ns", held_ns,
                        fmt::format("in CLOSE_WAIT for {} (transition)", held));
    // The same bound from the same segment differs by a tick at most; a later segment makes it smaller.
    const char* maybe_longer =
        fin_time_known(scene.socket)
            ? ""
            : "; the last one may have been an answer to what was sent, or to a keepalive "
              "probe, and the FIN have come long before";
    add_fact(diagnosis, "held_ns", held_ns,
             fmt::format("in CLOSE_WAIT for at least {}: no segment came from the peer since{} (census)",
                         held, maybe_longer));
}

void add_holders(const Scene& scene, Diagnosis& diagnosis) {
    constexpr std::size_t kShown = 4;
    if (scene.processes.empty()) return;
    std::string list;
    for (std::size_t i = 0; i < std::min(kShown, scene.processes.size()); ++i)
        list += fmt::format("{}{} of {}", i ? ", " : "", descriptors_text(scene, scene.processes[i]),
                            process_text(*scene.processes[i]));
    if (scene.processes.size() > kShown)
        list += fmt::format(", and {} more processes", scene.processes.size() - kShown);
    add_fact(diagnosis, "holders", std::uint64_t{scene.socket.holder_count},
             fmt::format("held by {} (census)", list));
    add_in_flight(scene, diagnosis);
}

/// Where in the program it was accepted or connected, where that was traced.
void add_opening(const Scene& scene, Diagnosis& diagnosis) {
    const auto* touches = scene.socket.touches.get();
    const model::Frame* frame =
        touches && touches->opened_at ? model::own_function(*touches->opened_at) : nullptr;
    if (!frame) return;
    const char* how = scene.socket.role == model::Role::kServer   ? "accepted"
                      : scene.socket.role == model::Role::kClient ? "connected"
                                                                  : "opened";
    const std::string module = frame->module.empty() ? "" : fmt::format(" ({})", frame->module);
    add_fact(diagnosis, "opened_in", frame->function.c_str(),
             fmt::format("{} in {}{} (traced: call stack)", how, function_text(frame->function), module));
}

Diagnosis put_into_words(const Scene& scene, const Verdict& verdict) {
    Diagnosis diagnosis;
    diagnosis.cause = verdict.cause;
    diagnosis.confidence = verdict.confidence;
    diagnosis.culprit = culprit_of(verdict.who);
    if (verdict.wording) verdict.wording(scene, verdict, diagnosis);
    explain_culprit(scene, verdict.who, diagnosis);
    add_pressure(scene, verdict, diagnosis);
    add_hold(scene, diagnosis);
    add_holders(scene, diagnosis);
    add_opening(scene, diagnosis);
    const std::string more = diagnosis.advice.empty() ? "" : diagnosis.advice + " ";
    diagnosis.ending = ending_text(scene);
    diagnosis.advice = fmt::format("{} {}{}", advice_of(verdict.cause), more, diagnosis.ending);
    return diagnosis;
}

}  // namespace

std::optional<Verdict> too_little_known(const Scene& scene) {
    if (threads_unread(scene))
        return Verdict{Cause::kUnknown, Confidence::kPossible, scene.who, word_threads_unread};
    if (scene.socket.multipath)
        return Verdict{Cause::kUnknown, Confidence::kPossible, scene.who, word_multipath};
    if (scene.census.held_ns(scene.socket) < kTooYoungNs)
        return Verdict{Cause::kUnknown, Confidence::kPossible, scene.who, word_too_young};
    return std::nullopt;
}

Diagnosis Diagnoser::diagnose(const Socket& socket) {
    const Scene scene(census_, socket, rosters_);
    Diagnosis diagnosis = put_into_words(scene, decide_from(scene));
    timeouts().contribute(socket, diagnosis);
    return diagnosis;
}

std::vector<Alternative> Diagnoser::alternatives(const Socket& socket) {
    const Scene scene(census_, socket, rosters_);
    return alternatives_to(scene, decide_from(scene));
}

const PeerTimeouts& Diagnoser::timeouts() {
    if (!timeouts_) timeouts_.emplace(census_);
    return *timeouts_;
}

Diagnoser::Decision Diagnoser::decide(const Socket& socket) {
    const Scene scene(census_, socket, rosters_);
    Decision decision{decide_from(scene), nullptr};
    decision.owner = owner_of(scene, decision.verdict);
    return decision;
}

Diagnosis diagnose(const model::Census& census, const Socket& socket) {
    return Diagnoser(census).diagnose(socket);
}

}  // namespace waitclose::diagnose
