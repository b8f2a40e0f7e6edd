// SPDX-License-Identifier: BSD-2-Clause
// A timeline of a million events, such as a minute of a busy server leaves: 900,000 slices of 900 threads, a
// third of them with a stack, and 25,000 holds with their phases, touches and closes. Or one of a million
// holds.
#pragma once

#include <fmt/format.h>

#include <string>

#include "timeline/timeline.h"

namespace waitclose::timeline::testing {

inline constexpr std::uint64_t kMinute = 60'000'000'000;

struct MillionNames {
    explicit MillionNames(Timeline& t)
        : java(t.strings.add("java")),
          close_wait(t.strings.add("CLOSE_WAIT")),
          not_read(t.strings.add("FIN not read")),
          read(t.strings.add("end-of-file read")),
          host(t.strings.add("10.0.0.7")),
          cause(t.strings.add("handler-blocked")),
          likely(t.strings.add("likely")),
          advice(t.strings.add("look at what the thread waits for")),
          fact(t.strings.add("eof_read")) {
        for (const char* name : {"disk", "lock", "downstream", "pipe", "sleep", "event-loop"}) {
            classes[count++] = t.strings.add(name);
        }
        for (std::uint64_t i = 0; i < 500; ++i)
            details[i] = t.strings.add(fmt::format("fdatasync(fd {})", i));
        std::vector<Frame> frames;
        for (std::uint64_t i = 0; i < 200; ++i) {
            frames.push_back(
                {t.strings.add(fmt::format("function_{}", i)), t.strings.add("/usr/lib/libx.so"), i});
        }
        for (std::size_t i = 0; i < 100; ++i) {
            t.stacks.add(std::span(frames).subspan(i, 12));
        }
    }
    StringId java, close_wait, not_read, read, host, cause, likely, advice, fact;
    StringId classes[6];
    StringId details[500];
    std::size_t count = 0;
};

inline Thread many_slices(const MillionNames& names, std::uint32_t tid, std::size_t slices) {
    Thread thread{tid, names.java, 0, kMinute, {}};
    for (std::size_t i = 0; i < slices; ++i) {
        Slice slice{kMinute * i / slices, kMinute * (i + 1) / slices, Activity::kRunning, {}, {}, {}};
        if (i % 3 == 1) slice.activity = Activity::kRunnable;
        if (i % 3 == 2) {
            slice.activity = Activity::kBlocked;
            slice.wait_class = names.classes[(i / 3) % names.count];
            slice.detail = names.details[(i * 7 + tid) % 500];
            slice.stack = StackId(static_cast<std::uint32_t>(1 + (i + tid) % 100));
        }
        thread.slices.push_back(slice);
    }
    return thread;
}

inline Hold numbered_hold(Timeline& t, const MillionNames& names, std::uint64_t number) {
    Hold hold;
    const std::uint64_t since = kMinute / 2 - number % 1000 * 7'000'000;
    const std::uint64_t end = kMinute - number % 977 * 10'000'000;
    hold.id = t.strings.add(fmt::format("4026531840:{}", number));
    hold.netns = 4026531840;
    hold.cookie = number;
    hold.family = t.strings.add("ipv4");
    hold.role = t.strings.add("server");
    hold.local = {names.host, 8080};
    hold.remote = {t.strings.add(fmt::format("10.2.{}.{}", number / 256 % 256, number % 256)), 51234};
    hold.since_ns = since;
    hold.held_ns = end - since;
    hold.precision = t.strings.add("exact");
    hold.open = false;
    hold.owner = 0;
    hold.holders = {{4121, 57, names.java, names.java, names.host, {}, true, 1'000'000}};
    hold.diagnosis = {
        Culprit{4121, 4121, names.java, names.likely},
        names.cause,
        names.likely,
        t.strings.add(fmt::format("thread java read end-of-file and never closed fd {}", number)),
        names.advice,
        {},
        {},
        {{names.fact, Value::of(true), t.strings.add(fmt::format("read {} bytes", number))}}};
    hold.wait_class = names.classes[number % names.count];
    hold.stack = StackId(static_cast<std::uint32_t>(1 + number % 100));
    hold.phases = {{since, end, names.close_wait, true},
                   {since, since + 1000, names.not_read, false},
                   {since + 1000, end, names.read, false}};
    hold.first_touch = Deed{since + 1000, 4121, 4121, names.java, {0, 0}};
    hold.closed = Deed{end, 4121, 4121, names.java, {0, 0}};
    return hold;
}

inline Timeline busy(std::size_t threads, std::size_t slices, std::size_t holds) {
    Timeline t;
    t.window = {0, kMinute, 1'795'204'800'000'000'000};
    const MillionNames names(t);
    Process process;
    process.pid = 4121;
    process.comm = names.java;
    for (std::size_t i = 0; i < threads; ++i) {
        process.threads.push_back(many_slices(names, static_cast<std::uint32_t>(4121 + i), slices));
    }
    t.processes.push_back(std::move(process));
    t.holds.reserve(holds);
    for (std::size_t i = 0; i < holds; ++i) t.holds.push_back(numbered_hold(t, names, i));
    return t;
}

inline Timeline million_events() {
    return busy(900, 1000, 25'000);
}

inline Timeline million_holds() {
    return busy(1, 1, 1'000'000);
}

}  // namespace waitclose::timeline::testing
