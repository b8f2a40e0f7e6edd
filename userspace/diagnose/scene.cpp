// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/scene.h"

#include <algorithm>

#include "diagnose/culprit.h"

namespace waitclose::diagnose {

using model::Census;
using model::Deed;
using model::Process;
using model::Socket;
using model::Thread;

namespace {

// A thread is born no earlier than its process: a process younger than the thread that did the deed has only
// got the same id later.
bool is_same_process(const Process& process, const model::Actor& actor) {
    return process.pid == actor.pid && process.start_ns != 0 && process.start_ns <= actor.start_ns;
}

Seen locate(const Scene& scene, const std::optional<Deed>& deed) {
    if (!deed) return {};
    Seen seen{&*deed, nullptr, nullptr};
    for (const Process* process : scene.processes) {
        if (!is_same_process(*process, deed->actor)) continue;
        seen.process = process;
        const Thread* thread = scene.rosters.of(*process).find(deed->actor);
        if (thread && is_live(*thread)) seen.thread = thread;
        break;
    }
    return seen;
}

std::vector<Sleeper> find_sleepers(const Scene& scene) {
    std::vector<Sleeper> sleepers;
    for (const model::Holder& holder : scene.census.holders_of(scene.socket)) {
        const auto found = scene.rosters.of(scene.census.process_of(holder)).asleep_on(holder.fd);
        sleepers.insert(sleepers.end(), found.begin(), found.end());
    }
    return sleepers;
}

bool has_access(const Scene& scene, Access access) {
    return std::ranges::any_of(scene.sleepers,
                               [&](const Sleeper& sleeper) { return sleeper.access == access; });
}

}  // namespace

std::vector<const Process*> processes_of(const Census& census, const Socket& socket) {
    std::vector<const Process*> processes;
    processes.reserve(socket.holder_count);
    for (const model::Holder& holder : census.holders_of(socket))
        processes.push_back(&census.process_of(holder));
    if (processes.size() > 1) {
        std::ranges::sort(processes);
        const auto repeated = std::ranges::unique(processes);
        processes.erase(repeated.begin(), repeated.end());
    }
    return processes;
}

Scene::Scene(const Census& the_census, const Socket& the_socket, Rosters& the_rosters)
    : census(the_census),
      socket(the_socket),
      rosters(the_rosters),
      processes(processes_of(the_census, the_socket)) {
    if (socket.touches) {
        opened = locate(*this, socket.touches->opened);
        last = locate(*this, socket.touches->last);
        eof = locate(*this, socket.touches->eof);
        let_go = locate(*this, socket.touches->let_go);
        // What was read to its end before tracing began gives 0 bytes to everybody who asks: no sign of who
        // read it.
        if (socket.consumed_before) {
            eof = {};
            if (last && last.deed->operation == model::Operation::kRead) last = {};
        }
    }
    sleepers = find_sleepers(*this);
    who = find_culprit(*this);
}

const Socket* Scene::listener() const {
    const bool known =
        socket.listener >= 0 && static_cast<std::size_t>(socket.listener) < census.listeners.size();
    return known ? &census.listeners[static_cast<std::size_t>(socket.listener)] : nullptr;
}

bool Scene::watched_since_fin() const {
    return census.traced && socket.precision == model::Precision::kExact;
}

bool Scene::writing_to_it() const {
    return has_access(*this, Access::kWrite);
}

bool Scene::reading_from_it() const {
    return has_access(*this, Access::kRead);
}

bool Scene::uses_it(const Process& process) const {
    if (opened.process == &process || last.process == &process || eof.process == &process) return true;
    return std::ranges::any_of(
        sleepers, [&](const Sleeper& sleeper) { return process_of(*this, *sleeper.thread) == &process; });
}

const Process* process_of(const Scene& scene, const Thread& thread) {
    for (const Process* process : scene.processes) {
        const auto threads = scene.census.threads_of(*process);
        if (&thread >= threads.data() && &thread < threads.data() + threads.size()) return process;
    }
    return nullptr;
}

}  // namespace waitclose::diagnose
