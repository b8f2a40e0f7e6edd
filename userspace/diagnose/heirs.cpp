// SPDX-License-Identifier: BSD-2-Clause
// Who had the connection last need not have it now: it may have put it into a queue, or left it to a thread
// that comes by now and then. Which of the two a sleep is, no census tells.
#include <fmt/format.h>

#include <algorithm>

#include "diagnose/families.h"
#include "diagnose/text.h"

namespace waitclose::diagnose {

using model::Thread;

namespace {

/// Nobody else can have what its process's one thread has, or what a thread is in a system call on.
bool has_it_for_sure(const Who& who) {
    return who.basis == Basis::kOnlyThread || who.basis == Basis::kBlockedOnIt;
}

/// Null: there is none.
const Rosters::Heirs* heirs_of(const Scene& scene) {
    if (!scene.who.process || has_it_for_sure(scene.who)) return nullptr;
    const Rosters::Heirs& heirs = scene.rosters.heirs(*scene.who.process, scene.who.thread);
    return heirs.count > 0 ? &heirs : nullptr;
}

}  // namespace

bool may_be_handed_on(const Scene& scene) {
    return heirs_of(scene) != nullptr;
}

bool may_be_in_other_hands(const Scene& scene, std::uint64_t deed_ns) {
    // Who has not run since before the deed was handed nothing then. The two moments are by different clocks.
    constexpr std::uint64_t kClocksApartNs = 50'000'000;
    const Rosters::Heirs* heirs = heirs_of(scene);
    return heirs && heirs->awake_ns >= deed_ns - std::min(deed_ns, kClocksApartNs);
}

void add_handed_on(const Scene& scene, Diagnosis& diagnosis) {
    const Rosters::Heirs* heirs = heirs_of(scene);
    if (!heirs) return;
    std::string names;
    for (const Thread* heir : heirs->some)
        names += fmt::format("{}{} {}", names.empty() ? "" : ", ", thread_text(*heir), activity_text(*heir));
    if (heirs->count > heirs->some.size())
        names += fmt::format(", and {} more", heirs->count - heirs->some.size());
    add_fact(diagnosis, "may_be_handed_on", std::uint64_t{heirs->count},
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
