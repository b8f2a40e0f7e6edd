// SPDX-License-Identifier: BSD-2-Clause
#include "output/window_json.h"

#include <sys/syscall.h>
#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

namespace waitclose::output {
namespace {

using nlohmann::ordered_json;

TEST(WindowJson, IsNullWithoutAWindow) {
    EXPECT_TRUE(window_json(std::nullopt, 0).is_null());
}

TEST(WindowJson, WhatIsNotKnownIsNull) {
    model::Window window;
    window.from_ns = 1'000'000'000;
    window.to_ns = 3'000'000'000;
    const ordered_json written = window_json(window, 0);
    EXPECT_EQ(written.at("length_ns"), 2'000'000'000);
    EXPECT_EQ(written.at("from"), "1970-01-01T00:00:01.000000000Z");
    EXPECT_TRUE(written.at("steal_ns").is_null());
    for (const char* resource : {"cpu", "memory", "io"})
        EXPECT_TRUE(written.at("pressure").at(resource).is_null()) << resource;
    EXPECT_TRUE(written.at("threads").empty());
}

TEST(WindowJson, SharesAddUp) {
    model::Window window;
    window.to_ns = 1000;
    window.io.some_ns = 5;
    model::ThreadTime thread;
    thread.pid = 7;
    thread.tid = 8;
    thread.comm = "worker";
    thread.to_ns = 1000;
    thread.on_cpu_ns = 250;
    thread.waiting_ns = 250;
    thread.slept = {{true, SYS_futex, {}, false, 300},
                    {true, SYS_read, model::FileKind::kPipe, false, 150},
                    {false, {}, {}, false, 40}};
    thread.unaccounted_ns = 10;
    window.threads.push_back(thread);
    const ordered_json written = window_json(window, 0);
    EXPECT_EQ(written.at("threads").at(0), ordered_json::parse(R"({
        "pid": 7, "tid": 8, "comm": "worker", "length_ns": 1000, "ended": false, "on_cpu": 0.25,
        "waiting_for_cpu": 0.25, "asleep": {"lock": 0.3, "pipe": 0.15}, "asleep_unknown": 0.04,
        "unaccounted": 0.01})"));
    EXPECT_EQ(written.at("pressure").at("io").at("some_ns"), 5);
    EXPECT_TRUE(written.at("pressure").at("io").at("full_ns").is_null());
}

}  // namespace
}  // namespace waitclose::output
