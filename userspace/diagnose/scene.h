// SPDX-License-Identifier: BSD-2-Clause
// One held socket with all that a census says of it looked up: what the families of causes decide from.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "diagnose/diagnosis.h"
#include "diagnose/roster.h"
#include "model/census.h"

namespace waitclose::diagnose {

/// A deed, and what is left of who did it.
struct Seen {
    const model::Deed* deed = nullptr;        // null: nobody was seen doing it
    const model::Process* process = nullptr;  // null: that process does not hold the socket now
    const model::Thread* thread = nullptr;    // null: that thread has exited, or its process holds nothing

    explicit operator bool() const { return deed != nullptr; }
};

/// Why a thread or a process could not be named.
enum class Doubt : std::uint8_t {
    kNone,
    kNoHolder,           // nobody here holds it
    kSeveralProcesses,   // and nothing tells which of them should have closed it
    kSeveralOwners,      // several processes share the listener
    kMayHaveHandedOver,  // it opened the socket, and is at something else now
    kThreadsUnread,      // the process went away between two looks
    kThreadExited,       // `deed` says which
    kSeveralBlocked,     // several threads are in a system call on it
    kNoAcceptor,         // several threads, and not exactly one of them waits in accept()
    kManyThreads,        // none of them was seen with it
    kOthersEnded,        // it has one thread; others have ended, or may have
    kNoLiveThread,
    kNotAsked,  // the cause accuses nobody
};

/// The culprit, as far as one can be named.
struct Who {
    const model::Process* process = nullptr;
    const model::Thread* thread = nullptr;
    const model::Deed* deed = nullptr;  // on which the naming rests, or that a thread did which has exited
    Basis basis = Basis::kProcess;
    Doubt doubt = Doubt::kNotAsked;
};

struct Scene {
    Scene(const model::Census& census, const model::Socket& socket, Rosters& rosters);

    const model::Census& census;
    const model::Socket& socket;
    Rosters& rosters;

    std::vector<const model::Process*> processes;  // the processes that hold it, each once
    Seen opened;
    Seen last;
    Seen eof;
    Seen let_go;
    std::vector<Sleeper> sleepers;  // the threads that sleep in a system call on one of its descriptors
    Who who;                        // who should have closed it, whatever the cause

    /// The listener whose accept queue it sits in, or null.
    const model::Socket* listener() const;
    /// The only process that holds it, or null.
    const model::Process* only_process() const { return processes.size() == 1 ? processes.front() : nullptr; }
    /// Since when it has been there, as far as known; 0 when nothing is.
    std::uint64_t there_since() const { return opened ? opened.deed->at_ns : socket.oldest_sign_ns; }
    /// Time gone by at the census; 0 for what happened while it was taken.
    std::uint64_t ago(std::uint64_t at_ns) const {
        return census.taken_ns > at_ns ? census.taken_ns - at_ns : 0;
    }
    /// Tracing ran when the peer's FIN came, so every touch since was seen.
    bool watched_since_fin() const;
    /// The process has a thread that sleeps in a system call on it, or was seen to open, read or write it.
    bool uses_it(const model::Process& process) const;
    bool writing_to_it() const;
    bool reading_from_it() const;
};

/// The process whose thread this is; null for none of them.
const model::Process* process_of(const Scene& scene, const model::Thread& thread);

/// The processes behind a socket's descriptors, each once.
std::vector<const model::Process*> processes_of(const model::Census& census, const model::Socket& socket);

struct Verdict;
/// Puts a verdict into words: summary and evidence.
using Wording = void (*)(const Scene&, const Verdict&, Diagnosis&);

/// What was decided. The words are made only for those sockets somebody wants to read about.
struct Verdict {
    Cause cause = Cause::kUnknown;
    Confidence confidence = Confidence::kPossible;
    Who who;
    Wording wording = nullptr;
};

}  // namespace waitclose::diagnose
