// SPDX-License-Identifier: BSD-2-Clause
// What a report says of a capture: the reason in its first lines, and what the threads did.
#include "report/captured.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "capture_fixture.h"
#include "output_fixture.h"
#include "report/json.h"
#include "report/page.h"
#include "report/text.h"
#include "timeline/html_report.h"

namespace waitclose::report {
namespace {

using namespace replay::testing;
using output::testing_machine::written_by;
using replay::Incident;

std::string text_of(const Incident& incident) {
    return written_by([&](output::Sink& sink) { write_text(sink, incident, {}); });
}

nlohmann::json json_of(const Incident& incident) {
    return nlohmann::json::parse(written_by([&](output::Sink& sink) { write_json(sink, incident); }));
}

std::string page_of(const Incident& incident) {
    return written_by(
        [&](output::Sink& sink) { timeline::write_html(incident.timeline, page_words(incident), {}, sink); });
}

/// The first three lines.
std::string head_of(const std::string& text) {
    std::size_t end = 0;
    for (int i = 0; i < 3; ++i) end = text.find('\n', end) + 1;
    return text.substr(0, end);
}

/// On one line, so that it does not matter where it was wrapped.
std::string unwrapped(const std::string& text) {
    std::string made;
    for (const char c : text) {
        const bool is_blank = c == ' ' || c == '\n';
        if (!is_blank || (!made.empty() && made.back() != ' ')) made += is_blank ? ' ' : c;
    }
    return made;
}

bool has(const std::string& text, const std::string& words) {
    return text.find(words) != std::string::npos;
}

TEST(ReportCaptured, TheDisk) {
    const Incident incident = played(disk());
    EXPECT_EQ(complaints(incident), "");
    EXPECT_EQ(
        head_of(text_of(incident)),
        "Who     worker-3 of orders (pid 4121, tid 4123), in write_audit_log, holds 1 socket on port "
        "8080 in CLOSE_WAIT: handler-blocked (likely)\n"
        "Waits   it waits for the disk for 22 s: fdatasync(fd 12, /var/log/audit.log), 100 % of the 5.0 s "
        "captured\n"
        "For     the disk: fdatasync(fd 12, /var/log/audit.log)\n");
}

TEST(ReportCaptured, AProgramWithoutSymbolsIsToldByAddress) {
    replay::testing::Told told = disk();
    told.census.processes[0].exe = "/usr/bin/orders";
    told.activity.stacks[0] = {kernel("io_schedule"), library("fdatasync"), own("", 0x30db), own("", 0x20)};
    const auto lines = reason_lines(played(std::move(told)));
    EXPECT_TRUE(lines.at(0).starts_with("worker-3 of orders (pid 4121, tid 4123), in orders+0x30db, holds"))
        << lines[0];
    told = disk();
    told.activity.stacks[0] = {library("fdatasync"), {"", "/usr/lib/other.so", 0x30, false, false}};
    EXPECT_TRUE(has(reason_lines(played(std::move(told))).at(0), "in a function that is not known"));
}

TEST(ReportCaptured, AnotherService) {
    EXPECT_EQ(
        head_of(text_of(played(downstream()))),
        "Who     worker-3 of orders (pid 4121, tid 4123), in call_backend, holds 1 socket on port 8080 "
        "in CLOSE_WAIT: handler-blocked (likely)\n"
        "Waits   it waits for another service for 22 s: recvfrom(fd 12, 10.0.0.9:5432), 100 % of the 5.0 "
        "s captured\n"
        "For     another service: recvfrom(fd 12, 10.0.0.9:5432)\n");
}

TEST(ReportCaptured, TheCpu) {
    EXPECT_EQ(
        head_of(text_of(played(busy()))),
        "Who     worker-3 of orders (pid 4121, tid 4123), in spin_parse, holds 1 socket on port 8080 in "
        "CLOSE_WAIT: handler-busy (likely)\n"
        "Waits   of the 5.0 s captured it ran for 100 %, waited for a CPU for 0 %, and slept for 0 %; 90 "
        "% of its 500 samples are in spin_parse\n"
        "For     the CPU: it computes, and waits for nobody\n");
}

TEST(ReportCaptured, ADeadlockOfTwoProcesses) {
    const std::string head = head_of(text_of(played(deadlock())));
    EXPECT_EQ(head,
              "Who     deadlock of 2 threads: orders (pid 4121, tid 4121) holds 1 socket on port 8080 in "
              "CLOSE_WAIT: deadlock (likely)\n"
              "Waits   orders (pid 4121, tid 4121), in reserve_stock, waits for another process for 22 s: "
              "read(fd 12, pipe:[77]); at the other end: billing (pid 5200)\n"
              "For     billing (pid 5200, tid 5200), in charge_card, waits for another process for 22 s: "
              "read(fd 12, pipe:[77]); at the other end: orders (pid 4121)\n");
}

/// Besides the one of disk(), sockets of a process that nobody can say anything of.
Incident with_others(std::uint32_t sockets) {
    replay::testing::Told told = disk();
    Builder builder;
    builder.census = std::move(told.census);
    const auto other = builder.process(6000, {asleep(6000, SYS_futex), asleep(6001, SYS_futex)});
    replay::Replay replay({});
    replay.about(about());
    replay.on(entered(100, kFin));
    for (std::uint32_t i = 0; i < sockets; ++i) {
        socket_of(builder, 200 + i, {{other, static_cast<std::int32_t>(20 + i)}});
        replay.on(entered(200 + i, kFin));
    }
    look(replay, std::move(builder.census));
    replay.activity(told.activity);
    return replay.finish();
}

TEST(ReportCaptured, OfSeveralGroupsTheOneWithMostSocketsIsToldAndThatItIsNotAll) {
    const auto few = reason_lines(with_others(1));
    EXPECT_TRUE(few.at(0).starts_with("worker-3 of orders")) << few[0];
    EXPECT_TRUE(few[0].ends_with("handler-blocked (likely) (1 of 2 groups, 1 of 2 sockets)")) << few[0];
    const auto many = reason_lines(with_others(3));
    EXPECT_TRUE(has(many.at(0), "p6000 ")) << many[0];
    EXPECT_TRUE(many[0].ends_with(" (1 of 2 groups, 3 of 4 sockets)")) << many[0];
    EXPECT_LE(many.size(), 3U);
    EXPECT_FALSE(has(reason_lines(with_others(0)).at(0), "groups"));
}

TEST(ReportCaptured, WithoutACaptureItBeginsAsEver) {
    replay::Replay replay({});
    replay.about(about());
    replay.on(entered(100, kFin));
    look(replay, std::move(disk().census));
    const Incident incident = replay.finish();
    EXPECT_TRUE(text_of(incident).starts_with("waitclose report on "));
    EXPECT_FALSE(has(text_of(incident), "What the threads did"));
    EXPECT_TRUE(json_of(incident).at("capture").is_null());
    EXPECT_FALSE(has(page_of(incident), "threads-section"));
}

TEST(ReportCaptured, TheThreadsInTextAndJson) {
    replay::testing::Told told = disk();
    told.activity.lacks = {"No call stacks of the kernel."};
    told.activity.lost = 3;
    const Incident incident = played(std::move(told));
    const std::string text = text_of(incident);
    EXPECT_TRUE(has(text, "What the threads did in the 5.0 s captured\n")) << text;
    EXPECT_TRUE(has(text, "  worker-3 (pid 4121, tid 4123), mostly in write_audit_log; followed for 5.0 s\n"))
        << text;
    EXPECT_TRUE(has(text, "disk 5.0 s (100.0 %) in 1 sleep, the longest 5.0 s:")) << text;
    EXPECT_TRUE(has(unwrapped(text),
                    "fdatasync < write_audit_log < handle < main; in the kernel: "
                    "io_schedule < ext4_sync_file"))
        << text;
    EXPECT_TRUE(has(text, "Lacks   No call stacks of the kernel.")) << text;
    const auto capture = json_of(incident).at("capture");
    EXPECT_EQ(capture.at("lacks"), nlohmann::json::array({"No call stacks of the kernel."}));
    EXPECT_EQ(capture.at("lost"), 3);
    EXPECT_EQ(capture.at("reason").size(), 3U);
    const auto& thread = capture.at("threads").at(0);
    EXPECT_EQ(thread.at("tid"), 4123);
    EXPECT_EQ(thread.at("function"), "write_audit_log");
    EXPECT_EQ(thread.at("blocked_ns"), 5 * kSec);
    EXPECT_EQ(thread.at("off_cpu").at(0).at("waits_for"), "disk");
    EXPECT_EQ(thread.at("off_cpu").at(0).at("frames").at(0), "main");
    const auto because = json_of(incident).at("groups").at(0).at("longest").at("cause").at("because");
    EXPECT_EQ(because.at(0).at("function"), "write_audit_log");
}

TEST(ReportCaptured, HostileNamesAreHarmlessEverywhere) {
    replay::testing::Told told = disk();
    told.census.threads[1].comm = "\x1b]0;x\a<b>";
    told.activity.threads[0].comm = "\x1b]0;x\a<b>";
    told.activity.stacks[0][3].function = "</td><script>alert(1)</script>\x1b[2J";
    const Incident incident = played(std::move(told));
    EXPECT_TRUE(output::testing_machine::is_harmless(text_of(incident)));
    const std::string page = page_of(incident);
    EXPECT_TRUE(has(page, "threads-section"));
    EXPECT_FALSE(has(page, "<script>alert(1)"));
    EXPECT_TRUE(has(page, "&lt;script&gt;alert(1)"));
}

}  // namespace
}  // namespace waitclose::report
