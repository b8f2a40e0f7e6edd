// SPDX-License-Identifier: BSD-2-Clause
// A reason is a fact of the scene, said when the cause's own family did not give it. Where nothing in
// particular speaks against a cause, that is what is said.
#include "diagnose/alternatives.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "diagnose/at_work.h"
#include "diagnose/chain.h"
#include "diagnose/families.h"
#include "diagnose/text.h"
#include "diagnose/wait.h"

namespace waitclose::diagnose {

using model::Process;
using model::Role;
using model::Socket;
using model::Thread;

namespace {

constexpr const char* kNothingShowsIt = "nothing was found that shows it";

std::string held_text(const Scene& scene) {
    return fmt::format("{} of {} refers to it", descriptors_text(scene, scene.processes.front()),
                       process_text(*scene.processes.front()));
}

/// The thread whose doings would be the reason, and why they are not; empty when there is more to look at.
std::string about_handler(const Scene& scene) {
    if (scene.processes.empty()) return "no process here holds it, so no thread handles it";
    if (!scene.who.thread) return "no single thread can be named that handles it";
    return "";
}

std::string doing(const Thread& thread) {
    return fmt::format("{} {}", thread_text(thread), activity_text(thread));
}

std::string not_in_queue(const Scene& scene) {
    if (!scene.processes.empty()) return "a program has it: " + held_text(scene);
    if (scene.socket.has_file) return "it has a file, so a program was given it";
    if (!scene.listener()) return "no listener was found whose accept queue it sits in";
    return kNothingShowsIt;
}

std::string not_fd_limit(const Scene& scene) {
    const Socket* listener = scene.listener();
    if (!scene.processes.empty() || scene.socket.has_file || !listener) return not_in_queue(scene);
    const auto owners = processes_of(scene.census, *listener);
    if (owners.size() != 1) return "no single process owns the listener";
    const Process& owner = *owners.front();
    if (!owner.fds_used || !owner.fd_limit)
        return fmt::format("the descriptors of {} could not be counted", process_text(owner));
    return fmt::format("{} has {} of {} descriptors open", process_text(owner), *owner.fds_used,
                       *owner.fd_limit);
}

std::string not_eof_ignored(const Scene& scene) {
    if (scene.processes.empty()) return "no process here holds it";
    if (!scene.socket.fin_consumed) return "the end of the stream is unread";
    if (!scene.eof && !eof_read(scene.census, scene.socket))
        return "one read took the last data together with the FIN, and none has found end-of-file since";
    const std::uint64_t read_ns =
        scene.eof ? scene.ago(scene.eof.deed->at_ns) : scene.census.held_ns(scene.socket);
    if (read_ns < kMayAnswerNs)
        return fmt::format("the stream was read to its end only {} ago, and an answer may still come",
                           duration_text(read_ns));
    return kNothingShowsIt;
}

std::string not_spinning(const Scene& scene) {
    if (!scene.socket.fin_consumed) return "the end of the stream is unread";
    if (!scene.census.traced) return "nothing was traced, so no reads of end-of-file were counted";
    const std::uint64_t reads = scene.socket.touches ? scene.socket.touches->eof_reads : 0;
    if (reads == 0) return "no read of end-of-file was seen";
    if (reads == 1) return "end-of-file was read once";
    return fmt::format("end-of-file was read {} times, and nothing shows a loop", reads);
}

std::string not_idle_in_pool(const Scene& scene) {
    const Socket& socket = scene.socket;
    if (socket.role == Role::kServer) return "the peer opened the connection";
    if (socket.role == Role::kUnknown) return "who opened the connection is not known";
    if (eof_read(scene.census, socket)) return "the program has read end-of-file";
    if (!scene.sleepers.empty()) return doing(*scene.sleepers.front().thread) + ", which is this socket";
    if (scene.who.thread && is_at_work(*scene.who.thread))
        return doing(*scene.who.thread) + ", with data unread or an answer due";
    return kNothingShowsIt;
}

std::string not_abandoned(const Scene& scene) {
    const Socket& socket = scene.socket;
    if (scene.processes.empty()) return "no process here holds it";
    if (socket.role == Role::kClient) return "this side opened the connection";
    if (eof_read(scene.census, socket)) return "the program has read end-of-file";
    if (!scene.sleepers.empty()) return doing(*scene.sleepers.front().thread) + ", which is this socket";
    if (scene.who.thread && is_at_work(*scene.who.thread))
        return doing(*scene.who.thread) + ", and may still handle it";
    if (some_may_handle(scene))
        return "threads are in the middle of something, and one of them may still handle it";
    return kNothingShowsIt;
}

std::string not_unwatched(const Scene& scene) {
    if (scene.processes.empty()) return "no process here holds it";
    if (eof_read(scene.census, scene.socket)) return "the program has read end-of-file";
    const bool loops = std::ranges::any_of(
        scene.processes, [&](const Process* process) { return scene.rosters.of(*process).watches(); });
    return loops ? kNothingShowsIt : "no thread that could handle it sleeps in epoll, poll or select";
}

std::string not_blocked(const Scene& scene) {
    if (const std::string none = about_handler(scene); !none.empty()) return none;
    const Thread& thread = *scene.who.thread;
    if (!thread.syscall) return doing(thread);
    if (!scene.sleepers.empty()) return doing(*scene.sleepers.front().thread) + ", which is this socket";
    if (waits_for_work(thread)) return doing(thread) + ", as a thread does that waits for work";
    if (!scene.who.deed) return fmt::format("{} was not seen to handle it", thread_text(thread));
    return doing(thread) + ", which need not be part of handling it";
}

std::string not_deadlocked(const Scene& scene) {
    if (const std::string none = about_handler(scene); !none.empty()) return none;
    const model::Steps chain = model::follow_waits(scene.census, *scene.who.process, *scene.who.thread);
    if (chain.end != model::ChainEnd::kReturns)
        return doing(*scene.who.thread) + ", and nobody was found there who waits for it in turn";
    return chain.deadlock ? "it waits in a circle, but was not seen to handle this connection just before"
                          : "its wait chain returns, but somebody else could break the circle";
}

std::string not_on_cpu(const Scene& scene) {
    if (const std::string none = about_handler(scene); !none.empty()) return none;
    const Thread& thread = *scene.who.thread;
    const model::Window* window = telling_window(scene);
    const model::ThreadTime* time = window ? window->find(thread.tid, thread.start_ns) : nullptr;
    if (!time) return doing(thread) + ", and over no window it was seen what it does (--observe)";
    const Shares shares = shares_of(*time);
    return fmt::format("over the window {} had a CPU for {:.0f} % and waited for one for {:.0f} %",
                       thread_text(thread), shares.on_cpu * 100, shares.waiting * 100);
}

std::string not_stopped(const Scene& scene) {
    if (scene.processes.empty()) return "no process here holds it";
    for (const Process* process : scene.processes) {
        const auto threads = scene.rosters.of(*process).threads();
        if (std::ranges::any_of(threads, is_stopped))
            return fmt::format("other threads of {} are not stopped", process_text(*process));
    }
    return fmt::format("no thread of {} is stopped, traced or frozen",
                       process_text(*scene.processes.front()));
}

std::string not_paused(const Scene& scene) {
    return telling_window(scene) ? "no runtime was seen to stop its threads over the window"
                                 : "that takes a window in which threads are watched (--observe)";
}

std::string not_inherited(const Scene& scene) {
    if (scene.processes.empty()) return "no process here holds it";
    for (const Process* process : scene.processes)
        if (scene.uses_it(*process))
            return fmt::format("{} itself opened or uses it", process_text(*process));
    if (scene.let_go.process)
        return fmt::format("{} closed a copy and holds another", process_text(*scene.let_go.process));
    const Process& first = *scene.processes.front();
    if (scene.processes.size() == 1 && first.start_ns <= scene.there_since())
        return fmt::format("{} alone holds it, and began before the connection's first sign",
                           process_text(first));
    if (may_be_forked_for_it(scene))
        return fmt::format("{} may have been forked to handle it", process_text(first));
    if (!scene.let_go) return "no close() of another process's copy was seen";
    return kNothingShowsIt;
}

std::string not_duplicate(const Scene& scene) {
    if (scene.processes.empty()) return "no process here holds it";
    if (scene.processes.size() > 1) return fmt::format("{} processes hold it", scene.processes.size());
    if (!scene.census.traced) return "nothing was traced, so no close() of another descriptor was seen";
    if (!scene.let_go) return "no close() of another descriptor of it was seen";
    if (scene.let_go.process != scene.processes.front())
        return "the close() that was seen was another process's";
    const bool used_since = scene.last && scene.last.deed->at_ns > scene.let_go.deed->at_ns;
    return used_since ? "after the close() of the other descriptor the program went on with this one"
                      : kNothingShowsIt;
}

std::string not_in_flight(const Scene& scene) {
    if (!scene.socket.has_file) return "it has no file";
    if (!scene.processes.empty()) return held_text(scene);
    return kNothingShowsIt;
}

std::string not_half_open(const Scene& scene) {
    const Socket& socket = scene.socket;
    if (socket.last_sent_ns == 0 && socket.unsent_bytes == 0) return "no data was ever sent";
    if (scene.watched_since_fin() && socket.unsent_bytes == 0 && socket.last_sent_ns <= socket.held_since_ns)
        return "nothing was sent since the FIN";
    if (socket.unsent_bytes == 0)
        return fmt::format("its last data left {} ago, and none waits to be acknowledged",
                           duration_text(scene.ago(socket.last_sent_ns)));
    return fmt::format(
        "{} bytes wait to be acknowledged, and nothing shows that they were sent since the FIN",
        socket.unsent_bytes);
}

std::string not_kernel(const Scene& scene) {
    if (!scene.socket.kernel_owned) return "it is not marked as the kernel's own";
    return scene.processes.empty() ? kNothingShowsIt : held_text(scene);
}

std::string not_exiting(const Scene& scene) {
    if (scene.processes.empty()) return "no process here holds it";
    for (const Process* process : scene.processes)
        if (const std::size_t live = scene.rosters.of(*process).live())
            return fmt::format("{} has {} live {}", process_text(*process), live,
                               live == 1 ? "thread" : "threads");
    return "its threads could not be read";
}

struct Entry {
    Cause cause;
    std::optional<Verdict> (*family)(const Scene&);
    std::string (*why_not)(const Scene&);
};

constexpr std::array<Entry, 19> kEntries{{
    {Cause::kNeverAccepted, accept_queue, not_in_queue},
    {Cause::kFdLimit, accept_queue, not_fd_limit},
    {Cause::kEofIgnored, end_of_file, not_eof_ignored},
    {Cause::kSpinOnEof, spin_on_eof, not_spinning},
    {Cause::kIdleInPool, unread, not_idle_in_pool},
    {Cause::kAbandoned, unread, not_abandoned},
    {Cause::kUnwatchedEvent, event_loop, not_unwatched},
    {Cause::kHandlerBlocked, handler_blocked, not_blocked},
    {Cause::kDeadlock, handler_blocked, not_deadlocked},
    {Cause::kHandlerBusy, handler_time, not_on_cpu},
    {Cause::kCpuStarved, handler_time, not_on_cpu},
    {Cause::kStopped, stopped, not_stopped},
    {Cause::kGcPause, gc_pause, not_paused},
    {Cause::kInheritedFd, inherited_descriptor, not_inherited},
    {Cause::kDuplicateFd, duplicate_descriptor, not_duplicate},
    {Cause::kInFlightFd, without_holder, not_in_flight},
    {Cause::kHalfOpen, half_open, not_half_open},
    {Cause::kKernelSocket, kernel_owned, not_kernel},
    {Cause::kExiting, exiting, not_exiting},
}};

/// What may fit as well, but less well than what was decided on; or a fact against it.
std::string reason(const Scene& scene, const Verdict& decided, const Entry& entry) {
    // `unread` takes for granted that those before it found nothing.
    const bool eof_seen = entry.family == unread && eof_read(scene.census, scene.socket);
    const bool can_decide = !eof_seen && !(entry.family == unread && scene.processes.empty());
    const auto verdict = can_decide ? entry.family(scene) : std::nullopt;
    if (verdict && verdict->cause == entry.cause)
        return decided.cause == Cause::kUnknown
                   ? fmt::format("it would fit ({}), but too little is known to say so",
                                 id_of(verdict->confidence))
                   : fmt::format("it would fit ({}), but {} explains the hold before it comes to that",
                                 id_of(verdict->confidence), id_of(decided.cause));
    return entry.why_not(scene);
}

}  // namespace

std::vector<Alternative> alternatives_to(const Scene& scene, const Verdict& decided) {
    std::vector<Alternative> alternatives;
    for (const Entry& entry : kEntries)
        if (entry.cause != decided.cause)
            alternatives.push_back({entry.cause, reason(scene, decided, entry)});
    return alternatives;
}

}  // namespace waitclose::diagnose
