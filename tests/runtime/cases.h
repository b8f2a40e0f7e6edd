// SPDX-License-Identifier: BSD-2-Clause
// Every culprit that ends up holding a socket, with every way in which it can go wrong.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "programs.h"

namespace runtime {

struct Case {
    std::string name;  // as GoogleTest wants it: letters and digits only
    Arguments command;

    friend void PrintTo(const Case& tested, std::ostream* stream) {
        for (const std::string& word : tested.command) *stream << word << ' ';
    }
};

inline std::vector<Case> holding_cases() {
    return {
        {"ReadEofMain", {"read_eof", "--mode", "main"}},
        {"ReadEofWorker", {"read_eof", "--mode", "worker"}},
        {"ReadEofOneOf20", {"read_eof", "--mode", "one-of-20"}},
        {"ReadEofEventLoop", {"read_eof", "--mode", "event-loop"}},
        {"ReadEofIpv6", {"read_eof", "--family", "ipv6"}},
        {"ReadEofMapped", {"read_eof", "--family", "mapped"}},
        {"ReadEofOtherNetns", {"read_eof", "--netns"}},
        {"ReadEofHostileName", {"read_eof", "--comm", "hostile"}},
        {"ReadEofEndsByShutdown", {"read_eof", "--end", "shutdown"}},
        {"ReadEofEndsByExit", {"read_eof", "--end", "exit"}},
        {"NeverReadNoData", {"never_read", "--mode", "no-data"}},
        {"NeverReadUnreadData", {"never_read", "--mode", "unread-data"}},
        {"NeverReadWorker", {"never_read", "--mode", "worker"}},
        {"NeverReadIpv6", {"never_read", "--family", "ipv6"}},
        {"NeverReadOtherNetns", {"never_read", "--netns"}},
        {"FinWithDataUnseen", {"fin_with_data", "--mode", "data-only"}},
        {"FinWithDataToEnd", {"fin_with_data", "--mode", "to-end"}},
        {"NeverAccepted", {"never_accepted", "--mode", "single"}},
        {"NeverAcceptedReuseport", {"never_accepted", "--mode", "reuseport"}},
        {"NeverAcceptedIpv6", {"never_accepted", "--family", "ipv6"}},
        {"NeverAcceptedMapped", {"never_accepted", "--family", "mapped"}},
        {"NeverAcceptedOtherNetns", {"never_accepted", "--netns"}},
        {"InheritedForkBefore", {"inherited", "--mode", "fork-before"}},
        {"InheritedForkAfter", {"inherited", "--mode", "fork-after"}},
        {"InheritedExecSelf", {"inherited", "--mode", "exec-self"}},
        {"InheritedExecCat", {"inherited", "--mode", "exec-cat"}},
        {"InheritedParentForgets", {"inherited", "--mode", "parent-forgets"}},
        {"DuplicateUnread", {"duplicate", "--mode", "unread"}},
        {"DuplicateEof", {"duplicate", "--mode", "eof"}},
        {"StoppedAccepted", {"stopped", "--mode", "accepted"}},
        {"StoppedNeverAccepted", {"stopped", "--mode", "never-accepted"}},
        {"ClientIdlePool", {"client_side", "--mode", "idle-pool"}},
        {"ClientReadEof", {"client_side", "--mode", "read-eof"}},
        {"PassedLeaked", {"passed", "--mode", "leaked"}},
        {"PassedInFlight", {"passed", "--mode", "in-flight"}},
        {"ExitingEof", {"exiting", "--mode", "eof"}},
        {"ExitingUnread", {"exiting", "--mode", "unread"}},
        {"BlockedSleep", {"blocked", "--mode", "sleep"}},
        {"BlockedLock", {"blocked", "--mode", "lock"}},
        {"BlockedDeadlock", {"blocked", "--mode", "deadlock"}},
        {"BlockedPipe", {"blocked", "--mode", "pipe"}},
        {"BlockedChild", {"blocked", "--mode", "child"}},
        {"BlockedDownstream", {"blocked", "--mode", "downstream"}},
        {"ChainService", {"chain", "--mode", "service"}},
        {"ChainMixed", {"chain", "--mode", "mixed"}},
        {"ChainCircle", {"chain", "--mode", "circle"}},
        {"ChainWriters", {"chain", "--mode", "writers"}},
        {"IdleWorkerQueue", {"idle_worker", "--mode", "queue"}},
        {"IdleMaster", {"idle_worker", "--mode", "master"}},
        {"HalfOpenDownload", {"decoy", "--mode", "half-open"}},
    };
}

}  // namespace runtime
