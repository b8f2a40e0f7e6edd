// SPDX-License-Identifier: BSD-2-Clause
// Diagnoses many sockets of one census: what the threads of a process do is worked out only once.
#pragma once

#include <optional>
#include <vector>

#include "diagnose/alternatives.h"
#include "diagnose/diagnosis.h"
#include "diagnose/peer_timeout.h"
#include "diagnose/scene.h"

namespace waitclose::diagnose {

/// Keeps a reference to the census. Not for several threads at once.
class Diagnoser {
public:
    explicit Diagnoser(const model::Census& census) : census_(census), rosters_(census) {}

    /// `socket` must be one of `census.sockets`.
    Diagnosis diagnose(const model::Socket& socket);

    /// The decision alone, with the process that answers for the socket; cheap enough for hundreds of
    /// thousands.
    struct Decision {
        Verdict verdict;
        const model::Process* owner = nullptr;  // null when nobody, or no single process, answers for it
    };
    Decision decide(const model::Socket& socket);

    /// The other causes, and why it is none of them.
    std::vector<Alternative> alternatives(const model::Socket& socket);

private:
    const PeerTimeouts& timeouts();

    const model::Census& census_;
    Rosters rosters_;
    std::optional<PeerTimeouts> timeouts_;  // made when first asked for
};

}  // namespace waitclose::diagnose
