// SPDX-License-Identifier: BSD-2-Clause
// One descriptor was closed, another still refers to the socket: in the same process, or in one that
// inherited it.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "diagnose/doors.h"
#include "diagnose/families.h"
#include "diagnose/text.h"

namespace waitclose::diagnose {

using model::Process;

namespace {

/// A handler that is forked for one connection is born right after it.
constexpr std::uint64_t kBornForItNs = 1'000'000'000;

bool holds_as(const Scene& scene, const Process& process, std::int32_t fd) {
    return std::ranges::any_of(scene.census.holders_of(scene.socket), [&](const model::Holder& holder) {
        return &scene.census.process_of(holder) == &process && holder.fd == fd;
    });
}

std::string closed_text(const Seen& let_go) {
    return let_go.deed->fd >= 0 ? fmt::format("fd {}", let_go.deed->fd) : std::string("a descriptor");
}

void add_close(const Scene& scene, Diagnosis& diagnosis) {
    if (!scene.let_go) return;
    add_fact(diagnosis, "let_go", true,
             fmt::format("{} closed {} {} ago, and that was not the last reference (traced)",
                         actor_text(scene.let_go.deed->actor), closed_text(scene.let_go),
                         duration_text(scene.ago(scene.let_go.deed->at_ns))));
}

void word_duplicate(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    const std::string kept = descriptors_text(scene, verdict.who.process);
    diagnosis.summary =
        fmt::format("{} closed {} {} ago and keeps its duplicate {}", verdict.who.process->comm,
                    closed_text(scene.let_go), duration_text(scene.ago(scene.let_go.deed->at_ns)), kept);
    add_close(scene, diagnosis);
    add_fact(diagnosis, "kept", kept.c_str(),
             fmt::format("the same process, {}, still holds {} (census)", process_text(*verdict.who.process),
                         kept));
}

std::string holders_text(const Scene& scene, const Verdict& verdict) {
    if (verdict.who.process) return verdict.who.process->comm;
    return fmt::format("{} processes, {} among them,", scene.processes.size(), scene.processes.front()->comm);
}

// Close-on-exec closes nothing where nobody calls exec().
std::string_view inheritance_advice(const Scene& scene) {
    const auto holders = scene.census.holders_of(scene.socket);
    if (std::ranges::all_of(holders, [](const model::Holder& holder) { return holder.close_on_exec; }))
        return "It is close-on-exec, so this was a fork() without exec(): close the child's copy right after "
               "fork(), or fork before accepting.";
    return "Open sockets with SOCK_CLOEXEC (accept4), so that no other program gets them, and close what a "
           "forked child does not need right after fork().";
}

void word_inherited(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    const bool one = verdict.who.process != nullptr;
    const bool forked =
        one && scene.there_since() != 0 && verdict.who.process->start_ns > scene.there_since();
    diagnosis.summary = fmt::format(
        "{} still {} {}, inherited{}{}", holders_text(scene, verdict), one ? "holds" : "hold",
        descriptors_text(scene, verdict.who.process),
        forked ? fmt::format(" by a fork {} ago", duration_text(scene.ago(verdict.who.process->start_ns)))
               : "",
        scene.census.traced ? " and not seen in use there" : "");
    if (scene.let_go)
        diagnosis.summary +=
            fmt::format("; {} closed its own copy {} ago", scene.let_go.deed->actor.comm_text(),
                        duration_text(scene.ago(scene.let_go.deed->at_ns)));
    add_close(scene, diagnosis);
    for (const Process* process : scene.processes) {
        const bool younger = scene.there_since() != 0 && process->start_ns > scene.there_since();
        add_fact(
            diagnosis, "start_order", younger,
            younger
                ? fmt::format("{} is younger than the socket, so it did not open it: it was forked {} ago, "
                              "{} after the connection was there, and its parent is now process {} (census)",
                              process_text(*process), duration_text(scene.ago(process->start_ns)),
                              duration_text(process->start_ns - scene.there_since()), process->parent_pid)
                : fmt::format("{} was not seen to open, read or write it (traced)", process_text(*process)));
    }
    for (const model::Holder& holder : scene.census.holders_of(scene.socket))
        add_fact(
            diagnosis, "close_on_exec", holder.close_on_exec,
            fmt::format("fd {} of {} is {}marked close-on-exec (census)", holder.fd,
                        process_text(scene.census.process_of(holder)), holder.close_on_exec ? "" : "not "));
    add_waits_elsewhere(scene, diagnosis);
    diagnosis.advice = inheritance_advice(scene);
}

void word_handler_or_heir(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    const Process& process = *verdict.who.process;
    diagnosis.summary = fmt::format("{} was given {}: to serve it, or by accident", process.comm,
                                    descriptors_text(scene, &process));
    add_fact(
        diagnosis, "start_order", true,
        fmt::format("{} is younger than the socket, so it did not open it (census)", process_text(process)));
    add_fact(
        diagnosis, "traffic_since_start", true,
        "data may have moved since that process was born, and who moved it was not traced: it may handle the "
        "connection (forked for it), or hold a copy it inherited (census)");
    diagnosis.advice = "Look again with --observe to see who reads and writes it.";
}

// Its use of the socket makes a process a handler of it, however it came by the descriptor.
bool nobody_uses_it(const Scene& scene) {
    return std::ranges::none_of(scene.processes,
                                [&](const Process* process) { return scene.uses_it(*process); });
}

// When each process here was born after the socket: by fork it can have got the descriptor, by accept() it
// cannot.
bool all_younger_than(const Scene& scene, std::uint64_t at_ns) {
    return at_ns != 0 && std::ranges::all_of(scene.processes, [&](const Process* process) {
               return process->start_ns > at_ns;
           });
}

bool all_children_of(const Scene& scene, std::uint32_t pid) {
    return std::ranges::all_of(scene.processes,
                               [&](const Process* process) { return process->parent_pid == pid; });
}

bool too_young(const Scene& scene) {
    return scene.census.held_ns(scene.socket) < kTooYoungNs;
}

// Right after the connection was there, or after somebody else had read its request.
bool is_born_for_it(const Scene& scene, const Process& process) {
    const std::uint64_t touched = scene.last ? scene.last.deed->at_ns : 0;
    if (touched >= process.start_ns) return false;
    const std::uint64_t since = std::max(scene.there_since(), touched);
    return since == 0 || process.start_ns < since + kBornForItNs;
}

// A process that holds it, and that nobody saw use it, may still be the handler forked for this connection.
bool may_be_born_for_it(const Scene& scene) {
    return std::ranges::any_of(scene.processes,
                               [&](const Process* process) { return is_born_for_it(scene, *process); });
}

// On the port that the connection came to.
bool listens(const Scene& scene, const Process& process) {
    return std::ranges::any_of(scene.census.listeners, [&](const model::Socket& listener) {
        if (listener.local.port != scene.socket.local.port) return false;
        return std::ranges::any_of(scene.census.holders_of(listener), [&](const model::Holder& holder) {
            return &scene.census.process_of(holder) == &process;
        });
    });
}

// Whoever hands a connection to a process forked for it has no more use for its own copy. Where that was not
// seen, a process as old as the connection that does not listen there was given it, too: signs of its age are
// late.
bool let_go_at_once(const Scene& scene, const Process& heir) {
    const std::uint64_t since = scene.there_since();
    if (!scene.let_go)
        return heir.start_ns > since || (heir.start_ns + kBornForItNs > since && !listens(scene, heir));
    return scene.let_go.deed->at_ns < heir.start_ns + kBornForItNs;
}

const Process* process_that_closed(const Scene& scene) {
    if (!scene.let_go) return nullptr;
    const model::Actor& actor = scene.let_go.deed->actor;
    const auto found = std::ranges::find_if(scene.census.processes, [&](const Process& process) {
        return process.pid == actor.pid && process.start_ns <= actor.start_ns;
    });
    return found == scene.census.processes.end() ? nullptr : &*found;
}

// Somebody put it there for a program to use: where it reads, writes, or says what went wrong. `process`:
// whose descriptors are asked about; null: everybody's.
bool is_standard_descriptor(const Scene& scene, const Process* process = nullptr) {
    return std::ranges::any_of(scene.census.holders_of(scene.socket), [&](const model::Holder& holder) {
        return (!process || &scene.census.process_of(holder) == process) && holder.fd >= STDIN_FILENO &&
               holder.fd <= STDERR_FILENO;
    });
}

// It runs another program than the one that closed its copy. That knows nothing of a descriptor but the first
// three.
bool runs_another_program(const Scene& scene, const Process& heir) {
    const Process* other = process_that_closed(scene);
    if (!other || !other->exe || !heir.exe || *other->exe == *heir.exe) return false;
    return !is_standard_descriptor(scene, &heir);
}

bool only_waits_for_orders(const Scene& scene, const Process& heir) {
    return std::ranges::all_of(scene.census.threads_of(heir), [&](const model::Thread& thread) {
        return !is_live(thread) ||
               (waits_for_orders(scene.census, heir, thread) && !waits_elsewhere(scene, heir, thread));
    });
}

const Process* forked_for_it(const Scene& scene) {
    if (scene.census.held_ns(scene.socket) >= kHardlyAnswersNs) return nullptr;
    const auto found = std::ranges::find_if(scene.processes, [&](const Process* process) {
        return is_born_for_it(scene, *process) && let_go_at_once(scene, *process) &&
               !runs_another_program(scene, *process) && !only_waits_for_orders(scene, *process);
    });
    return found == scene.processes.end() ? nullptr : *found;
}

void word_forked_for_it(const Scene& scene, const Verdict&, Diagnosis& diagnosis) {
    const Process& process = *forked_for_it(scene);
    diagnosis.summary = fmt::format(
        "{} was forked when the connection had come, and has not read it yet: it may be about to serve it",
        process.comm);
    add_close(scene, diagnosis);
    add_fact(diagnosis, "forked_for_it", true,
             fmt::format("{} began {} ago, within {} of the connection or its last use, as the server of one "
                         "connection does (census)",
                         process_text(process), duration_text(scene.ago(process.start_ns)),
                         duration_text(kBornForItNs)));
    if (const model::Thread* thread = scene.rosters.of(process).only())
        add_fact(diagnosis, "activity", activity_text(*thread).c_str(),
                 fmt::format("{} {} (census)", thread_text(*thread), activity_text(*thread)));
}

// Whoever closed its copy had handled the connection while the others held theirs, or to its end: that was no
// hand-over.
bool was_handled_elsewhere(const Scene& scene, std::uint64_t closed_ns) {
    if (scene.eof && scene.eof.deed->at_ns <= closed_ns) return true;
    return scene.last && scene.last.deed->at_ns <= closed_ns &&
           std::ranges::all_of(scene.processes, [&](const Process* process) {
               return process->start_ns <= scene.last.deed->at_ns;
           });
}

std::optional<Confidence> inherited_after_close(const Scene& scene) {
    const model::Deed& close = *scene.let_go.deed;
    if (all_younger_than(scene, scene.there_since())) {
        if (was_handled_elsewhere(scene, close.at_ns)) {
            // Of the same program it may have been given the answer to send.
            const bool knows_nothing_of_it = std::ranges::all_of(
                scene.processes, [&](const Process* heir) { return runs_another_program(scene, *heir); });
            return knows_nothing_of_it ? Confidence::kProven : Confidence::kLikely;
        }
        return may_be_born_for_it(scene) ? Confidence::kPossible : Confidence::kLikely;
    }
    // Older than accept(): it was passed the descriptor, on purpose.
    if (scene.opened || !all_children_of(scene, close.actor.pid)) return std::nullopt;
    return Confidence::kPossible;
}

// What is kept may be kept to be used: to send the answer while the other half has read the request, or by
// whom it was handed to.
Confidence tempered(const Scene& scene, Confidence confidence) {
    if (is_standard_descriptor(scene) || some_wait_elsewhere(scene)) return Confidence::kPossible;
    if (!some_work(scene)) return confidence;
    const bool may_answer = scene.census.held_ns(scene.socket) < kHardlyAnswersNs;
    return may_answer ? Confidence::kPossible : std::max(confidence, Confidence::kLikely);
}

void word_may_be_used(const Scene& scene, const Verdict&, Diagnosis& diagnosis) {
    diagnosis.summary =
        fmt::format("one descriptor of it was closed, but not {}: it may be about to be used{}",
                    descriptors_text(scene, scene.who.process),
                    scene.who.process ? fmt::format(" by {}", scene.who.process->comm) : "");
    add_close(scene, diagnosis);
    add_fact(
        diagnosis, "may_be_used", true,
        fmt::format("for {} after the peer's FIN whoever keeps a descriptor may still answer on it (census)",
                    duration_text(kMayAnswerNs)));
}

Verdict inherited(const Scene& scene, Confidence confidence) {
    if (confidence == Confidence::kPossible && may_be_forked_for_it(scene))
        return {Cause::kUnknown, Confidence::kPossible, scene.who, word_forked_for_it};
    if (scene.census.held_ns(scene.socket) < kMayAnswerNs)
        return {Cause::kUnknown, Confidence::kPossible, scene.who, word_may_be_used};
    return {Cause::kInheritedFd, tempered(scene, confidence), scene.who, word_inherited};
}

std::optional<Verdict> younger_than_socket(const Scene& scene) {
    const Process* process = scene.only_process();
    if (!process || !all_younger_than(scene, scene.there_since())) return std::nullopt;
    const bool moved =
        scene.socket.last_data_ns > process->start_ns || scene.socket.last_sent_ns > process->start_ns;
    if (moved && !scene.last)
        return Verdict{Cause::kUnknown, Confidence::kPossible, scene.who, word_handler_or_heir};
    return inherited(scene, may_be_born_for_it(scene) ? Confidence::kPossible : Confidence::kLikely);
}

}  // namespace

bool may_be_forked_for_it(const Scene& scene) {
    return nobody_uses_it(scene) && forked_for_it(scene) != nullptr;
}

std::optional<Verdict> forked_for_one(const Scene& scene) {
    const bool may_be = scene.socket.role != model::Role::kClient && !scene.let_go.process;
    if (!may_be || !may_be_forked_for_it(scene)) return std::nullopt;
    return Verdict{Cause::kUnknown, Confidence::kPossible, scene.who, word_forked_for_it};
}

std::optional<Verdict> duplicate_descriptor(const Scene& scene) {
    const Process* process = scene.only_process();
    if (!process || scene.let_go.process != process || too_young(scene)) return std::nullopt;
    const model::Deed& close = *scene.let_go.deed;
    // It still holds that very number: what was closed then is not what is held now.
    if (holds_as(scene, *process, close.fd)) return std::nullopt;
    // It went on with the other descriptor after the close(), as a program does that only moved the socket.
    const bool used_since = scene.last && scene.last.deed->at_ns > close.at_ns;
    if (used_since || !scene.sleepers.empty()) return std::nullopt;
    // Else it may have moved the socket to the other descriptor and not come to use that yet.
    const bool after_fin = scene.last.process == process && close.at_ns >= scene.socket.held_since_ns;
    const bool done_with_it = scene.eof.process == process || after_fin;
    const std::uint64_t held_ns = scene.census.held_ns(scene.socket);
    if (held_ns < kMayAnswerNs)
        return Verdict{Cause::kUnknown, Confidence::kPossible, scene.who, word_may_be_used};
    // Never proven: the kept one may be there to send the answer.
    const bool shown = done_with_it || held_ns >= kHardlyAnswersNs;
    return Verdict{Cause::kDuplicateFd, tempered(scene, shown ? Confidence::kLikely : Confidence::kPossible),
                   scene.who, word_duplicate};
}

std::optional<Verdict> inherited_descriptor(const Scene& scene) {
    if (scene.processes.empty() || too_young(scene) || !nobody_uses_it(scene)) return std::nullopt;
    if (scene.let_go && !scene.let_go.process)
        if (const auto confidence = inherited_after_close(scene)) return inherited(scene, *confidence);
    if (scene.let_go.process) return std::nullopt;
    return younger_than_socket(scene);
}

}  // namespace waitclose::diagnose
