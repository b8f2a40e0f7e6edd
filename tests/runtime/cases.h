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
    bool alone = false;  // it disturbs others, or others would disturb it

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
        {"FinWithDataFileLock", {"fin_with_data", "--mode", "file-lock"}},
        {"FinWithDataToEnd", {"fin_with_data", "--mode", "to-end"}},
        {"NeverAccepted", {"never_accepted", "--mode", "single"}},
        {"NeverAcceptedReuseport", {"never_accepted", "--mode", "reuseport"}},
        {"NeverAcceptedShared", {"never_accepted", "--mode", "shared"}},
        {"NeverAcceptedIpv6", {"never_accepted", "--family", "ipv6"}},
        {"NeverAcceptedMapped", {"never_accepted", "--family", "mapped"}},
        {"NeverAcceptedOtherNetns", {"never_accepted", "--netns"}},
        {"InheritedForkBefore", {"inherited", "--mode", "fork-before"}},
        {"InheritedForkAfter", {"inherited", "--mode", "fork-after"}},
        {"InheritedExecSelf", {"inherited", "--mode", "exec-self"}},
        {"InheritedExecCat", {"inherited", "--mode", "exec-cat"}},
        {"InheritedParentForgets", {"inherited", "--mode", "parent-forgets"}},
        {"InheritedSession", {"inherited", "--mode", "session"}},
        {"DuplicateUnread", {"duplicate", "--mode", "unread"}},
        {"DuplicateEof", {"duplicate", "--mode", "eof"}},
        {"StoppedAccepted", {"stopped", "--mode", "accepted"}},
        {"StoppedFrozen", {"stopped", "--mode", "frozen"}},
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
        {"BlockedPoll", {"blocked", "--mode", "poll"}},
        {"BlockedAccept", {"blocked", "--mode", "accept"}},
        {"MultipathQueued", {"multipath", "--mode", "queued"}},
        {"MultipathLeaked", {"multipath", "--mode", "leaked"}},
        {"MultipathClient", {"multipath", "--mode", "client"}},
        {"StuckDiskFrozen", {"stuck", "--mode", "disk-frozen"}},
        {"StuckDiskMute", {"stuck", "--mode", "disk-mute"}},
        {"StuckFault", {"stuck", "--mode", "fault"}},
        {"StuckFaultInRead", {"stuck", "--mode", "fault-read"}},
        {"StuckFaultOnFile", {"stuck", "--mode", "fault-file"}},
        {"StuckFileLock", {"stuck", "--mode", "file-lock"}},
        {"StuckOther", {"stuck", "--mode", "other"}},
        {"StuckCondition", {"stuck", "--mode", "condition"}},
        {"ChainService", {"chain", "--mode", "service"}},
        {"ChainMixed", {"chain", "--mode", "mixed"}},
        {"ChainCircle", {"chain", "--mode", "circle"}},
        {"ChainWriters", {"chain", "--mode", "writers"}},
        {"LoopEdge", {"event_loop", "--mode", "edge"}},
        {"LoopNested", {"event_loop", "--mode", "nested"}},
        {"LoopOneShot", {"event_loop", "--mode", "one-shot"}},
        {"LoopOutOnly", {"event_loop", "--mode", "out-only"}},
        {"LoopDeleted", {"event_loop", "--mode", "deleted"}},
        {"LoopAsleep", {"event_loop", "--mode", "asleep"}},
        {"LoopBackPressure", {"event_loop", "--mode", "back-pressure"}},
        {"AcceptorOutOfDescriptors", {"acceptor", "--mode", "emfile"}},
        {"AcceptorAsleep", {"acceptor", "--mode", "sleep"}},
        {"AcceptorWaitsForLock", {"acceptor", "--mode", "lock"}},
        {"BusyComputing", {"busy", "--mode", "computing"}},
        {"BusyAlone", {"busy", "--mode", "alone"}},
        {"BusySpin", {"busy", "--mode", "spin"}},
        {"BusyStarved", {"busy", "--mode", "starved"}},
        {"BusyLeakBeside", {"busy", "--mode", "leak-beside"}},
        {"HandedOnQueue", {"handed_on", "--mode", "queue"}},
        {"HandedOnSweeper", {"handed_on", "--mode", "sweeper"}},
        {"HandedOnEnded", {"handed_on", "--mode", "ended"}},
        {"MixedLeakAndSleep", {"mixed", "--mode", "leak-and-sleep"}},
        {"MixedLeakAndPool", {"mixed", "--mode", "leak-and-pool"}},
        {"LocksCppMutex", {"locks", "--mode", "cpp-mutex"}},
        {"LocksPiMutex", {"locks", "--mode", "pi-mutex"}},
        {"LocksRobustMutex", {"locks", "--mode", "robust-mutex"}},
        {"LocksSharedMutex", {"locks", "--mode", "shared-mutex"}},
        {"LocksRwlockRead", {"locks", "--mode", "rwlock-read"}},
        {"LocksRwlockWrite", {"locks", "--mode", "rwlock-write"}},
        {"IdleWorkerQueue", {"idle_worker", "--mode", "queue"}},
        {"IdleWorkerPoll", {"idle_worker", "--mode", "poll"}},
        {"IdleMaster", {"idle_worker", "--mode", "master"}},
        {"HalfOpenDownload", {"decoy", "--mode", "half-open"}},
    };
}

// The same in real runtimes; what is not installed is skipped.
inline std::vector<Case> real_cases() {
    return {
        {"Case01JavaSpin", {"real_runtime", "--mode", "java-spin"}},
        {"Case01JavaLeak", {"real_runtime", "--mode", "java-leak"}},
        {"Case02JavaTooManyFiles", {"real_runtime", "--mode", "java-too-many-files"}},
        {"JavaSelector", {"real_runtime", "--mode", "java-selector"}},
        {"PythonThreads", {"real_runtime", "--mode", "python-threads"}},
        {"PythonAsyncio", {"real_runtime", "--mode", "python-asyncio"}},
        {"PythonFork", {"real_runtime", "--mode", "python-fork"}},
        {"NodeAllowHalfOpen", {"real_runtime", "--mode", "node-half-open"}},
        {"NodePaused", {"real_runtime", "--mode", "node-paused"}},
        {"NodeUnconsumed", {"real_runtime", "--mode", "node-unconsumed"}},
    };
}

// Healthy programs that hold nothing for long: they may be listed, but never accused.
inline std::vector<Case> healthy_cases() {
    return {
        {"QuickClose", {"decoy", "--mode", "quick-close"}},
        {"KeepAlive", {"decoy", "--mode", "keep-alive"}},
        {"ReapingPool", {"decoy", "--mode", "reaping-pool"}},
        {"HealthyLoop", {"event_loop", "--mode", "healthy"}},
        {"BusyBrief", {"busy", "--mode", "brief"}},
        {"Reset", {"decoy", "--mode", "reset"}},
    };
}

// Healthy programs that go on and on, each with many connections: to be looked at again and again.
inline std::vector<Case> lasting_decoys() {
    std::vector<Case> cases;
    for (const auto& [name, mode] :
         std::vector<std::pair<std::string, std::string>>{{"LastingKeepAlive", "keep-alive"},
                                                          {"LastingDownload", "download"},
                                                          {"LastingForkDownload", "fork-download"},
                                                          {"LastingForward", "forward"},
                                                          {"LastingPool", "pool"},
                                                          {"LastingDrain", "drain"},
                                                          {"LastingOneShot", "one-shot"},
                                                          {"LastingTls", "tls"},
                                                          {"LastingAsyncio", "asyncio"},
                                                          {"LastingNode", "node"}})
        cases.push_back({name, {"healthy", "--mode", mode}});
    return cases;
}

}  // namespace runtime
