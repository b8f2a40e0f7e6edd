// SPDX-License-Identifier: BSD-2-Clause
// The thread that handles the connection is asleep in something else, so its close() has not come yet.
#include <fmt/format.h>

#include <algorithm>

#include "diagnose/chain.h"
#include "diagnose/families.h"
#include "diagnose/text.h"
#include "diagnose/wait.h"

namespace waitclose::diagnose {

using model::Thread;

namespace {

/// When a sleep began is known as the latest it can have been; on a busy machine that was up to 0.4 ms late.
constexpr std::uint64_t kSleepErrorNs = 1'000'000;

/// A worker between two pieces of work sleeps in the same way as a handler: an event loop, a condition
/// variable, a pause. Only what a handler alone does shows that this is one.
bool shows_work(const Wait& wait) {
    switch (wait.what) {
    case WaitClass::kDisk:
    case WaitClass::kDownstream:
    case WaitClass::kPipe:
    case WaitClass::kSleep:
    case WaitClass::kMemory:
    case WaitClass::kChild: return true;
    case WaitClass::kLock: return wait.blocked || wait.owner_tid.has_value();
    case WaitClass::kOther: return wait.blocked;
    case WaitClass::kNothing:
    case WaitClass::kEventLoop: return false;
    }
    return false;
}

/// A pool's workers wait for work at a pipe, too, or take turns at accept() by a file lock, and a program
/// that has leaked a connection may go on sleeping: of these only a sleep that began before the FIN explains
/// why nobody has noticed it.
bool may_be_idle(const Wait& wait) {
    return wait.what == WaitClass::kPipe || wait.what == WaitClass::kSleep ||
           (wait.what == WaitClass::kLock && wait.blocked);
}

bool share_a_listener(const model::Census& census, std::uint32_t one, std::uint32_t other) {
    return std::ranges::any_of(census.listeners, [&](const model::Socket& listener) {
        const auto has = [&](std::uint32_t pid) {
            return std::ranges::any_of(census.holders_of(listener), [&](const model::Holder& holder) {
                return census.process_of(holder).pid == pid;
            });
        };
        return has(one) && has(other);
    });
}

/// Workers of a pool take turns, at accept() or at what else they are given, among themselves: alike by name,
/// or at the same listener. Nothing speaks against that where the lock's holder is not known.
bool may_take_turns(const Scene& scene) {
    const Thread& thread = *scene.who.thread;
    const model::Process& process = *scene.who.process;
    if (!thread.lock_holder || scene.census.nested) return true;
    const model::LockHolder& other = *thread.lock_holder;
    const std::string_view name = without_number(other.comm);
    return other.pid == process.pid || name.empty() || name == without_number(process.comm) ||
           name == without_number(thread.comm) || share_a_listener(scene.census, process.pid, other.pid);
}

/// Who took the FIN together with the last data has not seen it: it has the request alone in mind. A lock
/// that is no turn in a pool keeps it from that.
bool is_kept_from_the_request(const Scene& scene, const Wait& wait) {
    if (wait.what != WaitClass::kLock || scene.eof || !scene.socket.fin_consumed) return false;
    const bool read_last = !scene.who.deed || scene.who.deed->operation == model::Operation::kRead;
    return read_last && !may_take_turns(scene);
}

/// Who has answered may be at the next piece of work, or wait for it.
bool has_answered(const Scene& scene) {
    return scene.who.deed && scene.who.deed->operation == model::Operation::kWrite;
}

bool handled_before_sleeping(const Scene& scene, std::uint64_t asleep_since_ns) {
    if (!scene.who.deed) return false;
    const std::uint64_t touched = scene.who.deed->at_ns;
    return touched <= asleep_since_ns && asleep_since_ns - touched <= kSameWorkNs;
}

/// Whoever was seen with it after the FIN was awake then.
bool may_sleep_since_before_fin(const Scene& scene, std::uint64_t asleep_since_ns) {
    const std::uint64_t fin_ns = scene.socket.held_since_ns;
    if (!scene.who.deed) return false;
    return asleep_since_ns <= fin_ns ||
           (scene.who.deed->at_ns < fin_ns && asleep_since_ns <= fin_ns + kSleepErrorNs);
}

void add_wait(const Thread& thread, const Wait& wait, const std::string& slept, Diagnosis& diagnosis) {
    add_fact(diagnosis, "wait", std::string(id_of(wait.what)).c_str(),
             fmt::format("{} is in {} for {} (census)", thread_text(thread), wait.detail, slept));
    add_function(thread, diagnosis);
    if (!wait.frame.empty())
        add_fact(diagnosis, "kernel_function", wait.frame.c_str(),
                 fmt::format("where it sleeps says what for: {} (census: kernel stack, {})", id_of(wait.what),
                             wait.frame));
    if (thread.in_iowait)
        add_fact(diagnosis, "iowait", true, "the scheduler counts its sleep as waiting for a disk (census)");
    if (thread.file && !thread.file->name.empty() && thread.file->kind == model::FileKind::kRegular)
        add_fact(diagnosis, "file", thread.file->name.c_str(),
                 fmt::format("its descriptor is {} (census: /proc)", thread.file->name));
    if (thread.lock_owner_tid)
        add_fact(diagnosis, "lock_owner", std::uint64_t{*thread.lock_owner_tid},
                 fmt::format("the mutex names tid {} as its owner, which is alive (its memory)",
                             *thread.lock_owner_tid));
    if (thread.polled)
        add_fact(
            diagnosis, "polled", static_cast<std::uint64_t>(thread.polled->fd),
            fmt::format("fd {} is all it polls{} (its memory), a connection that this side opened (census)",
                        thread.polled->fd,
                        thread.polled->timeout_ns
                            ? fmt::format(", for {} at most", duration_text(*thread.polled->timeout_ns))
                            : ""));
    if (thread.lock_holder)
        add_fact(diagnosis, "lock_holder", std::uint64_t{thread.lock_holder->pid},
                 fmt::format("{} (pid {}) holds that lock and has the file open (/proc/locks)",
                             thread.lock_holder->comm, thread.lock_holder->pid));
}

void word_circle(const Thread& thread, const std::string& slept, const Chain& chain, Diagnosis& diagnosis) {
    const bool within = chain.circle == chain.links.size();
    diagnosis.summary =
        fmt::format("thread {}{} waits for {} {} a circle of {} thread{}: {}{}", thread.comm,
                    in_function_text(thread), slept, within ? "in" : "on", chain.circle,
                    chain.circle == 1 ? "" : "s", chain.links.front().detail, end_of_chain_text(chain));
    add_fact(diagnosis, "circle", std::uint64_t{chain.circle},
             fmt::format("each of {} threads waits for the next and for nobody else, and has slept since "
                         "before the census (census{})",
                         chain.circle, chain.by_memory ? ", their memory" : ""));
}

void word_blocked(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    const Thread& thread = *verdict.who.thread;
    const Wait wait = wait_of(thread);
    Chain chain = chain_from(scene.census, *verdict.who.process, thread);
    const std::string slept = duration_text(scene.ago(*thread.asleep_since_ns));
    diagnosis.summary =
        fmt::format("thread {}{} {} for {}: {}{}", thread.comm, in_function_text(thread),
                    phrase_of(wait.what), slept, chain.links.front().detail, end_of_chain_text(chain));
    if (verdict.cause == Cause::kDeadlock) word_circle(thread, slept, chain, diagnosis);
    add_wait(thread, wait, slept, diagnosis);
    // A lower bound begins at or after the FIN.
    if (scene.socket.precision == model::Precision::kExact &&
        *thread.asleep_since_ns <= scene.socket.held_since_ns)
        add_fact(diagnosis, "asleep_before_fin", true,
                 "it has not run since before the peer's FIN, so it cannot know of it (census)");
    diagnosis.because = std::move(chain.links);
}

void word_blocked_since_its_data(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    word_blocked(scene, verdict, diagnosis);
    add_fact(diagnosis, "asleep_since_data", true,
             "the only thread there is fell asleep when the data came together with the FIN, and has sent no "
             "answer: which of its connections it sleeps for was not seen (census)");
}

/// It waits for the next request of another client of the same service.
bool serves_another(const Scene& scene) {
    const Thread& thread = *scene.who.thread;
    return thread.file && thread.file->kind == model::FileKind::kTcp && thread.file->local_port != 0 &&
           thread.file->local_port == scene.socket.local.port;
}

/// It has taken the connection and not touched it, and now does what its parent, or another thread of its
/// program, tells it to: that is no part of a request.
bool waits_after_accept(const Scene& scene) {
    return scene.who.basis == Basis::kOpened &&
           waits_for_orders(scene.census, *scene.who.process, *scene.who.thread);
}

/// A thread at work that was seen with no held socket, and that the handler does not wait for: the connection
/// may have been handed to it.
bool may_be_handed_over(const Scene& scene, const model::Steps& chain) {
    return std::ranges::any_of(scene.rosters.unseen_workers(*scene.who.process), [&](const Thread* other) {
        return std::ranges::find(chain.steps, other, &model::Step::thread) == chain.steps.end();
    });
}

/// That a thread was the last to read a connection and then waits does not prove that it waits for that
/// connection's sake: it may have forgotten it, and be at its next piece of work.
Confidence confidence_of(const Scene& scene, const model::Steps& chain) {
    const bool merely_opened_it = scene.who.basis == Basis::kOpened;
    const bool read_end_long_ago = scene.eof && scene.ago(scene.eof.deed->at_ns) >= kMayAnswerNs;
    return merely_opened_it || read_end_long_ago || may_be_handed_over(scene, chain) ? Confidence::kPossible
                                                                                     : Confidence::kLikely;
}

}  // namespace

bool answered_since_data(const model::Socket& socket) {
    return socket.last_sent_ns != 0 && socket.last_sent_ns + kStampErrorNs >= socket.last_data_ns;
}

bool asleep_since_its_data(const Scene& scene) {
    const model::Socket& socket = scene.socket;
    const Thread* thread = scene.who.thread;
    const bool alone = thread && scene.who.basis == Basis::kOnlyThread && scene.only_process();
    if (!alone || !thread->asleep_since_ns || scene.watched_since_fin()) return false;
    const bool with_data =
        socket.role == model::Role::kServer && socket.fin_consumed && socket.last_data_ns != 0;
    const std::uint64_t since = *thread->asleep_since_ns;
    return with_data && !answered_since_data(socket) && since + kStampErrorNs >= socket.last_data_ns &&
           since <= socket.last_data_ns + kSameWorkNs;
}

std::optional<Verdict> handler_blocked(const Scene& scene) {
    const Thread* thread = scene.who.thread;
    if (!thread || !thread->asleep_since_ns || !scene.sleepers.empty()) return std::nullopt;
    // Who has used a connection of a pool may do anything next; the pool has the connection.
    if (scene.socket.role == model::Role::kClient) return std::nullopt;
    const std::uint64_t since = *thread->asleep_since_ns;
    // Who was not seen with it need not be its handler: one that merely inherited it sleeps, too.
    const bool seen = handled_before_sleeping(scene, since);
    if (!seen && !asleep_since_its_data(scene)) return std::nullopt;
    const Wait wait = wait_of(*thread);
    if (!shows_work(wait) || serves_another(scene) || waits_after_accept(scene)) return std::nullopt;
    const bool explains = may_sleep_since_before_fin(scene, since) || is_kept_from_the_request(scene, wait);
    if (may_be_idle(wait) && (!explains || has_answered(scene))) return std::nullopt;
    const model::Steps chain = model::follow_waits(scene.census, *scene.who.process, *thread);
    const Confidence confidence = confidence_of(scene, chain);
    if (!seen)
        return Verdict{Cause::kHandlerBlocked, Confidence::kPossible, scene.who, word_blocked_since_its_data};
    // No deadlock is proven either: a time limit that nobody sees (SO_RCVTIMEO), or a signal, may still end
    // one of the waits of the circle.
    const Cause cause = chain.deadlock ? Cause::kDeadlock : Cause::kHandlerBlocked;
    return Verdict{cause, confidence, scene.who, word_blocked};
}

}  // namespace waitclose::diagnose
