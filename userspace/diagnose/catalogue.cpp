// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/catalogue.h"

#include <array>

namespace waitclose::diagnose {

namespace {

struct Entry {
    std::string_view id;
    std::string_view meaning;
    std::string_view advice;
};

// In the order of `Cause`. The ids are an interface: an entry may get better words, never another id.
constexpr std::array<Entry, kCauseCount> kCatalogue{{
    {"never-accepted", "it sits in the accept queue; no program has it yet",
     "Find out what keeps the acceptor from calling accept(): it is busy, blocked or stopped. A longer "
     "backlog "
     "only makes the clients wait longer."},
    {"fd-limit", "it sits in the accept queue because accept() fails for want of descriptors",
     "Close what the process leaks; raise RLIMIT_NOFILE (or fs.file-max) only if it needs that many."},
    {"eof-ignored", "the program read end-of-file and went on without close()",
     "Close the connection when read() returns 0, on every path out of the handler."},
    {"spin-on-eof", "a thread reads end-of-file again and again",
     "Leave the read loop and close the connection when read() returns 0: now it burns a CPU on a dead one."},
    {"idle-in-pool", "a client-side connection kept in a pool after the server hung up",
     "Let the pool drop idle connections sooner than the server does, and check one before it is used "
     "again."},
    {"abandoned", "nobody reads the connection any more, so nobody sees that the peer has hung up",
     "Find the path on which the handler gives the connection up without close(); a read timeout would have "
     "found the hang-up."},
    {"unwatched-event", "an event loop was told of the hang-up, or no longer asks to be told",
     "Keep EPOLLIN or EPOLLRDHUP armed for every open descriptor, and close it when the event comes."},
    {"handler-blocked", "the thread that handles it is asleep in something else",
     "See what that thread waits for: it closes the connection only after that. Give the wait a timeout."},
    {"deadlock", "the thread that handles it waits, in a circle, for itself",
     "Only a restart ends the circle. Take locks in one order everywhere; let nobody wait for ever for the "
     "other end of a pipe or connection that waits for it in turn."},
    {"handler-busy", "the thread that handles it is computing",
     "Look at that thread's stack: the line with close() is not reached while it computes."},
    {"cpu-starved", "the thread that handles it could run but gets no CPU",
     "Give the process more CPU, or take away what competes with it: quota, neighbours, a busy hypervisor."},
    {"stopped", "the process is stopped, traced or frozen",
     "Let it go on: send SIGCONT, detach the debugger, or thaw the cgroup."},
    {"gc-pause", "the runtime has stopped all application threads to collect garbage",
     "Read the collector's log: shorten its pauses, or give it more memory."},
    {"inherited-fd", "one process closed its copy, another that inherited the descriptor still has one",
     "Close the copy that is left: a socket ends with its last descriptor."},
    {"duplicate-fd", "one descriptor was closed, a duplicate of it in the same process was not",
     "Close the duplicate as well: a socket ends with its last descriptor."},
    {"in-flight-fd", "a reference lives in no descriptor table",
     "Look for a UNIX socket with an SCM_RIGHTS message nobody receives, or an io_uring that registered it."},
    {"half-open", "the program is still sending on purpose; no leak",
     "Nothing to do while data moves: the peer has only closed its sending side."},
    {"kernel-socket", "the kernel itself owns it",
     "No program can close it: look at the kernel service that uses it."},
    {"exiting", "its owner is dying but cannot finish",
     "See what the exiting threads are stuck in, usually storage or a network file system: the exit closes "
     "the socket."},
    {"unknown", "no cause could be shown", "Nobody is accused: the evidence says what was looked at."},
}};

constexpr std::array<std::string_view, 3> kConfidences{"proven", "likely", "possible"};
constexpr std::array<std::string_view, 7> kBases{"read-eof",    "last-touch", "opened", "blocked-on-it",
                                                 "only-thread", "acceptor",   "process"};

const Entry& entry_of(Cause cause) {
    return kCatalogue[static_cast<std::size_t>(cause)];
}

}  // namespace

bool is_fault(Cause cause) {
    return cause != Cause::kHalfOpen && cause != Cause::kKernelSocket && cause != Cause::kUnknown;
}

std::string_view id_of(Cause cause) {
    return entry_of(cause).id;
}
std::string_view id_of(Confidence confidence) {
    return kConfidences[static_cast<std::size_t>(confidence)];
}
std::string_view id_of(Basis basis) {
    return kBases[static_cast<std::size_t>(basis)];
}
std::string_view meaning_of(Cause cause) {
    return entry_of(cause).meaning;
}
std::string_view advice_of(Cause cause) {
    return entry_of(cause).advice;
}

}  // namespace waitclose::diagnose
