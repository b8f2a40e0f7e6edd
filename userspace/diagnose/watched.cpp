// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/watched.h"

#include <algorithm>

#include <fmt/format.h>

#include "diagnose/text.h"

namespace waitclose::diagnose {

using model::Process;
using model::Thread;
using model::Watch;
using model::WatchKind;

namespace {

constexpr std::size_t kShown = 4;

/// Whose the epoll is; empty when no descriptor of it is visible here.
std::string epoll_text(const Scene& scene, std::uint64_t epoll) {
    const auto found = std::ranges::lower_bound(scene.census.epolls, epoll, {}, &model::EpollHolder::epoll);
    if (found == scene.census.epolls.end() || found->epoll != epoll)
        return "an epoll that no process here has open";
    const auto next = std::ranges::upper_bound(scene.census.epolls, epoll, {}, &model::EpollHolder::epoll);
    const auto others = next - found - 1;
    return fmt::format("epoll fd {} of {} (pid {}{})", found->fd, found->comm, found->pid,
                       others > 0 ? fmt::format(", and {} more", others) : "");
}

const char* state_text(const Watch& watch) {
    if (model::is_disarmed(watch)) return "one-shot, told once and not armed again";
    if (!model::tells_of_fin(watch)) return "of a FIN it is not told with these events";
    if (model::is_edge_triggered(watch))
        return watch.ready ? "edge-triggered, and not yet told of the last event"
                           : "edge-triggered, told of the FIN, and told no more";
    return watch.ready ? "level-triggered, and on its ready list" : "level-triggered, and just being told";
}

std::string served_text(const Scene& scene, const Watch& watch) {
    if (const Thread* thread = server_of(scene, watch))
        return fmt::format("; {} sleeps in epoll_wait on {}", thread_text(*thread),
                           thread->epoll == watch.epoll ? "it" : "the one that watches it");
    if (watch.awaited) return "; somebody sleeps in epoll_wait on it";
    return watch.polled ? "; it is watched itself, by another epoll or poll()"
                        : "; nobody sleeps in epoll_wait on it";
}

}  // namespace

bool nobody_watches(const Scene& scene) {
    return scene.socket.watching == model::Watching::kNobody;
}

const Process* held_back(const Scene& scene) {
    const auto found = std::ranges::find_if(
        scene.processes, [](const Process* process) { return process->held_back_fd.has_value(); });
    return found == scene.processes.end() ? nullptr : *found;
}

bool all_idle(const Scene& scene) {
    return std::ranges::none_of(scene.processes, [&](const Process* process) {
        const Roster& roster = scene.rosters.of(*process);
        return roster.threads().empty() || roster.at_work();
    });
}

const Thread* server_of(const Scene& scene, const Watch& watch) {
    if (watch.epoll == 0) return nullptr;
    for (const Process* process : scene.processes)
        for (const Thread& thread : scene.census.threads_of(*process))
            if (is_live(thread) && thread.epoll != 0 &&
                (thread.epoll == watch.epoll || thread.epoll == watch.outer))
                return &thread;
    return nullptr;
}

std::string watch_text(const Scene& scene, const Watch& watch) {
    switch (watch.kind) {
    case WatchKind::kEpoll:
        return fmt::format("{} has it registered as fd {} for {}: {}{}", epoll_text(scene, watch.epoll),
                           watch.fd, model::events_text(watch), state_text(watch), served_text(scene, watch));
    case WatchKind::kPoll:
        return watch.tid
                   ? fmt::format("tid {} of pid {} waits for it in poll or select", watch.tid, watch.pid)
                   : "a thread that is not visible here waits for it in poll or select";
    case WatchKind::kRing: return "a request of an io_uring waits for it";
    case WatchKind::kOther: break;
    }
    return "somebody waits for it otherwise than by epoll, poll or io_uring";
}

void add_watches(const Scene& scene, Diagnosis& diagnosis) {
    if (nobody_watches(scene)) {
        add_fact(
            diagnosis, "watched", false,
            fmt::format("no epoll watches {}, and nobody waits for it in poll, select or a read (census)",
                        descriptors_text(scene, scene.who.process)));
        return;
    }
    if (!scene.socket.watches) return;
    const auto& all = *scene.socket.watches;
    for (std::size_t i = 0; i < std::min(all.size(), kShown); ++i)
        add_fact(diagnosis, "watched", true, fmt::format("{} (census)", watch_text(scene, all[i])));
}

std::string place_text(const model::InFlight& place) {
    return place.where == model::InFlight::Where::kMessage
               ? fmt::format(
                     "in a message that nobody has received, in the queue of UNIX socket fd {} of {} "
                     "(pid {})",
                     place.fd, place.comm, place.pid)
               : fmt::format("among the registered files of io_uring fd {} of {} (pid {})", place.fd,
                             place.comm, place.pid);
}

void add_in_flight(const Scene& scene, Diagnosis& diagnosis) {
    if (!scene.socket.in_flight) return;
    const auto& places = *scene.socket.in_flight;
    for (std::size_t i = 0; i < std::min(places.size(), kShown); ++i)
        add_fact(
            diagnosis, "in_flight", std::uint64_t{places[i].pid},
            fmt::format("a reference to it is {} ({})", place_text(places[i]),
                        places[i].where == model::InFlight::Where::kMessage ? "census" : "/proc/PID/fdinfo"));
}

void add_held_back(const Scene& scene, Diagnosis& diagnosis) {
    if (const Process* process = held_back(scene))
        add_fact(
            diagnosis, "held_back", true,
            fmt::format("fd {} of {} has no room until its peer takes data: the program may read nothing "
                        "on purpose meanwhile (census)",
                        *process->held_back_fd, process_text(*process)));
}

}  // namespace waitclose::diagnose
