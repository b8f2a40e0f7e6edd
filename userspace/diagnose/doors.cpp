// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/doors.h"

#include <fmt/format.h>

#include <algorithm>

#include "diagnose/chain.h"
#include "diagnose/families.h"
#include "diagnose/text.h"

namespace waitclose::diagnose {

using model::Process;
using model::Socket;
using model::Thread;

namespace {

const Socket* listener_at(const model::Census& census, const Process& process, std::int32_t fd) {
    for (const Socket& listener : census.listeners)
        for (const model::Holder& holder : census.holders_of(listener))
            if (holder.fd == fd && &census.process_of(holder) == &process) return &listener;
    return nullptr;
}

/// It was seen with the connection right before, or nobody else can have it.
bool handles_it(const Scene& scene) {
    if (scene.who.basis == Basis::kOnlyThread) return true;
    const auto slept = scene.who.thread->asleep_since_ns;
    // Who accepted it may have handed it on.
    if (!scene.who.deed || !slept || scene.who.basis == Basis::kOpened) return false;
    const std::uint64_t touched = scene.who.deed->at_ns;
    return touched <= *slept && *slept - touched <= kSameWorkNs;
}

void word_awaits(const Scene& scene, const Verdict& verdict, Diagnosis& diagnosis) {
    const Thread& thread = *verdict.who.thread;
    const std::string door = door_text(*waits_elsewhere(scene, *verdict.who.process, thread));
    const std::string since =
        thread.asleep_since_ns ? " since " + duration_text(scene.ago(*thread.asleep_since_ns)) : "";
    diagnosis.summary =
        fmt::format("thread {} waits in accept() on {} for a connection{}: the answer may need it",
                    thread.comm, door, since);
    add_fact(diagnosis, "awaits_connection_on", door.c_str(),
             fmt::format("{} waits in accept() on {}, which is not where this connection came in (census)",
                         thread_text(thread), door));
    if (scene.eof)
        add_fact(diagnosis, "eof_read", true,
                 fmt::format("{} read end-of-file {} ago (traced)", actor_text(scene.eof.deed->actor),
                             duration_text(scene.ago(scene.eof.deed->at_ns))));
    diagnosis.because = chain_from(scene.census, *verdict.who.process, thread).links;
}

}  // namespace

std::optional<Door> Rosters::door_of(const Process& process, const Thread& thread) {
    if (!thread.syscall || !accepts(*thread.syscall)) return std::nullopt;
    if (const Socket* listener = listener_at(census_, process, uses_of(thread)[0].fd))
        return Door{&thread, listener};
    if (thread.file && thread.file->kind == model::FileKind::kUnix) return Door{&thread, nullptr};
    return std::nullopt;
}

const std::vector<Door>& Rosters::doors(const Process& process) {
    auto& doors = made_for(process).doors;
    if (doors) return *doors;
    doors.emplace();
    std::vector<std::int32_t> known;
    for (const Thread& thread : census_.threads_of(process)) {
        if (!is_live(thread) || !thread.syscall || !accepts(*thread.syscall)) continue;
        const std::int32_t fd = uses_of(thread)[0].fd;
        if (std::ranges::find(known, fd) != known.end()) continue;
        known.push_back(fd);
        if (const auto door = door_of(process, thread)) doors->push_back(*door);
    }
    return *doors;
}

bool is_elsewhere(const Scene& scene, const Door& door) {
    return !door.listener || door.listener->local.port != scene.socket.local.port ||
           door.listener->netns != scene.socket.netns;
}

std::optional<Door> waits_elsewhere(const Scene& scene, const Process& process, const Thread& thread) {
    const auto door = scene.rosters.door_of(process, thread);
    return door && is_elsewhere(scene, *door) ? door : std::nullopt;
}

bool some_wait_elsewhere(const Scene& scene) {
    if (scene.census.held_ns(scene.socket) >= kHardlyAnswersNs) return false;
    return std::ranges::any_of(scene.processes, [&](const Process* process) {
        return std::ranges::any_of(scene.rosters.doors(*process),
                                   [&](const Door& door) { return is_elsewhere(scene, door); });
    });
}

std::string door_text(const Door& door) {
    return door.listener ? fmt::format("port {}", door.listener->local.port) : "a UNIX socket";
}

void add_waits_elsewhere(const Scene& scene, Diagnosis& diagnosis) {
    constexpr std::size_t kShown = 4;
    std::size_t shown = 0;
    for (const Process* process : scene.processes)
        for (const Door& door : scene.rosters.doors(*process))
            if (is_elsewhere(scene, door) && shown++ < kShown)
                add_fact(
                    diagnosis, "awaits_connection_on", door_text(door).c_str(),
                    fmt::format("{} of {} waits in accept() on {}, which is not where this connection came "
                                "in: its answer may need who connects there (census)",
                                thread_text(*door.thread), process_text(*process), door_text(door)));
}

std::optional<Verdict> handler_awaits(const Scene& scene) {
    const Thread* thread = scene.who.thread;
    if (!thread || !scene.sleepers.empty() || scene.socket.role == model::Role::kClient) return std::nullopt;
    if (!handles_it(scene) || !waits_elsewhere(scene, *scene.who.process, *thread)) return std::nullopt;
    // It may as well have left this connection behind and be at something else.
    return Verdict{Cause::kHandlerBlocked, Confidence::kPossible, scene.who, word_awaits};
}

}  // namespace waitclose::diagnose
