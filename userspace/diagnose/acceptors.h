// SPDX-License-Identifier: BSD-2-Clause
// Who takes connections from a listener, what these threads do instead, and whether they could at all.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "diagnose/scene.h"
#include "model/accept_pace.h"

namespace waitclose::diagnose {

/// The threads of `process` that sleep in accept() on the listener.
std::vector<const model::Thread*> threads_in_accept(const Scene& scene, const model::Socket& listener,
                                                    const model::Process& process);

/// The live threads of `process` that sleep in accept() on the listener or were counted calling it, each
/// once.
std::vector<const model::Thread*> acceptors_of(const Scene& scene, const model::Socket& listener,
                                               const model::Process& process);

/// Who should call accept(): the one thread that does, of the one process that may.
Who acceptor(const Scene& scene, const model::Socket& listener);

/// Why accept() cannot give anybody a descriptor.
struct Shortage {
    Confidence confidence = Confidence::kLikely;
    model::Outcome failed;  // as counted; none where the limits alone tell
    Who who;
};

/// Nothing when no sign of it was found, or when nobody even asks for a connection.
std::optional<Shortage> shortage(const Scene& scene, const model::Socket& listener);

/// Whose the listener is, without an accusation: the only owner, or of several that run the same program the
/// one that is the parent of all others, as a master is that forks its workers. Null when there is no such.
const model::Process* head_of(const std::vector<const model::Process*>& owners);

/// Every descriptor that its limit allows is open.
bool is_out_of_descriptors(const model::Process& process);
/// So it is with each of them, and there is one.
bool all_out_of_descriptors(const std::vector<const model::Process*>& processes);

/// "stopped (traced by gdb (pid 991))", "exiting"; empty for owners that could accept.
std::string disability_of(const Scene& scene, const std::vector<const model::Process*>& owners);

}  // namespace waitclose::diagnose
