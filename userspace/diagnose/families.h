// SPDX-License-Identifier: BSD-2-Clause
// The families of causes. Each looks at one subject and says what it can show, or nothing.
#pragma once

#include <optional>

#include "diagnose/scene.h"

namespace waitclose::diagnose {

/// Younger than this, a hold says nothing yet: any program needs a moment to hear of the hang-up.
inline constexpr std::uint64_t kTooYoungNs = 10'000'000;
/// A request that came with the end of the stream may well be worked on for so long: by the thread that read
/// it, by one it was handed to, by an event loop that has it among others. Answer and close() are still to
/// come.
inline constexpr std::uint64_t kMayAnswerNs = 10'000'000'000;
/// After this an event loop hardly has it in mind any more.
inline constexpr std::uint64_t kHardlyAnswersNs = 60'000'000'000;

/// The kernel's stamps are kept in ticks and read as the latest they can mean: later than the truth by up to
/// so much.
inline constexpr std::uint64_t kStampErrorNs = 30'000'000;

/// What a thread does so soon after it touched the connection, asleep or at work, is the same piece of work.
inline constexpr std::uint64_t kSameWorkNs = 1'000'000'000;

std::optional<Verdict> kernel_owned(const Scene& scene);          // kernel-socket
std::optional<Verdict> accept_queue(const Scene& scene);          // never-accepted
std::optional<Verdict> without_holder(const Scene& scene);        // in-flight-fd
std::optional<Verdict> exiting(const Scene& scene);               // exiting
std::optional<Verdict> stopped(const Scene& scene);               // stopped
std::optional<Verdict> duplicate_descriptor(const Scene& scene);  // duplicate-fd
std::optional<Verdict> inherited_descriptor(const Scene& scene);  // inherited-fd
std::optional<Verdict> half_open(const Scene& scene);             // half-open
std::optional<Verdict> too_little_known(const Scene& scene);      // threads unread, or too early to say
std::optional<Verdict> handler_blocked(const Scene& scene);       // handler-blocked, deadlock
std::optional<Verdict> handler_awaits(const Scene& scene);        // handler-blocked: in accept() elsewhere
std::optional<Verdict> spin_on_eof(const Scene& scene);           // spin-on-eof
std::optional<Verdict> gc_pause(const Scene& scene);              // gc-pause
std::optional<Verdict> handler_time(const Scene& scene);          // handler-busy, cpu-starved
std::optional<Verdict> end_of_file(const Scene& scene);           // eof-ignored
std::optional<Verdict> event_loop(const Scene& scene);            // unwatched-event, or its loop is blocked
std::optional<Verdict> forked_for_one(const Scene& scene);        // nobody: it may be about to serve it
std::optional<Verdict> unread(const Scene& scene);                // idle-in-pool, abandoned

/// Nobody saw who read it, but the only thread that can have done so fell asleep right after its data came,
/// together with the FIN, has not woken since, and has sent no answer: this sleep may well be part of one.
bool asleep_since_its_data(const Scene& scene);
/// Nobody saw who has it, but this thread of a process that holds it fell asleep right after its last data
/// came, and has not woken since: it may be at the answer, however long ago that was.
struct Worker {
    const model::Process* process = nullptr;
    const model::Thread* thread = nullptr;  // null: there is none
    explicit operator bool() const { return thread != nullptr; }
};
Worker sleeper_since_data(const Scene& scene);
/// The advice of a look that came too late to see whose the connection is.
void advise_to_watch(const Scene& scene, Diagnosis& diagnosis);
/// Something was sent since the peer's last data, or in the same tick.
bool answered_since_data(const model::Socket& socket);
/// In some process that holds it a thread is at work on something that may be part of it.
bool some_work(const Scene& scene);
/// Other threads of its process than the one seen with it last may have it now, or come by and close it.
bool may_be_handed_on(const Scene& scene);
/// The same, and one of them was awake after `deed_ns`, so it may have been given it then.
bool may_be_in_other_hands(const Scene& scene, std::uint64_t deed_ns);
/// One fact that names them, when there are any.
void add_handed_on(const Scene& scene, Diagnosis& diagnosis);
/// Who is to be named then: the process.
Who without_thread(Who who);
/// Threads are at work, which of them had the connection is not known, and it is not held for so long that
/// none can be at it any more.
bool some_may_handle(const Scene& scene);
/// Nobody was seen to use it, but a process was forked right after the connection was there, or read, and
/// whoever had it let go of it: so does a server that serves each connection in a process of its own.
bool may_be_forked_for_it(const Scene& scene);

}  // namespace waitclose::diagnose
