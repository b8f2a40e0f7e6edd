// SPDX-License-Identifier: BSD-2-Clause
// Sockets that no program can close: the kernel's own, and those that no descriptor table refers to.
#include <fmt/format.h>

#include "diagnose/families.h"
#include "diagnose/text.h"
#include "diagnose/watched.h"

namespace waitclose::diagnose {

namespace {

/// A descriptor that changes hands is for a moment in no table.
constexpr std::uint64_t kStaysAwayNs = 1'000'000'000;

void add_mark(Diagnosis& diagnosis) {
    add_fact(diagnosis, "kernel_owned", true, "the socket is marked as the kernel's own (census)");
    add_fact(diagnosis, "holders", std::uint64_t{0}, "no descriptor refers to it (census)");
}

void word_kernel_owned(const Scene&, const Verdict&, Diagnosis& diagnosis) {
    diagnosis.summary = "the kernel made this socket for itself; no program can close it";
    add_mark(diagnosis);
}

void word_may_be_queued(const Scene& scene, const Verdict&, Diagnosis& diagnosis) {
    diagnosis.summary = "it carries the kernel's mark, but may belong to a program";
    add_mark(diagnosis);
    if (scene.socket.multipath)
        add_fact(diagnosis, "multipath", true,
                 "it carries Multipath TCP: the kernel made it for a socket that a program has (census)");
    else
        add_fact(diagnosis, "role", scene.socket.role == model::Role::kServer ? "server" : "unknown",
                 "what waits to be accepted by a listener of Multipath TCP has that mark, too, and no accept "
                 "queue was seen with it (census)");
}

/// Whether a program listens where the socket came in; nothing when nobody was seen listening there.
std::optional<bool> a_program_listens(const Scene& scene) {
    std::optional<bool> found;
    for (const model::Socket& listener : scene.census.listeners) {
        if (listener.netns != scene.socket.netns || listener.local.port != scene.socket.local.port) continue;
        if (listener.holder_count > 0) return true;
        found = false;
    }
    return found;
}

void add_seen_with(const Scene& scene, Diagnosis& diagnosis) {
    for (const auto& [seen, deed] :
         {std::pair(&scene.opened, "opened it"), std::pair(&scene.let_go, "closed its copy")})
        if (*seen)
            add_fact(diagnosis, "seen_with", true,
                     fmt::format("{} {} {} ago (traced)", actor_text(seen->deed->actor), deed,
                                 duration_text(scene.ago(seen->deed->at_ns))));
}

std::string references_text(const Scene& scene) {
    return fmt::format("{} {}", scene.socket.file_references,
                       scene.socket.file_references == 1 ? "reference" : "references");
}

void word_without_holder(const Scene& scene, const Verdict&, Diagnosis& diagnosis) {
    diagnosis.summary = "no descriptor table visible here refers to it";
    add_fact(
        diagnosis, "file_references", scene.socket.file_references,
        fmt::format("its file has {}, and no descriptor table visible here refers to it (census): a message "
                    "on its way, an io_uring, or a process outside this PID namespace may",
                    references_text(scene)));
    add_seen_with(scene, diagnosis);
}

void word_in_flight(const Scene& scene, const Verdict&, Diagnosis& diagnosis) {
    const auto& places = *scene.socket.in_flight;
    diagnosis.summary = fmt::format("its last reference is {}", place_text(places.front()));
    add_fact(diagnosis, "file_references", scene.socket.file_references,
             fmt::format("its file has {}, and no descriptor table visible here refers to it (census)",
                         references_text(scene)));
    add_in_flight(scene, diagnosis);
    add_seen_with(scene, diagnosis);
}

void word_somewhere(const Scene& scene, const Verdict&, Diagnosis& diagnosis) {
    diagnosis.summary =
        "its last reference is in no descriptor table: in a message nobody has received, or in an io_uring";
    add_fact(
        diagnosis, "file_references", scene.socket.file_references,
        fmt::format("its file has {}, and none of the processes here, which are all of the machine, has a "
                    "descriptor of it (census)",
                    references_text(scene)));
    add_fact(
        diagnosis, "in_flight_unknown", true,
        "neither a message in the front of a UNIX socket's queue nor an io_uring's list of registered files "
        "shows it (census, /proc/PID/fdinfo)");
    add_seen_with(scene, diagnosis);
}

}  // namespace

std::optional<Verdict> kernel_owned(const Scene& scene) {
    // What a listener of Multipath TCP has in its queue is marked as the kernel's own until it is accepted.
    const bool is_somebodys = !scene.processes.empty() || scene.listener();
    if (!scene.socket.kernel_owned || is_somebodys) return std::nullopt;
    const Verdict kernels{Cause::kKernelSocket, Confidence::kProven, {}, word_kernel_owned};
    const Verdict unknown{Cause::kUnknown, Confidence::kPossible, {}, word_may_be_queued};
    if (scene.socket.multipath) return unknown;
    if (scene.socket.role == model::Role::kClient) return kernels;
    // A queue is read at another moment than its members, and before 6.17 a census may skip a listener.
    const std::optional<bool> programs = a_program_listens(scene);
    if (programs == false) return kernels;
    if (programs == true || scene.census.held_ns(scene.socket) < kStaysAwayNs) return unknown;
    return Verdict{Cause::kKernelSocket, Confidence::kPossible, {}, word_kernel_owned};
}

std::optional<Verdict> without_holder(const Scene& scene) {
    if (!scene.processes.empty()) return std::nullopt;
    const model::Socket& socket = scene.socket;
    const Verdict unknown{Cause::kUnknown, Confidence::kPossible, scene.who, word_without_holder};
    if (scene.census.held_ns(socket) < kTooYoungNs || socket.file_references == 0) return unknown;
    // Who is outside this PID namespace may have a descriptor of it.
    const bool only_one = socket.file_references == 1 && !scene.census.nested;
    if (socket.in_flight && !socket.in_flight->empty())
        return Verdict{Cause::kInFlightFd, only_one ? Confidence::kProven : Confidence::kLikely, scene.who,
                       word_in_flight};
    // Between two looks it may have come out of a message: a descriptor that is not seen is no proof.
    if (scene.census.nested || !socket.away_before || scene.census.held_ns(socket) < kStaysAwayNs)
        return unknown;
    return Verdict{Cause::kInFlightFd, Confidence::kPossible, scene.who, word_somewhere};
}

}  // namespace waitclose::diagnose
