// SPDX-License-Identifier: BSD-2-Clause
// The causes waitclose can name: their ids are an interface.
#pragma once

#include <cstdint>
#include <string_view>

namespace waitclose::diagnose {

enum class Cause : std::uint8_t {
    kNeverAccepted,
    kFdLimit,
    kEofIgnored,
    kSpinOnEof,
    kIdleInPool,
    kAbandoned,
    kUnwatchedEvent,
    kHandlerBlocked,
    kDeadlock,
    kHandlerBusy,
    kCpuStarved,
    kStopped,
    kGcPause,
    kInheritedFd,
    kDuplicateFd,
    kInFlightFd,
    kHalfOpen,
    kKernelSocket,
    kExiting,
    kUnknown,
};
inline constexpr int kCauseCount = static_cast<int>(Cause::kUnknown) + 1;

enum class Confidence : std::uint8_t { kProven, kLikely, kPossible };

/// On what grounds a thread is named.
enum class Basis : std::uint8_t {
    kReadEof,
    kLastTouch,
    kOpened,
    kBlockedOnIt,
    kOnlyThread,
    kAcceptor,
    kProcess,
};

/// The id as printed, e.g. "eof-ignored".
std::string_view id_of(Cause cause);
std::string_view id_of(Confidence confidence);
std::string_view id_of(Basis basis);

/// Whether a program does something wrong, or something is wrong with it: else there is nobody to blame, or
/// it is not known who.
bool is_fault(Cause cause);

/// What it means, one clause; and what to do about it, one or two sentences.
std::string_view meaning_of(Cause cause);
std::string_view advice_of(Cause cause);

}  // namespace waitclose::diagnose
