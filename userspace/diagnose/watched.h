// SPDX-License-Identifier: BSD-2-Clause
// Who watches a held socket, as the census measured it on the socket's own wait queue, and what else refers
// to it.
#pragma once

#include "diagnose/scene.h"

namespace waitclose::diagnose {

/// Measured: no epoll has it registered, and no thread waits for it in poll, select or a read.
bool nobody_watches(const Scene& scene);

/// A process that holds it waits until the peer of another connection takes data: it may read nothing on
/// purpose meanwhile, as a proxy does. Null when none does.
const model::Process* held_back(const Scene& scene);

/// No live thread of the holders runs or sleeps in anything but the wait for the next piece of work.
bool all_idle(const Scene& scene);

/// A thread of the holders that sleeps in epoll_wait() on the epoll, or on the one that watches that; null
/// when none does.
const model::Thread* server_of(const Scene& scene, const model::Watch& watch);

/// "epoll fd 4 of nginx (pid 12) has it registered as fd 57 for EPOLLIN|EPOLLET: it was told, ..."
std::string watch_text(const Scene& scene, const model::Watch& watch);

/// One fact for each that watches it, or that nobody does; none when that is not known.
void add_watches(const Scene& scene, Diagnosis& diagnosis);

/// "in a message that nobody has received, in the queue of UNIX socket fd 5 of receiver (pid 20)".
std::string place_text(const model::InFlight& place);

/// One fact for each reference found that lives in no descriptor table.
void add_in_flight(const Scene& scene, Diagnosis& diagnosis);

/// That it is held back, when it is.
void add_held_back(const Scene& scene, Diagnosis& diagnosis);

}  // namespace waitclose::diagnose
