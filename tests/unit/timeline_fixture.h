// SPDX-License-Identifier: BSD-2-Clause
// Timelines for tests: one incident that has everything, hostile names, and random ones that keep the rules.
#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include "timeline/format.h"

namespace waitclose::timeline::testing {

inline constexpr std::uint64_t kSecond = 1'000'000'000;
inline constexpr std::uint64_t kFrom = 5000 * kSecond;
inline constexpr std::uint64_t kTo = 5010 * kSecond;
// 2026-11-20T20:00:00Z is the beginning of the window.
inline constexpr std::int64_t kWallOffset = 1'795'204'800'000'000'000 - static_cast<std::int64_t>(kFrom);

inline std::string written(const Timeline& timeline, Write write, const Options& options = {}) {
    const int descriptor = ::memfd_create("timeline", MFD_CLOEXEC);
    output::Sink sink = output::Sink::to_descriptor(descriptor, "memory");
    write(timeline, options, sink);
    if (!sink.finish()) return "the sink failed";
    std::string text(static_cast<std::size_t>(::lseek(descriptor, 0, SEEK_CUR)), '\0');
    const auto got = ::pread(descriptor, text.data(), text.size(), 0);
    ::close(descriptor);
    return got == static_cast<ssize_t>(text.size()) ? text : "could not be read back";
}

inline const std::vector<std::string>& hostile_names() {
    static const std::vector<std::string> names = {
        "<script>alert(1)</script>",
        "</style></script>",
        "\x1b]0;owned\a",
        "\xff\xfe invalid \xc3",
        "a;b\nc\rd\te 7",
        "quote\" back\\slash",
        "\xe2\x80\xae override",
        std::string("nul\0inside", 10),
        "/sys/fs/cgroup/" + std::string(10 * 1024, 'c'),
        "",
        "\xf0\x9f\x94\xa5 fire",
    };
    return names;
}

/// A server whose worker read end-of-file, then waits for a lock whose holder waits for a disk. Window: 10 s.
inline Timeline incident() {
    Timeline t;
    const auto text = [&t](std::string_view name) { return t.strings.add(name); };
    t.window = {kFrom, kTo, kWallOffset};
    t.hostname = text("web-1");
    t.kernel = text("6.18.44");
    t.program = text("waitclose 0.1.0");
    const Frame main{text("main"), text("/usr/bin/orders"), 0x1f0, false};
    const Frame handle{text("handle_request"), text("/usr/bin/orders"), 0x2a0, false};
    const Frame unnamed{StringId::kNone, text("libc.so.6"), 0x9f3, false};
    const Frame futex{text("futex_wait"), StringId::kNone, std::nullopt, true};
    const StackId asleep = t.stacks.add(std::vector{main, handle, unnamed, futex});
    const StackId computing = t.stacks.add(std::vector{main, handle});

    Process process;
    process.pid = 4121;
    process.comm = text("orders");
    process.exe = text("/usr/bin/orders");
    process.cgroup = text("/system.slice/orders.service");
    process.started_ns = 100 * kSecond;
    const StringId lock = text("lock");
    const StringId disk = text("disk");
    const StringId mutex = text("mutex 0x7f held by tid 4190");
    Thread worker{4188, text("worker"), kFrom, kTo, {}};
    worker.slices = {{kFrom, kFrom + 2 * kSecond, Activity::kRunning, {}, {}, computing},
                     {kFrom + 2 * kSecond, kFrom + 2 * kSecond + 7, Activity::kRunnable, {}, {}, {}},
                     {kFrom + 2 * kSecond + 7, kFrom + 9 * kSecond, Activity::kBlocked, lock, mutex, asleep},
                     {kFrom + 9 * kSecond, kTo, Activity::kRunning, {}, {}, computing}};
    Thread auditor{4190, text("auditor"), kFrom + kSecond, kTo, {}};
    auditor.slices = {
        {kFrom + kSecond, kFrom + 3 * kSecond, Activity::kUnknown, {}, {}, {}},
        {kFrom + 3 * kSecond, kTo, Activity::kBlocked, disk, text("fdatasync(fd 12, audit.log)"), {}}};
    process.threads = {worker, auditor};
    t.processes.push_back(process);

    Hold closed;
    closed.id = text("4026531840:73012");
    closed.netns = 4026531840;
    closed.cookie = 73012;
    closed.family = text("ipv4");
    closed.role = text("server");
    closed.local = {text("10.0.0.7"), 8080};
    closed.remote = {text("10.2.3.4"), 51234};
    closed.accepted = true;
    closed.eof_read = true;
    closed.unread_bytes = 0;
    closed.unsent_bytes = 5;
    closed.since_ns = kFrom + kSecond;
    closed.held_ns = 8 * kSecond + 500;
    closed.precision = text("exact");
    closed.open = false;
    closed.owner = 0;
    closed.holders = {{4121, 57, process.comm, process.exe, process.cgroup, {}, true, process.started_ns}};
    closed.diagnosis = {
        Culprit{4121, 4188, text("worker"), text("read-eof")},
        text("handler-blocked"),
        text("likely"),
        text("thread worker waits for a lock"),
        text("look at the lock"),
        {{4121, 4188, text("worker"), lock, mutex, 1'790'000'000, Link::Other{4121, 4190}},
         {4121, 4190, text("auditor"), disk, text("fdatasync(fd 12)"), std::nullopt, std::nullopt}},
        {text("peer-timeout")},
        {{text("eof_read"), Value::of(true), text("its FIN was read")},
         {text("count"), Value::of(std::int64_t{3}), text("three")},
         {text("name"), Value::of(text("n")), {}}}};
    closed.wait_class = lock;
    closed.stack = asleep;
    closed.phases = {{kFrom, kFrom + kSecond, text("ESTABLISHED"), false},
                     {kFrom + kSecond, kFrom + 9 * kSecond + 500, text("CLOSE_WAIT"), true},
                     {kFrom + kSecond, kFrom + 2 * kSecond, text("FIN not read"), false},
                     {kFrom + 2 * kSecond, kFrom + 9 * kSecond + 500, text("end-of-file read"), false},
                     {kFrom + 9 * kSecond + 500, kTo, text("LAST_ACK"), false}};
    closed.first_touch = Deed{kFrom + 2 * kSecond, 4121, 4188, text("worker"), {0, 0}};
    closed.closed = Deed{kFrom + 9 * kSecond + 400, 4121, 4188, text("worker"), {0, 0}};
    t.holds.push_back(closed);

    Hold older;  // held since before the window, by nobody who could be found
    older.id = text("4026531840:own-5");
    older.netns = 4026531840;
    older.family = text("ipv6");
    older.role = text("unknown");
    older.local = {text("2001:db8::1"), 443};
    older.remote = {text("2001:db8::2"), 60000};
    older.since_ns = kFrom - 60 * kSecond;
    older.held_ns = 70 * kSecond;
    older.precision = text("at-least");
    older.phases = {{kFrom - 60 * kSecond, kTo, text("CLOSE_WAIT"), true}};
    t.holds.push_back(older);

    t.counters = {{text("holds open"), {}, kNowhere, {{kFrom, 1}, {kFrom + kSecond, 2}, {kTo, 1}}},
                  {text("disk pressure"), text("%"), kNowhere, {{kFrom, 0.25}, {kTo, 12.5}}},
                  {text("fds used"), {}, 0, {{kFrom + 1, 57}}}};
    t.losses = {{kFrom + 4 * kSecond, text("ring"), 3}};
    return t;
}

/// An incident in which every name is one of the hostile ones.
inline Timeline hostile(const std::string& name) {
    Timeline t = incident();
    const StringId evil = t.strings.add(name);
    t.hostname = t.kernel = evil;
    for (Process& process : t.processes) {
        process.comm = process.exe = process.cgroup = process.container = evil;
        for (Thread& thread : process.threads) {
            thread.comm = evil;
            for (Slice& slice : thread.slices) {
                slice.detail = evil;
                if (slice.activity == Activity::kBlocked) slice.wait_class = evil;
            }
        }
    }
    const StackId stack =
        t.stacks.add(std::vector{Frame{evil, evil, 16, false}, Frame{evil, evil, {}, true}});
    for (Hold& hold : t.holds) {
        hold.diagnosis.summary = hold.diagnosis.cause = hold.wait_class = evil;
        hold.diagnosis.culprit = Culprit{1, 2, evil, evil};
        hold.diagnosis.evidence = {{evil, Value::of(evil), evil}};
        hold.diagnosis.because = {{1, 2, evil, evil, evil, {}, {}}};
        hold.holders = {{1, 2, evil, evil, evil, evil, false, {}}};
        hold.stack = stack;
    }
    for (Counter& counter : t.counters) counter.name = evil;
    for (Loss& loss : t.losses) loss.what = evil;
    return t;
}

class Dice {
public:
    explicit Dice(std::uint32_t seed) : engine_(seed) {}
    std::uint64_t below(std::uint64_t end) {
        return std::uniform_int_distribution<std::uint64_t>(0, end - 1)(engine_);
    }
    bool one_in(std::uint64_t n) { return below(n) == 0; }

private:
    std::mt19937 engine_;
};

/// Any timeline that keeps the rules.
class RandomTimeline {
public:
    explicit RandomTimeline(std::uint32_t seed) : dice_(seed) {}

    Timeline make() {
        const std::uint64_t from = dice_.below(1'000'000 * kSecond);
        t_.window = {from, from + dice_.below(10 * kSecond), {}};
        if (!dice_.one_in(3)) t_.window.wall_offset_ns = kWallOffset;
        for (std::uint64_t i = dice_.below(6); i > 0; --i) random_stack();
        for (std::uint64_t i = dice_.below(4); i > 0; --i) random_process();
        for (std::uint64_t i = dice_.below(8); i > 0; --i) random_hold();
        t_.counters.push_back({name(), name(), dice_.one_in(2) ? kNowhere : random_index(t_.processes), {}});
        for (const std::uint64_t at : moments(t_.window.from_ns, t_.window.to_ns, 5)) {
            t_.counters[0].samples.push_back({at, static_cast<double>(dice_.below(1000)) / 8});
            t_.losses.push_back({at, name(), dice_.below(100)});
        }
        return std::move(t_);
    }

private:
    StringId name() {
        if (dice_.one_in(4)) return StringId::kNone;
        const auto& names = hostile_names();
        if (dice_.one_in(3)) return t_.strings.add(names[dice_.below(names.size())]);
        return t_.strings.add("name-" + std::to_string(dice_.below(20)));
    }
    StringId some_name() { return t_.strings.add("some-" + std::to_string(dice_.below(9))); }

    template <typename Items>
    std::uint32_t random_index(const Items& items) {
        return items.empty() ? kNowhere : static_cast<std::uint32_t>(dice_.below(items.size()));
    }

    /// Sorted and different, the ends included when they differ.
    std::vector<std::uint64_t> moments(std::uint64_t from, std::uint64_t to, std::uint64_t most) {
        std::vector<std::uint64_t> all{from, to};
        for (std::uint64_t i = dice_.below(most + 1); i > 0; --i)
            all.push_back(from + dice_.below(to - from + 1));
        std::sort(all.begin(), all.end());
        all.erase(std::unique(all.begin(), all.end()), all.end());
        return all;
    }

    void random_stack() {
        std::vector<Frame> frames;
        for (std::uint64_t i = dice_.below(5); i > 0; --i) {
            Frame frame{name(), name(), {}, dice_.one_in(3)};
            if (dice_.one_in(2)) frame.offset = dice_.below(5000);
            frames.push_back(frame);
        }
        t_.stacks.add(frames);
    }
    StackId stack() { return static_cast<StackId>(dice_.below(t_.stacks.size() + 1)); }

    void random_process() {
        Process process;
        process.pid = static_cast<std::uint32_t>(1 + dice_.below(1000));
        process.comm = name();
        process.exe = name();
        process.cgroup = name();
        for (std::uint64_t i = dice_.below(4); i > 0; --i) {
            const auto edges = moments(t_.window.from_ns, t_.window.to_ns, 12);
            Thread thread{
                static_cast<std::uint32_t>(process.pid + i), name(), edges.front(), edges.back(), {}};
            for (std::size_t k = 0; k + 1 < edges.size(); ++k) {
                Slice slice{edges[k], edges[k + 1], static_cast<Activity>(dice_.below(4)),
                            {},       name(),       stack()};
                if (slice.activity == Activity::kBlocked) slice.wait_class = some_name();
                thread.slices.push_back(slice);
            }
            process.threads.push_back(thread);
        }
        t_.processes.push_back(process);
    }

    /// A phase, and within it others, down to some depth.
    void random_phases(Hold& hold, std::uint64_t from, std::uint64_t to, int depth, bool is_hold) {
        if (from == to) return;
        hold.phases.push_back({from, to, name(), is_hold});
        if (depth == 0) return;
        const auto edges = moments(from, to, 3);
        for (std::size_t i = 0; i + 1 < edges.size(); ++i) {
            if (!dice_.one_in(3)) random_phases(hold, edges[i], edges[i + 1], depth - 1, false);
        }
    }

    void random_hold() {
        Hold hold;
        hold.id = name();
        hold.role = t_.strings.add(dice_.one_in(2) ? "server" : "client");
        hold.local = {name(), static_cast<std::uint16_t>(dice_.below(65536))};
        hold.remote = {name(), 1};
        hold.owner = dice_.one_in(3) ? kNowhere : random_index(t_.processes);
        hold.diagnosis.cause = name();
        hold.diagnosis.summary = name();
        if (dice_.one_in(2)) hold.diagnosis.culprit = Culprit{1, 2, name(), name()};
        hold.wait_class = name();
        hold.stack = stack();
        const std::uint64_t begin =
            t_.window.to_ns - dice_.below(std::min(t_.window.to_ns, 2000 * kSecond) + 1);
        const std::uint64_t end = begin + dice_.below(t_.window.to_ns - begin + 1);
        if (!dice_.one_in(5)) {
            hold.since_ns = begin;
            hold.held_ns = end - begin;
            random_phases(hold, begin, end, 3, true);
            hold.open = dice_.one_in(2);
            if (dice_.one_in(3)) random_tenures(hold, begin, end);
            const auto deeds = moments(begin, t_.window.to_ns, 1);
            hold.first_touch = Deed{deeds.front(), 1, 2, name(), random_thread()};
            if (!hold.open) hold.closed = Deed{deeds.back(), 1, 2, name(), random_thread()};
        }
        t_.holds.push_back(hold);
    }

    /// Passed on now and then, each time to another one.
    void random_tenures(Hold& hold, std::uint64_t begin, std::uint64_t end) {
        const auto edges = moments(begin, end, 3);
        if (edges.size() < 3 || t_.processes.empty()) return;
        for (std::size_t i = 0; i + 1 < edges.size(); ++i) {
            const std::uint32_t owner = i % 2 == 0 ? random_index(t_.processes) : kNowhere;
            hold.tenures.push_back({edges[i], edges[i + 1], owner, name()});
        }
    }

    ThreadRef random_thread() {
        const std::uint32_t process = random_index(t_.processes);
        if (process == kNowhere) return {};
        const std::uint32_t thread = random_index(t_.processes[process].threads);
        return thread == kNowhere ? ThreadRef{} : ThreadRef{process, thread};
    }

    Dice dice_;
    Timeline t_;
};

inline Timeline random_timeline(std::uint32_t seed) {
    return RandomTimeline(seed).make();
}

/// How many seeds a property is tried with.
inline constexpr std::uint32_t kSeeds = 100;

/// A timeline no recording should give: everything points nowhere, and time runs in all directions.
inline Timeline broken(std::uint32_t seed) {
    Timeline t = random_timeline(seed);
    Dice dice(seed);
    const auto wild = [&dice] { return dice.one_in(2) ? dice.below(UINT64_MAX) : dice.below(100); };
    const auto wild_index = [&dice] { return static_cast<std::uint32_t>(dice.below(1ULL << 32)); };
    t.window = {wild(), wild(), static_cast<std::int64_t>(wild())};
    for (Process& process : t.processes) {
        process.started_ns = wild();
        for (Thread& thread : process.threads) {
            thread.from_ns = wild();
            thread.to_ns = wild();
            for (Slice& slice : thread.slices) {
                slice = {wild(),
                         wild(),
                         static_cast<Activity>(dice.below(256)),
                         StringId{wild_index()},
                         StringId{wild_index()},
                         StackId{wild_index()}};
            }
        }
    }
    for (Hold& hold : t.holds) {
        hold.owner = wild_index();
        hold.since_ns = wild();
        hold.held_ns = wild();
        hold.stack = StackId{wild_index()};
        hold.diagnosis.cause = StringId{wild_index()};
        hold.diagnosis.evidence = {
            {StringId{wild_index()}, {Value::Kind::kText, StringId{wild_index()}, 0}, {}}};
        for (Tenure& tenure : hold.tenures) tenure = {wild(), wild(), wild_index(), StringId{wild_index()}};
        for (Phase& phase : hold.phases) phase = {wild(), wild(), StringId{wild_index()}, dice.one_in(2)};
        hold.first_touch = Deed{wild(), 1, 2, StringId{wild_index()}, {wild_index(), wild_index()}};
        hold.closed = Deed{wild(), 1, 2, StringId{wild_index()}, {0, wild_index()}};
    }
    for (Counter& counter : t.counters) {
        counter.process = wild_index();
        for (Counter::Sample& sample : counter.samples) {
            sample = {wild(), dice.one_in(2) ? std::numeric_limits<double>::quiet_NaN() : 1e300};
        }
    }
    for (Loss& loss : t.losses) loss = {wild(), StringId{wild_index()}, wild()};
    return t;
}

}  // namespace waitclose::timeline::testing
