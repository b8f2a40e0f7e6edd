// SPDX-License-Identifier: BSD-2-Clause
// Who waits for somebody to connect, but not where the connection came in: for what its answer needs, maybe,
// as the data connection of FTP, or a callback.
#pragma once

#include <string>

#include "diagnose/scene.h"

namespace waitclose::diagnose {

/// It is not a listener of the port that the connection came to.
bool is_elsewhere(const Scene& scene, const Door& door);

/// Where the thread of that process waits in accept(), if that is elsewhere.
std::optional<Door> waits_elsewhere(const Scene& scene, const model::Process& process,
                                    const model::Thread& thread);

/// Some thread of the holders waits in accept() elsewhere, and the answer may still come with whom it waits
/// for.
bool some_wait_elsewhere(const Scene& scene);

/// "port 2020", "a UNIX socket".
std::string door_text(const Door& door);

/// One fact for each listener elsewhere at which threads of the holders wait.
void add_waits_elsewhere(const Scene& scene, Diagnosis& diagnosis);

}  // namespace waitclose::diagnose
