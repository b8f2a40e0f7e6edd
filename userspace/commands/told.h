// SPDX-License-Identifier: BSD-2-Clause
// What was last told of a hold, as a number (model::Hold::told), and whether more can soon be told.
#pragma once

#include <algorithm>
#include <cstdint>

#include "diagnose/scene.h"
#include "model/ledger.h"

namespace waitclose::commands {

/// A number that changes when what is told of a hold does; greater than kUnwanted. The caller mixes in what
/// else it tells. 0 in a hold: nothing was told of it yet.
class Told {
public:
    static constexpr std::uint64_t kUnwanted = 1;  // looked at, and nothing was told

    /// `eof_read`: whether the program has read end-of-file. It may change nothing about the verdict, and is
    /// what a reader of the line wants to know most.
    Told(const diagnose::Verdict& verdict, bool eof_read) {
        mix(static_cast<std::uint64_t>(verdict.cause));
        mix(static_cast<std::uint64_t>(verdict.confidence));
        mix(static_cast<std::uint64_t>(verdict.who.basis));
        mix(verdict.who.thread ? verdict.who.thread->tid : 0);
        mix(eof_read ? 1 : 0);
    }
    /// FNV-1a's step, on whole numbers.
    void mix(std::uint64_t value) { hash_ = (hash_ ^ value) * 1099511628211U; }
    std::uint64_t value() const { return std::max(hash_, kUnwanted + 1); }

    static void looked_at(model::Hold& hold) { hold.told = std::max(hold.told, kUnwanted); }

private:
    std::uint64_t hash_ = 14695981039346656037U;
};

/// Whether the cause may soon be known better: the hold is young, and its thread may still be on its way to
/// close().
inline bool may_soon_settle(const diagnose::Verdict& verdict, std::uint64_t held_ns) {
    constexpr std::uint64_t kSettledAfterNs = 3'000'000'000;
    return verdict.cause == diagnose::Cause::kUnknown && held_ns < kSettledAfterNs;
}

}  // namespace waitclose::commands
