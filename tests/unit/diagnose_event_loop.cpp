// SPDX-License-Identifier: BSD-2-Clause
#include <gtest/gtest.h>

#include <sys/epoll.h>

#include "diagnose_builder.h"

namespace waitclose::test {
namespace {

using model::Operation;
using model::Role;
using model::Socket;
using model::Watch;
using model::Watching;
using model::WatchKind;

constexpr std::uint64_t kEpoll = 0x1000;
constexpr std::uint64_t kOuter = 0x2000;

Watch registered(std::uint32_t events, bool ready = false) {
    Watch watch;
    watch.kind = WatchKind::kEpoll;
    watch.fd = 57;
    watch.events = events;
    watch.epoll = kEpoll;
    watch.ready = ready;
    return watch;
}

Watch of_kind(WatchKind kind, std::uint32_t events = 0) {
    Watch watch;
    watch.kind = kind;
    watch.events = events;
    return watch;
}

constexpr std::uint32_t kErrors = EPOLLERR | EPOLLHUP;
const std::uint32_t kEdge = EPOLLIN | EPOLLRDHUP | EPOLLET | kErrors;

void watched_by(Socket& socket, std::vector<Watch> watches) {
    socket.watching = Watching::kSome;
    socket.watches = std::make_unique<std::vector<Watch>>(std::move(watches));
}

/// Sleeps in epoll_wait() on the epoll.
model::Thread in_epoll(std::uint32_t tid, std::uint64_t epoll = kEpoll) {
    model::Thread thread = asleep(tid, SYS_epoll_pwait, 4);
    thread.epoll = epoll;
    thread.asleep_since_ns = kFin + kMs;
    return thread;
}

model::Thread in_sleep(std::uint32_t tid, std::uint64_t since_ns = kFin + kMs) {
    model::Thread thread = asleep(tid, SYS_clock_nanosleep);
    thread.asleep_since_ns = since_ns;
    return thread;
}

/// One loop that sleeps in epoll_wait(), held for a minute.
struct OneLoop : Builder {
    Socket* socket;

    explicit OneLoop(std::vector<model::Thread> threads = {in_epoll(10)}) {
        socket = &Builder::socket({{process(10, std::move(threads))}});
        socket->held_since_ns = kTaken - 61 * kSec;
        census.epolls.push_back({kEpoll, kBooted, 10, 4, "loop"});
    }
    std::string gist_with(std::vector<Watch> watches) {
        watched_by(*socket, std::move(watches));
        return gist(diagnose());
    }
};

}  // namespace

TEST(UnwatchedEvent, EdgeTriggeredToldAndNotRead) {
    OneLoop b;
    EXPECT_EQ(b.gist_with({registered(kEdge)}), "unwatched-event likely 10/10 only-thread");
    const auto diagnosis = b.diagnose();
    EXPECT_TRUE(says(diagnosis, "epoll fd 4 of loop (pid 10) has it registered as fd 57"));
    EXPECT_TRUE(says(diagnosis, "EPOLLIN|EPOLLRDHUP|EPOLLET"));
    EXPECT_TRUE(says(diagnosis, "t10 (tid 10) sleeps in epoll_wait on it"));
}

TEST(UnwatchedEvent, AlsoWhereOneReadTookTheFinWithTheData) {
    OneLoop b;
    b.socket->fin_consumed = b.socket->received_data = true;
    touches(*b.socket).last = deed(10, 10, b.socket->held_since_ns + kMs, Operation::kRead);
    EXPECT_EQ(b.gist_with({registered(kEdge)}), "unwatched-event likely 10/10 last-touch");
}

TEST(UnwatchedEvent, OneShotNotArmedAgain) {
    OneLoop b;
    EXPECT_EQ(b.gist_with({registered(EPOLLONESHOT)}), "unwatched-event likely 10/10 only-thread");
    EXPECT_TRUE(says(b.diagnose(), "not armed again"));
}

TEST(UnwatchedEvent, AskedForEventsThatNoFinRaises) {
    OneLoop b;
    EXPECT_EQ(b.gist_with({registered(EPOLLOUT | EPOLLET | kErrors)}),
              "unwatched-event likely 10/10 only-thread");
    EXPECT_EQ(b.gist_with({registered(kErrors)}), "unwatched-event likely 10/10 only-thread");
    EXPECT_EQ(b.gist_with({of_kind(WatchKind::kPoll, EPOLLPRI | kErrors)}),
              "unwatched-event possible 10/10 only-thread");
}

TEST(UnwatchedEvent, NotWhileTheLoopMayHoldBackOnPurpose) {
    OneLoop b;
    b.socket->held_since_ns = kTaken - 9 * kSec;
    EXPECT_EQ(b.gist_with({registered(kEdge)}), "unknown possible 10/10 only-thread");
    b.socket->held_since_ns = kTaken - 600 * kSec;
    b.census.processes[0].held_back_fd = 58;
    EXPECT_EQ(b.gist_with({registered(kEdge)}), "unknown possible 10/10 only-thread");
    EXPECT_TRUE(says(b.diagnose(), "fd 58 of p10 (pid 10) has no room"));
}

TEST(UnwatchedEvent, NotOfAStreamThatWaitsForRoom) {
    OneLoop b;
    b.socket->unsent_bytes = 5000;
    EXPECT_EQ(b.gist_with({registered(EPOLLOUT | kErrors)}), "half-open likely -");
}

TEST(UnwatchedEvent, IsWeakerWithDataUnread) {
    OneLoop b;
    b.socket->unread_bytes = 10;
    EXPECT_EQ(b.gist_with({registered(kEdge)}), "unwatched-event possible 10/10 only-thread");
}

TEST(UnwatchedEvent, IsWeakerWhileSomebodyElseMayHandleIt) {
    OneLoop b({in_epoll(10), running(11)});
    EXPECT_EQ(b.gist_with({registered(kEdge)}), "unwatched-event possible 10/- process");
}

TEST(UnwatchedEvent, IsOnlyPossibleForAMinute) {
    OneLoop b;
    b.socket->held_since_ns = kTaken - 59 * kSec;
    for (const std::uint32_t events : {kEdge, kErrors, std::uint32_t{EPOLLONESHOT}})
        EXPECT_EQ(b.gist_with({registered(events)}), "unwatched-event possible 10/10 only-thread")
            << "a proxy asks again when the other side has answered";
}

TEST(UnwatchedEvent, IsWeakerWhereARuntimeRegistersEverything) {
    OneLoop b;
    EXPECT_EQ(b.gist_with({registered(kEdge | EPOLLOUT)}), "unwatched-event possible 10/10 only-thread");
    EXPECT_TRUE(says(b.diagnose(), "as a runtime does"));
}

TEST(UnwatchedEvent, IsWeakerWhereNoThreadIsSeenAtThatEpoll) {
    OneLoop b({in_epoll(10, kEpoll + 1)});
    EXPECT_EQ(b.gist_with({registered(kEdge)}), "unwatched-event possible 10/10 only-thread");
    b.census.threads[0].epoll = 0;
    EXPECT_EQ(gist(b.diagnose()), "unwatched-event possible 10/10 only-thread");
}

// It may have fetched the event only after the socket was looked at.
TEST(UnwatchedEvent, IsWeakerWhereTheLoopHasJustComeBack) {
    OneLoop b;
    b.census.threads[0].asleep_since_ns = kTaken - 100 * kMs;
    EXPECT_EQ(b.gist_with({registered(kEdge)}), "unwatched-event possible 10/10 only-thread");
    b.census.threads[0].asleep_since_ns.reset();
    EXPECT_EQ(gist(b.diagnose()), "unwatched-event possible 10/10 only-thread");
}

TEST(UnwatchedEvent, IsServedThroughTheEpollThatWatchesIt) {
    OneLoop b({in_epoll(10, kOuter)});
    Watch inner = registered(kEdge);
    inner.polled = true;
    inner.outer = kOuter;
    EXPECT_EQ(b.gist_with({inner}), "unwatched-event likely 10/10 only-thread");
}

TEST(UnwatchedEvent, IsWeakerWhereTheQueueWasNotReadToItsEnd) {
    OneLoop b;
    watched_by(*b.socket, {registered(kEdge)});
    b.socket->watching = Watching::kUnknown;
    EXPECT_EQ(gist(b.diagnose()), "unwatched-event possible 10/10 only-thread");
}

TEST(UnwatchedEvent, NotWhereAnotherRegistrationHears) {
    OneLoop b;
    Watch other = registered(EPOLLIN | kErrors, true);
    other.epoll = kEpoll + 1;
    EXPECT_EQ(b.gist_with({registered(kEdge), other}), "unknown possible 10/10 only-thread");
}

TEST(UnwatchedEvent, NotWhereWhatWaitsIsNotKnown) {
    for (const WatchKind kind : {WatchKind::kRing, WatchKind::kOther}) {
        OneLoop b;
        EXPECT_EQ(b.gist_with({registered(kEdge), of_kind(kind)}), "unknown possible 10/10 only-thread");
    }
    OneLoop b;
    EXPECT_EQ(b.gist_with({of_kind(WatchKind::kPoll, EPOLLIN)}), "unknown possible 10/10 only-thread");
}

TEST(UnwatchedEvent, IsAnIdlePoolOnTheClientSide) {
    OneLoop b;
    b.socket->role = Role::kClient;
    EXPECT_EQ(b.gist_with({registered(kEdge)}).substr(0, 13), "idle-in-pool ");
    EXPECT_TRUE(fact(b.diagnose(), "watched"));
}

TEST(PendingEvent, IsNobodysFaultWhileTheLoopIsAtItsEpoll) {
    OneLoop b;
    EXPECT_EQ(b.gist_with({registered(EPOLLIN | kErrors, true)}), "unknown possible 10/10 only-thread");
    OneLoop others({asleep(10, SYS_epoll_pwait, 9)});
    EXPECT_EQ(others.gist_with({registered(EPOLLIN | kErrors, true)}), "unknown possible 10/10 only-thread");
}

TEST(PendingEvent, WaitsForALoopThatSleepsInSomethingElse) {
    OneLoop b({in_sleep(10)});
    EXPECT_EQ(b.gist_with({registered(EPOLLIN | kErrors, true)}), "handler-blocked likely 10/10 only-thread");
    EXPECT_TRUE(says(b.diagnose(), "has not come back to its epoll"));
    ASSERT_EQ(b.diagnose().because.size(), 1U);
    EXPECT_EQ(b.diagnose().because[0].waits_for, "sleep");
}

TEST(PendingEvent, NamesNoThreadThatOnlyCanBeTheLoop) {
    OneLoop b({in_sleep(10), in_accept(11)});
    EXPECT_EQ(b.gist_with({registered(EPOLLIN | kErrors, true)}), "handler-blocked likely 10/- process");
    EXPECT_EQ(b.diagnose().because.size(), 1U);
}

TEST(PendingEvent, IsUndecidedWhereSeveralThreadsCanBeTheLoop) {
    OneLoop b({in_sleep(10), asleep(11, SYS_futex)});
    EXPECT_EQ(b.gist_with({registered(EPOLLIN | kErrors, true)}), "unknown possible 10/- process");
}

TEST(PendingEvent, IsUndecidedBetweenTwoEvents) {
    OneLoop b({in_sleep(10, kTaken - 500 * kMs)});
    EXPECT_EQ(b.gist_with({registered(EPOLLIN | kErrors, true)}), "unknown possible 10/10 only-thread");
    OneLoop busy({running(10)});
    EXPECT_EQ(busy.gist_with({registered(EPOLLIN | kErrors, true)}), "unknown possible 10/10 only-thread");
    OneLoop contradicting({in_sleep(10)});
    Watch awaited = registered(EPOLLIN | kErrors, true);
    awaited.awaited = true;  // by a process that is not visible here
    EXPECT_EQ(contradicting.gist_with({awaited}), "unknown possible 10/10 only-thread");
}

TEST(WatchedByNobody, IsProvenWhereNobodyWatchesForLong) {
    Builder b;
    Socket& socket = b.socket({{b.process(10, {in_accept(10)})}});
    socket.watching = Watching::kNobody;
    EXPECT_EQ(gist(b.diagnose()), "abandoned likely 10/10 only-thread");
    EXPECT_TRUE(says(b.diagnose(), "no epoll watches fd 57"));
    socket.held_since_ns = kTaken - 61 * kSec;
    EXPECT_EQ(gist(b.diagnose()), "abandoned proven 10/10 only-thread");
    socket.unread_bytes = 1;
    EXPECT_EQ(gist(b.diagnose()), "abandoned likely 10/10 only-thread");
    socket.unread_bytes = 0;
    socket.watching = Watching::kUnknown;
    EXPECT_EQ(gist(b.diagnose()), "abandoned likely 10/10 only-thread");
    EXPECT_FALSE(fact(b.diagnose(), "watched"));
}

// A loop may do in pieces, between other connections, what this one waits for.
TEST(WatchedByNobody, IsNeverProvenOfAnEventLoop) {
    OneLoop b;
    b.socket->watching = Watching::kNobody;
    b.socket->held_since_ns = kTaken - 11 * kSec;
    EXPECT_EQ(gist(b.diagnose()), "abandoned possible 10/10 only-thread");
    b.socket->held_since_ns = kTaken - 61 * kSec;
    EXPECT_EQ(gist(b.diagnose()), "abandoned likely 10/10 only-thread");
    b.socket->watching = Watching::kUnknown;
    EXPECT_EQ(gist(b.diagnose()), "abandoned possible 10/10 only-thread");
    EXPECT_TRUE(says(b.diagnose(), "may watch it"));
}

TEST(WatchedByNobody, NotByAProxyThatIsHeldBack) {
    OneLoop b;
    b.socket->watching = Watching::kNobody;
    b.socket->held_since_ns = kTaken - 61 * kSec;
    b.census.processes[0].held_back_fd = 58;
    EXPECT_EQ(gist(b.diagnose()), "unknown possible 10/10 only-thread");
}

TEST(WatchedEof, SaysWhoStillWatches) {
    OneLoop b;
    read_eof(*b.socket, deed(10, 10, b.socket->held_since_ns + kMs, Operation::kRead));
    b.socket->watching = Watching::kNobody;
    EXPECT_EQ(b.diagnose().cause, diagnose::Cause::kEofIgnored);
    EXPECT_TRUE(says(b.diagnose(), "no epoll watches"));
    watched_by(*b.socket, {registered(EPOLLIN | kErrors, true)});
    EXPECT_EQ(b.diagnose().cause, diagnose::Cause::kEofIgnored);
    EXPECT_TRUE(says(b.diagnose(), "has it registered as fd 57"));
}

TEST(FoundInFlight, IsProvenWhereItsOnlyReferenceIsFound) {
    Builder b;
    Socket& socket = b.socket({});
    socket.file_references = 1;
    socket.in_flight = std::make_unique<std::vector<model::InFlight>>();
    socket.in_flight->push_back({model::InFlight::Where::kMessage, kBooted, 20, 5, "receiver"});
    EXPECT_EQ(gist(b.diagnose()), "in-flight-fd proven -");
    EXPECT_TRUE(says(b.diagnose(), "queue of UNIX socket fd 5 of receiver (pid 20)"));
    socket.file_references = 2;
    EXPECT_EQ(gist(b.diagnose()), "in-flight-fd likely -");
    socket.in_flight->front().where = model::InFlight::Where::kRing;
    EXPECT_TRUE(says(b.diagnose(), "registered files of io_uring fd 5"));
}

TEST(FoundInFlight, IsEvidenceBesideAHolder) {
    OneLoop b;
    b.socket->in_flight = std::make_unique<std::vector<model::InFlight>>();
    b.socket->in_flight->push_back({model::InFlight::Where::kMessage, kBooted, 20, 5, "receiver"});
    const auto diagnosis = b.diagnose();
    EXPECT_NE(diagnosis.cause, diagnose::Cause::kInFlightFd);
    EXPECT_TRUE(says(diagnosis, "queue of UNIX socket fd 5 of receiver (pid 20)"));
}

TEST(FoundInFlight, IsNotKnownFromInsideAPidNamespace) {
    Builder b;
    Socket& socket = b.socket({});
    socket.file_references = 1;
    socket.away_before = true;
    b.census.nested = true;
    EXPECT_EQ(gist(b.diagnose()), "unknown possible -");
}

TEST(FoundInFlight, IsNotSaidOfWhatMayJustChangeHands) {
    Builder b;
    Socket& socket = b.socket({});
    socket.file_references = 1;
    EXPECT_EQ(gist(b.diagnose()), "unknown possible -") << "it may just be accepted, or closed";
    socket.away_before = true;
    EXPECT_EQ(gist(b.diagnose()), "in-flight-fd possible -");
    socket.held_since_ns = kTaken - 500 * kMs;
    EXPECT_EQ(gist(b.diagnose()), "unknown possible -");
    socket.held_since_ns = kTaken - 2 * kSec;
    socket.file_references = 0;
    EXPECT_EQ(gist(b.diagnose()), "unknown possible -");
}

}  // namespace waitclose::test
