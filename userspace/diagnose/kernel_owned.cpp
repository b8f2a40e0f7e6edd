// SPDX-License-Identifier: BSD-2-Clause
// Sockets that no program can close: the kernel's own, and those that no descriptor table refers to.
#include <fmt/format.h>

#include "diagnose/families.h"
#include "diagnose/text.h"

namespace waitclose::diagnose {

namespace {

void word_kernel_owned(const Scene&, const Verdict&, Diagnosis& diagnosis) {
    diagnosis.summary = "the kernel made this socket for itself; no program can close it";
    add_fact(diagnosis, "kernel_owned", true, "the socket is marked as the kernel's own (census)");
    add_fact(diagnosis, "holders", std::uint64_t{0}, "no descriptor refers to it (census)");
}

void word_without_holder(const Scene& scene, const Verdict&, Diagnosis& diagnosis) {
    diagnosis.summary = "no descriptor table visible here refers to it";
    add_fact(
        diagnosis, "file_references", scene.socket.file_references,
        fmt::format(
            "its file has {} {}, and no descriptor table visible here refers to it (census): a message "
            "on its way, an io_uring, or a process outside this PID namespace may",
            scene.socket.file_references, scene.socket.file_references == 1 ? "reference" : "references"));
    for (const auto& [seen, deed] :
         {std::pair(&scene.opened, "opened it"), std::pair(&scene.let_go, "closed its copy")})
        if (*seen)
            add_fact(diagnosis, "seen_with", true,
                     fmt::format("{} {} {} ago (traced)", actor_text(seen->deed->actor), deed,
                                 duration_text(scene.ago(seen->deed->at_ns))));
}

}  // namespace

std::optional<Verdict> kernel_owned(const Scene& scene) {
    // What a listener of Multipath TCP has in its queue is marked as the kernel's own until it is accepted.
    const bool is_somebodys = !scene.processes.empty() || scene.listener();
    if (!scene.socket.kernel_owned || is_somebodys) return std::nullopt;
    return Verdict{Cause::kKernelSocket, Confidence::kProven, {}, word_kernel_owned};
}

std::optional<Verdict> without_holder(const Scene& scene) {
    if (!scene.processes.empty()) return std::nullopt;
    return Verdict{Cause::kUnknown, Confidence::kPossible, scene.who, word_without_holder};
}

}  // namespace waitclose::diagnose
