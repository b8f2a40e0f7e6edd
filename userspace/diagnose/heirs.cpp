// SPDX-License-Identifier: BSD-2-Clause
// Who had the connection last need not have it now: it may have put it into a queue, or left it to a thread
// that comes by now and then. Which of the two a sleep is, no census tells.
#include <fmt/format.h>

#include <algorithm>

#include "diagnose/families.h"
#include "diagnose/text.h"

namespace waitclose::diagnose {

using model::Process;
using model::Thread;

namespace {

/// Nobody else can have what its process's one thread has, or what a thread is in a system call on.
bool has_it_for_sure(const Who& who) {
    return who.basis == Basis::kOnlyThread || who.basis == Basis::kBlockedOnIt;
}

std::uint64_t awake_ns(const Scene& scene) {
    if (!scene.who.process || has_it_for_sure(scene.who)) return 0;
    return scene.rosters.heirs_awake_ns(*scene.who.process, scene.who.thread);
}

std::vector<const Thread*> heirs_of(const Scene& scene) {
    if (!scene.who.process || has_it_for_sure(scene.who)) return {};
    return scene.rosters.heirs(*scene.who.process, scene.who.thread);
}

}  // namespace

bool may_be_handed_on(const Scene& scene) {
    return awake_ns(scene) > 0;
}

bool may_be_in_other_hands(const Scene& scene, std::uint64_t deed_ns) {
    // Who has not run since before the deed was handed nothing then.
    const std::uint64_t latest = awake_ns(scene);
    return latest > 0 && latest >= deed_ns;
}

void add_handed_on(const Scene& scene, Diagnosis& diagnosis) {
    constexpr std::size_t kShown = 3;
    const auto heirs = heirs_of(scene);
    if (heirs.empty()) return;
    std::string names;
    for (std::size_t i = 0; i < std::min(kShown, heirs.size()); ++i)
        names += fmt::format("{}{} {}", i ? ", " : "", thread_text(*heirs[i]), activity_text(*heirs[i]));
    if (heirs.size() > kShown) names += fmt::format(", and {} more", heirs.size() - kShown);
    add_fact(diagnosis, "may_be_handed_on", std::uint64_t{heirs.size()},
             fmt::format("{}: the connection may have been handed on there, or somebody may yet come by and "
                         "close it (census)",
                         names));
}

Who without_thread(Who who) {
    if (!who.thread) return who;
    who.thread = nullptr;
    who.basis = Basis::kProcess;
    who.doubt = Doubt::kMayHaveHandedOver;
    return who;
}

}  // namespace waitclose::diagnose
