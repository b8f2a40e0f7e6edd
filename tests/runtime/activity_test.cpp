// SPDX-License-Identifier: BSD-2-Clause
// What the kernel side of a capture tells of threads whose doings are known: of a process that this test has
// started itself.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/activity.h"
#include "kernel/openings.h"
#include "kernel/sleeping_stacks.h"
#include "system/host.h"

namespace waitclose {
namespace {

using model::Doing;
using model::kNowhere;
using namespace std::chrono_literals;

/// A process of four threads: one spins, one reads what another writes every 5 ms, one sleeps for ever.
class Victim {
public:
    Victim() {
        int ready[2];
        EXPECT_EQ(::pipe(ready), 0);
        pid_ = ::fork();
        if (pid_ == 0) live(ready[1]);
        ::close(ready[1]);
        char byte = 0;
        EXPECT_EQ(::read(ready[0], &byte, 1), 1);
        ::close(ready[0]);
    }
    Victim(const Victim&) = delete;
    Victim& operator=(const Victim&) = delete;
    ~Victim() { kill(); }

    void kill() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }
    std::uint32_t pid() const { return static_cast<std::uint32_t>(pid_); }

private:
    static void named(const char* name, const std::function<void()>& work) {
        std::thread([=] {
            ::prctl(PR_SET_NAME, name);
            work();
        }).detach();
    }

    [[noreturn]] static void live(int ready) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        static int bytes[2];
        if (::pipe(bytes) != 0) ::_exit(1);
        named("spinner", [] {
            static volatile bool goes_on = true;
            while (goes_on) {
            }
        });
        named("reader", [] {
            char byte = 0;
            while (::read(bytes[0], &byte, 1) == 1) {
            }
        });
        named("writer", [ready] {
            for (int i = 0;; ++i) {
                ::usleep(5000);
                if (::write(bytes[1], "x", 1) != 1) ::_exit(1);
                if (i == 10 && ::write(ready, "x", 1) != 1) ::_exit(1);
            }
        });
        for (;;) ::pause();
    }

    pid_t pid_ = 0;
};

/// What the kernel says a thread has had of a CPU, in ns.
std::uint64_t on_cpu_ns(std::uint32_t pid, std::uint32_t tid) {
    std::ifstream file(fmt::format("/proc/{}/task/{}/schedstat", pid, tid));
    std::uint64_t ns = 0;
    file >> ns;
    return ns;
}

/// Probes as a capture has them; the tests are of no use where the kernel lacks the hooks.
class Activity : public testing::Test {
protected:
    void SetUp() override {
        kernel::ProbeSettings settings;
        settings.trace = settings.captures = settings.opening_stacks = true;
        settings.filter.ipv4 = settings.filter.ipv6 = 1;
        auto probes = kernel::Probes::attach(settings);
        ASSERT_TRUE(probes) << probes.error().what;
        probes_.emplace(std::move(*probes));
        for (const char* need : {"intervals", "wakeups", "samples", "registers"})
            if (!probes_->program_for(need, 0)) GTEST_SKIP() << "this kernel has no hook for " << need;
    }

    /// Follows the process for a while; `meanwhile` is called in the middle.
    kernel::RawActivity capture(
        std::uint32_t pid, std::chrono::milliseconds length, const std::function<void()>& meanwhile = [] {}) {
        kernel::ActivitySettings settings;
        settings.processes = {pid};
        settings.max_overhead = 1;
        auto tracer = kernel::ActivityTracer::start(*probes_, settings);
        if (!tracer) {
            ADD_FAILURE() << tracer.error().what;
            return {};
        }
        const auto rounds = length / 20ms;
        for (int i = 0; i < rounds; ++i) {
            if (i == rounds / 2) meanwhile();
            std::this_thread::sleep_for(20ms);
            tracer->drain();
        }
        return tracer->finish(system::boottime_ns());
    }

    std::optional<kernel::Probes> probes_;
};

std::uint64_t spent(const model::ThreadActivity& thread, Doing doing) {
    std::uint64_t sum = 0;
    for (const model::Interval& interval : thread.intervals)
        if (interval.doing == doing) sum += interval.end_ns - interval.begin_ns;
    return sum;
}

const model::ThreadActivity* find(const kernel::RawActivity& raw, const std::string& comm) {
    for (const model::ThreadActivity& thread : raw.activity.threads)
        if (thread.comm == comm) return &thread;
    return nullptr;
}

/// What surrounds what is not known.
std::string told(const model::ThreadActivity& thread) {
    std::string text;
    for (std::size_t i = 0; i < thread.intervals.size(); ++i) {
        if (thread.intervals[i].doing != Doing::kUnknown) continue;
        for (std::size_t j = i ? i - 1 : 0; j < std::min(i + 3, thread.intervals.size()); ++j)
            text += fmt::format(" {}: {} from {}", j, static_cast<int>(thread.intervals[j].doing),
                                thread.intervals[j].begin_ns - thread.from_ns);
    }
    return text;
}

void expect_whole(const model::ThreadActivity& thread) {
    std::uint64_t at = thread.from_ns;
    for (const model::Interval& interval : thread.intervals) {
        EXPECT_EQ(interval.begin_ns, at) << thread.comm;
        at = interval.end_ns;
    }
    EXPECT_EQ(at, thread.to_ns) << thread.comm;
}

TEST_F(Activity, IntervalsSumToTheWindowAndAgreeWithTheScheduler) {
    const Victim victim;
    std::map<std::uint32_t, std::uint64_t> before;
    const auto find_threads = capture(victim.pid(), 40ms);
    for (const auto& thread : find_threads.activity.threads)
        before[thread.tid] = on_cpu_ns(victim.pid(), thread.tid);
    const std::uint64_t from = system::boottime_ns();
    const auto raw = capture(victim.pid(), 2s);
    const std::uint64_t length = system::boottime_ns() - from;
    ASSERT_EQ(raw.activity.threads.size(), 4U);
    for (const model::ThreadActivity& thread : raw.activity.threads) {
        expect_whole(thread);
        EXPECT_EQ(thread.from_ns, raw.activity.from_ns);
        EXPECT_EQ(thread.to_ns, raw.activity.to_ns);
        EXPECT_EQ(spent(thread, Doing::kUnknown), 0U) << thread.comm << told(thread);
        const auto ran = on_cpu_ns(victim.pid(), thread.tid) - before[thread.tid];
        const double off = static_cast<double>(length - std::min(length, ran));
        const double told =
            static_cast<double>(thread.to_ns - thread.from_ns - spent(thread, Doing::kRunning));
        EXPECT_NEAR(told, off, 0.05 * static_cast<double>(length)) << thread.comm;
    }
    EXPECT_EQ(raw.activity.lost, 0U);
}

TEST_F(Activity, WakersAreNamedAndInterruptsAreNobody) {
    const Victim victim;
    const auto raw = capture(victim.pid(), 1s);
    const auto wakers = [&](const char* comm) {
        std::map<std::string, int> found;
        const model::ThreadActivity* thread = find(raw, comm);
        for (const auto& interval : thread ? thread->intervals : std::vector<model::Interval>{})
            if (interval.doing == Doing::kBlocked && interval.end_ns < thread->to_ns)
                ++found[interval.waker == kNowhere ? "" : raw.activity.wakers[interval.waker].comm_text()];
        return found;
    };
    const auto of_reader = wakers("reader");
    ASSERT_EQ(of_reader.size(), 1U) << "only the writer wakes it";
    EXPECT_EQ(of_reader.begin()->first, "writer");
    EXPECT_GT(of_reader.begin()->second, 20);
    const auto of_writer = wakers("writer");
    ASSERT_EQ(of_writer.size(), 1U) << "a timer wakes it, and no thread";
    EXPECT_EQ(of_writer.begin()->first, "");
}

TEST_F(Activity, SleepsHaveTheirCallFileAndStack) {
    const Victim victim;
    const auto raw = capture(victim.pid(), 1s);
    const model::ThreadActivity* reader = find(raw, "reader");
    ASSERT_TRUE(reader);
    int sleeps = 0;
    for (const model::Interval& interval : reader->intervals) {
        if (interval.doing != Doing::kBlocked || interval.begin_ns == reader->from_ns) continue;
        const model::Sleep& sleep = raw.activity.sleeps.at(interval.sleep);
        ASSERT_TRUE(sleep.file);
        EXPECT_EQ(sleep.file->kind, model::FileKind::kPipe);
        EXPECT_TRUE(sleep.file->name.starts_with("pipe:[")) << sleep.file->name;
        const model::RawStack& stack = raw.stacks.at(sleep.stack);
        EXPECT_EQ(stack.pid, victim.pid());
        EXPECT_EQ(stack.tid, reader->tid);
        EXPECT_FALSE(stack.kernel_addresses.empty());
        ASSERT_TRUE(stack.registers);
        EXPECT_GT(stack.bytes.size(), 64U);
        ++sleeps;
    }
    EXPECT_GT(sleeps, 20);
}

TEST_F(Activity, TheSpinnerIsSampledAsLongAsItRuns) {
    const Victim victim;
    const auto raw = capture(victim.pid(), 2s);
    const model::ThreadActivity* spinner = find(raw, "spinner");
    ASSERT_TRUE(spinner);
    const auto sampled = static_cast<double>(spinner->samples.size() * raw.activity.sample_period_ns);
    const auto ran = static_cast<double>(spent(*spinner, Doing::kRunning));
    // Clock and scheduler tick in step: on a busy machine some of the other threads' time is counted, or not.
    EXPECT_GT(sampled, 0.6 * ran);
    EXPECT_LT(sampled, 1.6 * ran);
    for (const model::CpuSample& sample : spinner->samples) {
        const model::RawStack& stack = raw.stacks.at(sample.stack);
        ASSERT_TRUE(stack.registers);
        EXPECT_FALSE(stack.bytes.empty());
    }
}

TEST_F(Activity, WhoSleepsAllTheWhileHasAStackAndDoesNotNotice) {
    const Victim victim;
    const auto raw = capture(victim.pid(), 400ms);
    const auto main_thread =
        std::ranges::find(raw.activity.threads, victim.pid(), &model::ThreadActivity::tid);
    ASSERT_NE(main_thread, raw.activity.threads.end());
    ASSERT_EQ(main_thread->intervals.size(), 1U);
    EXPECT_EQ(main_thread->intervals[0].doing, Doing::kBlocked);
    const model::RawStack& stack = raw.stacks.at(main_thread->resting_stack);
    EXPECT_FALSE(stack.moved);
    ASSERT_TRUE(stack.registers);
    EXPECT_GT(stack.bytes.size(), 64U);
    const std::uint32_t pids[] = {victim.pid()};
    const auto stacks = kernel::sleeping_stacks(*probes_, pids);
    ASSERT_TRUE(stacks);
    EXPECT_TRUE(std::ranges::any_of(*stacks, [&](const model::RawStack& one) {
        return one.tid == victim.pid() && one.registers == stack.registers && one.bytes == stack.bytes;
    }));
}

TEST_F(Activity, ClassicHooksTellTheSameOnceAThreadHasLeftItsCpu) {
    kernel::ProbeSettings settings;
    settings.trace = settings.captures = true;
    settings.filter.ipv4 = settings.filter.ipv6 = 1;
    settings.disabled_hooks = {"tp_btf/sched_switch+stack", "tp_btf/sched_waking"};
    auto probes = kernel::Probes::attach(settings);
    ASSERT_TRUE(probes) << probes.error().what;
    if (!probes->program_for("intervals", 0)) GTEST_SKIP() << "this kernel lists no classic tracepoints";
    probes_.emplace(std::move(*probes));
    const Victim victim;
    const auto raw = capture(victim.pid(), 1s);
    const model::ThreadActivity* reader = find(raw, "reader");
    ASSERT_TRUE(reader);
    expect_whole(*reader);
    EXPECT_LT(spent(*reader, Doing::kUnknown), 500'000'000U);
    EXPECT_GT(spent(*reader, Doing::kBlocked), 400'000'000U);
}

TEST_F(Activity, AProcessMetLaterIsFollowedFromThenOn) {
    const Victim early;
    const Victim late;
    kernel::ActivitySettings settings;
    settings.processes = {early.pid()};
    settings.max_overhead = 1;
    auto tracer = kernel::ActivityTracer::start(*probes_, settings);
    ASSERT_TRUE(tracer) << tracer.error().what;
    std::this_thread::sleep_for(200ms);
    tracer->drain();
    const std::uint64_t before = system::boottime_ns();
    ASSERT_TRUE(tracer->follow({early.pid(), late.pid()}));
    const std::uint64_t after = system::boottime_ns();
    ASSERT_TRUE(tracer->follow({early.pid(), late.pid()}));
    std::this_thread::sleep_for(300ms);
    tracer->drain();
    const auto raw = tracer->finish(system::boottime_ns());
    ASSERT_EQ(raw.activity.threads.size(), 8U);
    for (const model::ThreadActivity& thread : raw.activity.threads) {
        expect_whole(thread);
        EXPECT_EQ(thread.to_ns, raw.activity.to_ns);
        EXPECT_EQ(spent(thread, Doing::kUnknown), 0U) << thread.comm;
        if (thread.pid == early.pid()) {
            EXPECT_EQ(thread.from_ns, raw.activity.from_ns) << thread.comm;
            continue;
        }
        EXPECT_GE(thread.from_ns, before) << thread.comm;
        EXPECT_LE(thread.from_ns, after) << thread.comm;
        EXPECT_TRUE(thread.comm != "reader" || thread.intervals.size() > 20);
        if (thread.tid != late.pid()) continue;
        ASSERT_NE(thread.resting_stack, kNowhere);
        EXPECT_GT(raw.stacks.at(thread.resting_stack).bytes.size(), 64U);
    }
}

/// Forks when it is told to: the child sleeps three times 50 ms, then stays or exits, and its child as well.
class Forker {
public:
    Forker() {
        int asked[2];
        int told[2];
        EXPECT_EQ(::pipe(asked), 0);
        EXPECT_EQ(::pipe(told), 0);
        pid_ = ::fork();
        if (pid_ == 0) live(asked[0], told[1]);
        ask_ = asked[1];
        answer_ = told[0];
        ::close(asked[0]);
        ::close(told[1]);
        EXPECT_EQ(take(), pid());
    }
    Forker(const Forker&) = delete;
    Forker& operator=(const Forker&) = delete;
    ~Forker() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        ::close(ask_);
        ::close(answer_);
    }

    /// 's': the child stays. The pid of the child, once it has slept.
    std::uint32_t fork_one(char how) {
        EXPECT_EQ(::write(ask_, &how, 1), 1);
        return take();
    }
    std::uint32_t take() {
        pid_t pid = 0;
        EXPECT_EQ(::read(answer_, &pid, sizeof(pid)), static_cast<ssize_t>(sizeof(pid)));
        return static_cast<std::uint32_t>(pid);
    }
    std::uint32_t pid() const { return static_cast<std::uint32_t>(pid_); }

private:
    static void tell(int told) {
        const pid_t own = ::getpid();
        if (::write(told, &own, sizeof(own)) != sizeof(own)) ::_exit(1);
    }

    [[noreturn]] static void live(int asked, int told) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::signal(SIGCHLD, SIG_IGN);
        tell(told);
        char how = 0;
        while (::read(asked, &how, 1) == 1) {
            if (::fork() != 0) continue;
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (int i = 0; i < 3; ++i) ::usleep(50'000);
            tell(told);
            if (how != 's') ::_exit(0);
            if (::fork() == 0) {
                ::prctl(PR_SET_PDEATHSIG, SIGKILL);
                ::usleep(50'000);
                tell(told);
            }
            for (;;) ::pause();
        }
        ::_exit(0);
    }

    pid_t pid_ = 0;
    int ask_ = -1;
    int answer_ = -1;
};

TEST_F(Activity, AChildIsFollowedFromItsBirthOn) {
    Forker forker;
    kernel::ActivitySettings settings;
    settings.processes = {forker.pid()};
    settings.max_overhead = 1;
    auto tracer = kernel::ActivityTracer::start(*probes_, settings);
    ASSERT_TRUE(tracer) << tracer.error().what;
    const std::uint64_t before = system::boottime_ns();
    const std::uint32_t gone = forker.fork_one('x');
    const std::uint32_t stays = forker.fork_one('s');
    const std::uint64_t after = system::boottime_ns();
    const std::uint32_t grandchild = forker.take();
    tracer->drain();
    std::set<std::uint32_t> newborn;
    for (const auto& process : tracer->take_newborn()) newborn.insert(process.pid);
    EXPECT_EQ(newborn, (std::set{gone, stays, grandchild}));
    EXPECT_TRUE(tracer->take_newborn().empty());
    ASSERT_TRUE(tracer->follow({forker.pid(), stays}));  // changes nothing
    std::this_thread::sleep_for(50ms);
    const auto raw = tracer->finish(system::boottime_ns());
    ASSERT_EQ(raw.activity.threads.size(), 4U);
    for (const model::ThreadActivity& thread : raw.activity.threads) {
        expect_whole(thread);
        if (thread.pid == forker.pid()) continue;
        EXPECT_EQ(thread.tid, thread.pid);
        EXPECT_EQ(thread.process_start_ns, thread.start_ns);
        EXPECT_EQ(thread.from_ns, thread.start_ns);
        EXPECT_EQ(spent(thread, Doing::kUnknown), 0U) << thread.pid << told(thread);
        EXPECT_EQ(thread.ended, thread.pid == gone);
        if (thread.pid == grandchild) continue;
        EXPECT_GE(thread.from_ns, before);
        EXPECT_LE(thread.from_ns, after - 150'000'000);
        EXPECT_GE(spent(thread, Doing::kBlocked), 150'000'000U);
    }
}

/// The main thread does least of all, and of nobody else there is room.
TEST_F(Activity, AThreadThatIsNamedIsToldOfBeyondTheMostThreads) {
    for (const bool from_the_first : {true, false}) {
        const Victim victim;
        kernel::ActivitySettings settings;
        settings.processes = {victim.pid()};
        settings.max_threads = 0;
        settings.max_overhead = 1;
        if (from_the_first) settings.preferred = {{victim.pid(), victim.pid()}};
        auto tracer = kernel::ActivityTracer::start(*probes_, settings);
        ASSERT_TRUE(tracer) << tracer.error().what;
        std::this_thread::sleep_for(100ms);
        tracer->drain();
        if (!from_the_first) tracer->prefer({{victim.pid(), victim.pid()}});
        const auto raw = tracer->finish(system::boottime_ns());
        ASSERT_EQ(raw.activity.threads.size(), 1U);
        const model::ThreadActivity& thread = raw.activity.threads.front();
        EXPECT_EQ(thread.tid, victim.pid());
        expect_whole(thread);
        ASSERT_NE(thread.resting_stack, kNowhere) << from_the_first;
        EXPECT_GT(raw.stacks.at(thread.resting_stack).bytes.size(), 64U);
        ASSERT_EQ(thread.intervals.size(), 1U);
        ASSERT_NE(thread.intervals[0].sleep, kNowhere);
        EXPECT_EQ(raw.activity.sleeps.at(thread.intervals[0].sleep).stack, thread.resting_stack);
    }
}

TEST_F(Activity, AProcessMetAtTheEndHasItsStacksRead) {
    const Victim early;
    const Victim late;
    kernel::ActivitySettings settings;
    settings.processes = {early.pid()};
    auto tracer = kernel::ActivityTracer::start(*probes_, settings);
    ASSERT_TRUE(tracer) << tracer.error().what;
    tracer->drain();
    ASSERT_TRUE(tracer->follow({late.pid()}));
    const auto raw = tracer->finish(system::boottime_ns());
    const auto asleep = std::ranges::find(raw.activity.threads, late.pid(), &model::ThreadActivity::tid);
    ASSERT_NE(asleep, raw.activity.threads.end());
    expect_whole(*asleep);
    ASSERT_NE(asleep->resting_stack, kNowhere);
    EXPECT_FALSE(raw.stacks.at(asleep->resting_stack).bytes.empty());
}

/// Two threads that wake each other as often as they can, and one that sleeps for ever.
class PingPong {
public:
    PingPong() {
        pid_ = ::fork();
        if (pid_ != 0) return;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        static int there[2];
        static int back[2];
        if (::pipe(there) != 0 || ::pipe(back) != 0) ::_exit(1);
        const auto pass_on = [](int from, int to) {
            char byte = 0;
            while (::read(from, &byte, 1) == 1 && ::write(to, &byte, 1) == 1) {
            }
        };
        std::thread([&] { pass_on(there[0], back[1]); }).detach();
        std::thread([&] { pass_on(back[0], there[1]); }).detach();
        if (::write(there[1], "x", 1) != 1) ::_exit(1);
        for (;;) ::pause();
    }
    PingPong(const PingPong&) = delete;
    PingPong& operator=(const PingPong&) = delete;
    ~PingPong() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    std::uint32_t pid() const { return static_cast<std::uint32_t>(pid_); }

private:
    pid_t pid_ = 0;
};

TEST_F(Activity, LittleOverheadIsAllowedAndWhoSleepsIsKnownAllTheSame) {
    const PingPong busy;
    std::this_thread::sleep_for(100ms);
    const auto follow = [](kernel::ActivityTracer& tracer, int rounds) {
        for (int i = 0; i < rounds; ++i) {
            std::this_thread::sleep_for(20ms);
            tracer.drain();
        }
        return tracer.overhead();
    };
    kernel::ActivitySettings settings;
    settings.processes = {busy.pid()};
    settings.max_overhead = 1;
    auto unbounded = kernel::ActivityTracer::start(*probes_, settings);
    ASSERT_TRUE(unbounded) << unbounded.error().what;
    const double all_of_it = follow(*unbounded, 50);
    unbounded->finish(system::boottime_ns());
    settings.max_overhead = 0.005;
    auto tracer = kernel::ActivityTracer::start(*probes_, settings);
    ASSERT_TRUE(tracer) << tracer.error().what;
    const double overhead = follow(*tracer, 150);
    const auto raw = tracer->finish(system::boottime_ns());
    // What the hooks cost that record nothing cannot be given up. How much it is scripts/bench measures.
    EXPECT_LT(overhead, all_of_it / 2);
    EXPECT_TRUE(std::ranges::any_of(raw.activity.lacks, [](const std::string& lack) {
        return lack.find("it was not recorded what threads did") != std::string::npos;
    }));
    ASSERT_EQ(raw.activity.threads.size(), 3U);
    for (const model::ThreadActivity& thread : raw.activity.threads) {
        expect_whole(thread);
        if (thread.tid != busy.pid()) {
            EXPECT_GT(spent(thread, Doing::kUnknown), 0U);
            continue;
        }
        ASSERT_EQ(thread.intervals.size(), 1U);
        EXPECT_EQ(thread.intervals[0].doing, Doing::kBlocked);
        EXPECT_NE(thread.resting_stack, kNowhere);
    }
}

TEST_F(Activity, AProcessThatIsKilledEnds) {
    Victim victim;
    const auto raw = capture(victim.pid(), 400ms, [&] { victim.kill(); });
    ASSERT_EQ(raw.activity.threads.size(), 4U);
    for (const model::ThreadActivity& thread : raw.activity.threads) {
        expect_whole(thread);
        EXPECT_TRUE(thread.ended) << thread.comm;
        EXPECT_LT(thread.to_ns, raw.activity.to_ns) << thread.comm;
    }
}

TEST_F(Activity, AnOpeningTellsWhereItWas) {
    auto reader = kernel::OpeningReader::open(*probes_);
    ASSERT_TRUE(reader) << reader.error().what;
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), length), 0);
    ASSERT_EQ(::listen(listener, 8), 0);
    ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length), 0);
    const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(::connect(client, reinterpret_cast<sockaddr*>(&address), length), 0);
    const int server = ::accept(listener, nullptr, nullptr);
    std::map<model::Operation, int> found;
    for (const kernel::Opening& opening : reader->take()) {
        if (opening.deed.actor.tid != static_cast<std::uint32_t>(::gettid())) continue;
        ++found[opening.deed.operation];
        ASSERT_TRUE(opening.stack);
        ASSERT_TRUE(opening.stack->registers);
        EXPECT_GT(opening.stack->bytes.size(), 64U);
    }
    EXPECT_EQ(found[model::Operation::kConnect], 1);
    EXPECT_EQ(found[model::Operation::kAccept], probes_->program_for("accept", 0) ? 1 : 0);
    EXPECT_EQ(reader->lost(), 0U);
    for (const int fd : {listener, client, server}) ::close(fd);
}

}  // namespace
}  // namespace waitclose
