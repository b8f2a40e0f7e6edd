// SPDX-License-Identifier: BSD-2-Clause
// What happened, laid out in time: the one model that every export format and the HTML report are made from.
//
// Plain data, no I/O: whoever has the facts (a recording, a test) fills it, and writers (format.h) read it.
// Moments are nanoseconds of CLOCK_BOOTTIME; Window::wall_offset_ns turns them into wall time. Names and
// texts are raw bytes from outside. What is not known is StringId::kNone or nullopt, never 0 or "". check.h
// has the rules a timeline keeps; a writer stays within its memory even where one does not.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "timeline/strings.h"

namespace waitclose::timeline {

/// The time that was watched.
struct Window {
    std::uint64_t from_ns = 0;
    std::uint64_t to_ns = 0;
    std::optional<std::int64_t> wall_offset_ns;  // add to a moment for nanoseconds since the epoch
};

/// What a thread did.
enum class Activity : std::uint8_t {
    kUnknown,   // it was not watched, or events were lost
    kRunning,   // on a CPU
    kRunnable,  // it could have run, but had no CPU
    kBlocked,   // asleep; Slice::wait_class says for what
};

/// A stretch of time in which a thread did one thing.
struct Slice {
    std::uint64_t begin_ns = 0;
    std::uint64_t end_ns = 0;  // the first moment that is not in it
    Activity activity = Activity::kUnknown;
    StringId wait_class = StringId::kNone;  // kBlocked: a wait class of the contract, e.g. "disk"
    StringId detail = StringId::kNone;      // in words, e.g. "fdatasync(fd 12, /var/log/audit.log)"
    StackId stack = StackId::kNone;         // where it slept or ran
    StringId waker = StringId::kNone;       // who ended the sleep, e.g. "auditor (pid 7, tid 9)"
};

/// A thread and its part of the window. Its slices follow one another without gap or overlap from from_ns to
/// to_ns; where nothing is known they say so. A thread nothing is known of has none, and from_ns == to_ns.
struct Thread {
    std::uint32_t tid = 0;
    StringId comm = StringId::kNone;
    std::uint64_t from_ns = 0;  // the window's, or when the thread began
    std::uint64_t to_ns = 0;    // the window's, or when it ended
    std::vector<Slice> slices;
};

struct Process {
    std::uint32_t pid = 0;
    StringId comm = StringId::kNone;
    StringId exe = StringId::kNone;
    StringId cgroup = StringId::kNone;
    StringId container = StringId::kNone;
    std::optional<std::uint64_t> started_ns;
    std::vector<Thread> threads;
};

/// An index that points at nothing.
inline constexpr std::uint32_t kNowhere = UINT32_MAX;

/// A thread of this timeline: into Timeline::processes, and into the threads of that one.
struct ThreadRef {
    std::uint32_t process = kNowhere;
    std::uint32_t thread = kNowhere;
};

/// Somebody did something to a socket.
struct Deed {
    std::uint64_t at_ns = 0;
    std::uint32_t pid = 0;
    std::uint32_t tid = 0;
    StringId comm = StringId::kNone;
    ThreadRef where;  // nowhere when that thread has no track
};

/// One stretch of a socket's life: a TCP state, or within CLOSE_WAIT what became of it ("FIN not read").
/// Phases of a socket are sorted by begin, the longer first, and nest: none overlaps another in part.
struct Phase {
    std::uint64_t begin_ns = 0;
    std::uint64_t end_ns = 0;
    StringId name = StringId::kNone;
    bool is_hold = false;  // the hold itself: exactly as long as Hold::held_ns
};

struct Address {
    StringId host = StringId::kNone;  // "10.0.0.7" or "2001:db8::1"
    std::uint16_t port = 0;
};

struct Holder {
    std::uint32_t pid = 0;
    std::int32_t fd = 0;
    StringId comm = StringId::kNone;
    StringId exe = StringId::kNone;
    StringId cgroup = StringId::kNone;
    StringId container = StringId::kNone;
    std::optional<bool> close_on_exec;
    std::optional<std::uint64_t> started_ns;
};

/// Who holds the other end, when that is a process of the same machine.
struct Peer {
    std::uint32_t pid = 0;
    std::int32_t fd = 0;
    StringId comm = StringId::kNone;
};

/// The thread that should have called close().
struct Culprit {
    std::uint32_t pid = 0;
    std::optional<std::uint32_t> tid;
    StringId comm = StringId::kNone;
    StringId basis = StringId::kNone;  // of the contract, e.g. "read-eof"
};

/// One link of the wait chain: this thread waits, for that one if it is known.
struct Link {
    std::uint32_t pid = 0;
    std::uint32_t tid = 0;
    StringId comm = StringId::kNone;
    StringId waits_for = StringId::kNone;  // a wait class
    StringId detail = StringId::kNone;
    std::optional<std::uint64_t> for_ns;
    struct Other {
        std::uint32_t pid = 0;
        std::uint32_t tid = 0;
    };
    std::optional<Other> on;
    StringId function = StringId::kNone;  // of the program, in which it is
};

/// A measured value: nothing, a truth, a number, or text.
struct Value {
    enum class Kind : std::uint8_t { kNone, kBoolean, kNumber, kText };
    Kind kind = Kind::kNone;
    StringId text = StringId::kNone;
    std::int64_t number = 0;  // 0 or 1 for a truth

    static Value of(bool truth) { return {Kind::kBoolean, StringId::kNone, truth ? 1 : 0}; }
    static Value of(std::int64_t number) { return {Kind::kNumber, StringId::kNone, number}; }
    static Value of(StringId text) { return {Kind::kText, text, 0}; }
};

/// A measured fact that the cause rests on.
struct Evidence {
    StringId fact = StringId::kNone;
    Value value;
    StringId text = StringId::kNone;
};

/// Why a hold lasts or lasted: what stood for most of it, as a look had it last. Ids are those of the
/// catalogue.
struct Diagnosis {
    std::optional<Culprit> culprit;
    StringId cause = StringId::kNone;  // none when the hold was never diagnosed
    StringId confidence = StringId::kNone;
    StringId summary = StringId::kNone;
    StringId advice = StringId::kNone;
    std::vector<Link> because;
    std::vector<StringId> contributing;
    std::vector<Evidence> evidence;
};

/// A part of a hold in which one process had it.
struct Tenure {
    std::uint64_t begin_ns = 0;
    std::uint64_t end_ns = 0;
    std::uint32_t owner = kNowhere;    // into Timeline::processes; nowhere: not known
    StringId cause = StringId::kNone;  // what stood while it had it
};

/// A part of a hold's time in which the culprit did one thing. Parts need not be in one piece.
struct Share {
    StringId doing = StringId::kNone;  // a wait class; "running", "waiting for a CPU", "not watched"
    StackId stack = StackId::kNone;    // where it slept or ran
    std::uint64_t ns = 0;
};

/// A socket that was held, and its track. Named as in the JSON contract.
struct Hold {
    StringId id = StringId::kNone;  // "netns:cookie"
    std::optional<std::uint32_t> netns;
    std::optional<std::uint64_t> cookie;
    StringId family = StringId::kNone;  // "ipv4" or "ipv6"
    StringId role = StringId::kNone;    // "server", "client" or "unknown"
    Address local;
    Address remote;
    std::optional<bool> accepted;
    std::optional<bool> eof_read;
    std::optional<std::uint64_t> received_bytes;
    std::optional<std::uint64_t> unread_bytes;
    std::optional<std::uint64_t> unsent_bytes;

    std::optional<std::uint64_t> since_ns;  // it may lie before the window
    std::optional<std::uint64_t> held_ns;   // until it ended, or until the end of the window
    StringId precision = StringId::kNone;   // of both: "exact" or "at-least"
    bool open = true;                       // it had not ended by the end of the window
    bool since_or_earlier = false;          // it may have begun before `since_ns`
    bool ended_or_later = false;            // its end was not seen: it may have ended later

    std::uint32_t owner = kNowhere;  // into Timeline::processes: who is shown with it; nowhere: not known
    std::vector<Tenure> tenures;     // of a hold that was passed on: two or more that together are the hold
    std::vector<Holder> holders;
    std::optional<Peer> peer;
    Diagnosis diagnosis;
    StringId wait_class = StringId::kNone;  // what the culprit does meanwhile; "nothing" when it runs
    StackId stack = StackId::kNone;         // where the culprit was when that was seen

    std::vector<Share> shares;  // together as long as held_ns; none: no capture followed the culprit

    std::vector<Phase> phases;        // its track, in time; with held_ns known, one of them is the hold
    std::optional<Deed> first_touch;  // the first read or write since the FIN
    std::optional<Deed> closed;       // the close() that ended the hold
};

/// A number over time, in the order of time.
struct Counter {
    struct Sample {
        std::uint64_t at_ns = 0;
        double value = 0;
    };
    StringId name = StringId::kNone;   // "holds open", "fds used", "disk pressure"
    StringId unit = StringId::kNone;   // "%", or none for a plain count
    std::uint32_t process = kNowhere;  // of a process; else of the machine
    std::vector<Sample> samples;
};

/// Events or records were dropped.
struct Loss {
    std::uint64_t at_ns = 0;          // when that was noticed
    StringId what = StringId::kNone;  // the class: "ring", "storage", "reconciled"
    std::uint64_t count = 0;
};

struct Timeline {
    Window window;
    StringTable strings;
    StackTable stacks;
    StringId hostname = StringId::kNone;
    StringId kernel = StringId::kNone;
    StringId program = StringId::kNone;  // what recorded it: "waitclose 0.1.0"
    std::vector<Process> processes;
    std::vector<Hold> holds;
    std::vector<Counter> counters;
    std::vector<Loss> losses;

    std::string_view text(StringId id) const { return strings[id]; }

    /// Null where the index or the reference points at nothing.
    const Process* process_at(std::uint32_t index) const {
        return index < processes.size() ? &processes[index] : nullptr;
    }
    const Thread* thread_at(ThreadRef ref) const {
        const Process* process = process_at(ref.process);
        return process != nullptr && ref.thread < process->threads.size() ? &process->threads[ref.thread]
                                                                          : nullptr;
    }
};

}  // namespace waitclose::timeline
