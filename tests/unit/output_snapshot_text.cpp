// SPDX-License-Identifier: BSD-2-Clause
// The screens of `snapshot`, as people see them.
#include "output/snapshot_text.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "output_fixture.h"

namespace waitclose::output {
namespace {

using namespace testing_machine;
using diagnose::Cause;

std::string screen_of(const Machine& machine, const TextStyle& style = {}) {
    return written_by([&](Sink& sink) { write_snapshot_text(sink, machine.view(), style); });
}

std::string table_of(const Machine& machine, const TextStyle& style = {}) {
    return written_by([&](Sink& sink) { write_socket_table(sink, machine.view(), style); });
}

/// Twelve owners with names and causes of every length.
Machine twelve_groups() {
    Machine machine = one_leak();
    machine.groups.clear();
    for (std::uint32_t i = 0; i < 12; ++i) {
        const auto process =
            machine.add_process(4'000'000 + i, std::string(i + 4, static_cast<char>('a' + i)));
        machine.add_socket(process, 9, (i + 1) * 4000 * kSecond).precision = model::Precision::kAtLeast;
        auto& group = machine.add_group(process, static_cast<Cause>(i), 120'000 / (i + 1));
        if (i % 3 == 0) {
            group.remote = "[2001:db8:1111:2222:3333:4444:5555:6666]:6379";
            group.local_port.reset();
        }
    }
    return machine;
}

TEST(OutputSnapshotText, NoHolds) {
    Machine machine;
    machine.census.states = {{model::TcpState::kEstablished, 1505}, {model::TcpState::kTimeWait, 9}};
    EXPECT_EQ(screen_of(machine),
              "waitclose on orders-7, 2026-11-20 20:00:00 +0000, Linux 6.18.44\n"
              "States  CLOSE_WAIT 0 (ours to close)  ESTABLISHED 1,505\n"
              "        TIME_WAIT 9 (normal end)\n"
              "\n"
              "Nothing is in CLOSE_WAIT: no program here forgot a close().\n");
}

TEST(OutputSnapshotText, OneLeak) {
    EXPECT_EQ(screen_of(one_leak()),
              "waitclose on orders-7, 2026-11-20 20:00:00 +0000, Linux 6.18.44\n"
              "States  CLOSE_WAIT 1 (ours to close)  ESTABLISHED 505  TIME_WAIT 9 (normal end)\n"
              "        LISTEN 3\n"
              "Held    1 socket by 1 process, for 1.8 s\n"
              "Files   java (4121) has 612 of 65,536 descriptors open, under 1 %\n"
              "\n"
              "  1  java (4121)  eof-ignored  proven  port 8080  held 1.8 s\n"
              "     thread http-exec-17 read end-of-file 1.8 s ago and never closed fd 57\n"
              "     → Close the connection when read() returns 0. Held until java closes it or\n"
              "       exits.\n");
}

TEST(OutputSnapshotText, AChainIsIndentedAndNamesOtherProcesses) {
    Machine machine = one_leak();
    machine.diagnosis.because = {
        {4121,
         4188,
         "http-exec-17",
         "lock",
         {},
         "mutex 0x7f held by tid 4190",
         diagnose::ThreadId{4121, 4190}},
        {4121, 4190, "auditor", "downstream", kSecond, "read(fd 6)", diagnose::ThreadId{77, 79}},
        {77, 79, "\033[2J", "sleep", {}, "nanosleep", {}}};
    const std::string screen = screen_of(machine);
    EXPECT_NE(screen.find("       held by auditor (4190) waits for another service: read(fd 6) for 1.0 s\n"),
              std::string::npos)
        << screen;
    EXPECT_NE(screen.find("         at the other end: \\e[2J (79) of pid 77 sleeps: nanosleep\n"),
              std::string::npos)
        << screen;
}

TEST(OutputSnapshotText, Huge) {
    Machine machine = one_leak();
    machine.census.states[model::TcpState::kCloseWait] = 200'000;
    machine.census.processes[0].fds_used = 65'536;
    for (int i = 1; i < 200'000; ++i) machine.add_socket(0, 57 + i, 60 * kSecond);
    machine.census.sockets[0].precision = model::Precision::kAtLeast;
    machine.census.sockets[0].held_since_ns = kNow - 8000 * kSecond;
    machine.groups[0].sockets = 182'331;
    machine.groups[0].culprits = 12;
    machine.groups[0].oldest_held_ns = 8000 * kSecond;
    for (std::uint32_t i = 0; i < 500; ++i) {
        const auto process = machine.add_process(5000 + i, "curl");
        auto& group = machine.add_group(process, Cause::kIdleInPool, 35);
        group.remote = "10.0.0.9:6379";
        group.local_port.reset();
    }
    const std::string text = screen_of(machine);
    EXPECT_LE(widest_line(text), 80U);
    EXPECT_NE(text.find("Held    200,000 sockets by 501 processes, the oldest for at least 2 h 13 min\n"),
              text.npos);
    EXPECT_NE(text.find("java (4121) has 65,536 of 65,536 descriptors open, 100 %: accept() and\n"),
              text.npos);
    EXPECT_NE(text.find("\n  182,331  java (4121)  eof-ignored   proven  port 8080        oldest ≥2h13m\n"),
              text.npos)
        << text;
    EXPECT_NE(text.find("\n       35  curl (5000)  idle-in-pool  proven  → 10.0.0.9:6379  oldest 1m\n"),
              text.npos);
    EXPECT_NE(text.find("(12 threads in all)"), text.npos);
    EXPECT_NE(text.find("\n… and 481 more groups with 16,835 sockets (use --json)\n"), text.npos);
    EXPECT_LT(text.size(), 8000U);
}

TEST(OutputSnapshotText, TwelveGroupsFitAndLineUp) {
    const Machine machine = twelve_groups();
    for (const std::size_t width : {40U, 60U, 80U, 120U, 200U}) {
        TextStyle style;
        style.width = width;
        EXPECT_LE(widest_line(screen_of(machine, style)), width);
        EXPECT_LE(widest_line(table_of(machine, style)), width);
    }
    const std::string text = screen_of(machine);
    EXPECT_NE(text.find("\n  120,000  aaaa (4000000) "), text.npos) << text;
    EXPECT_NE(text.find("\n   10,000  "), text.npos);
    EXPECT_NE(text.find("\n           to [2001:db8:1111:2222:3333:4444:5555:6666]:6379, oldest: thread\n"),
              text.npos)
        << "what is too wide for the headline moves down";
}

TEST(OutputSnapshotText, SameAdviceInARowIsGivenOnce) {
    Machine machine = twelve_groups();
    const std::string text = screen_of(machine);
    const std::size_t first = text.find("→ Close the connection");
    ASSERT_NE(first, text.npos);
    EXPECT_EQ(text.find("→ Close the connection", first + 1), text.npos);
    EXPECT_NE(text.find("→ as above\n"), text.npos);

    const SnapshotView plain = machine.view();
    const SnapshotView view{plain.census,
                            plain.selected,
                            plain.groups,
                            plain.host,
                            plain.probes,
                            plain.losses,
                            [](const model::Socket& socket) {
                                diagnose::Diagnosis diagnosis;
                                diagnosis.advice = fmt::format("Do {}. Held for ever.", socket.cookie);
                                return diagnosis;
                            }};
    const std::string mixed = written_by([&](Sink& sink) { write_snapshot_text(sink, view, {}); });
    EXPECT_NE(mixed.find("→ Do 73013. Held for ever.\n"), mixed.npos) << mixed;
    EXPECT_NE(mixed.find("→ Do 73014. Held for ever.\n"), mixed.npos);
    EXPECT_EQ(mixed.find("as above"), mixed.npos) << "the advice right above is another";
}

TEST(OutputSnapshotText, HostileNamesPrintHarmlessly) {
    Machine machine = one_leak();
    const std::string evil = "\x1b[2J<script>\n\xff\u202e\x9b";
    machine.census.processes[0].comm = evil;
    machine.groups[0].owner_comm = evil;
    machine.groups[0].remote = evil;
    machine.host.hostname = evil;
    machine.probes.missing = {evil};
    machine.diagnosis.culprit->comm = evil;
    machine.diagnosis.summary = evil + std::string(10'000, 'x') + "\u0301\u4eac" + evil;
    machine.diagnosis.advice = evil;
    for (const Charset charset : {Charset::kUtf8, Charset::kAscii}) {
        TextStyle style;
        style.charset = charset;
        for (const std::string& text : {screen_of(machine, style), table_of(machine, style)}) {
            EXPECT_TRUE(is_harmless(text));
            EXPECT_LE(widest_line(text), 80U);
            EXPECT_LT(text.size(), 3000U);
            EXPECT_NE(text.find("\\e[2J"), text.npos);
            EXPECT_EQ(text.find("\u202e"), text.npos);
        }
    }
}

TEST(OutputSnapshotText, BlindSpotsAreShownOnlyWhenThereAreAny) {
    Machine machine = one_leak();
    EXPECT_EQ(screen_of(machine).find("Lost"), std::string::npos);
    EXPECT_EQ(screen_of(machine).find("Unseen"), std::string::npos);
    machine.losses = {1, 2000, 5};
    machine.probes.missing = {"close", "accept"};
    machine.census.unreachable = 7;
    const std::string text = screen_of(machine);
    EXPECT_NE(text.find("Lost    1 event, 2,000 notes of who did what; 5 holds put right by a census\n"),
              text.npos)
        << text;
    EXPECT_NE(text.find("Unseen  close, accept (no hook here serves it: see waitclose doctor)\n"), text.npos);
    EXPECT_NE(text.find("Unseen  7 more held sockets are in network namespaces that could not be entered\n"),
              text.npos);
    EXPECT_LE(widest_line(text), 80U);
}

TEST(OutputSnapshotText, DescriptorsOnlyOfProcessesThatWereAskedFor) {
    Machine machine = one_leak();
    const auto full = machine.add_process(999, "elsewhere");
    machine.census.processes[full].fds_used = machine.census.processes[full].fd_limit = 64;
    EXPECT_EQ(screen_of(machine).find("elsewhere"), std::string::npos) << "a thread of java waits for it";

    model::Socket& listener = machine.census.listeners.emplace_back();
    listener.local.port = 9090;
    listener.backlog = listener.backlog_limit = 4;
    listener.first_holder = static_cast<std::uint32_t>(machine.census.holders.size());
    listener.holder_count = 1;
    machine.census.holders.push_back({full, 3, false});
    EXPECT_NE(screen_of(machine).find("Files   elsewhere (999) has 64 of 64"), std::string::npos);
    EXPECT_NE(screen_of(machine).find("Queue   port 9090 of elsewhere"), std::string::npos);

    SnapshotView view = machine.view();
    view.selection.pids = {4121};
    const std::string text = written_by([&](Sink& sink) { write_snapshot_text(sink, view, {}); });
    EXPECT_EQ(text.find("elsewhere"), std::string::npos) << text;
    EXPECT_NE(text.find("Files   java (4121) has 612 of 65,536"), std::string::npos) << text;
}

TEST(OutputSnapshotText, EmptySelectionSaysWhy) {
    Machine machine = one_leak();
    machine.selected.clear();
    machine.groups.clear();
    EXPECT_NE(screen_of(machine).find("None that you asked for is in CLOSE_WAIT.\n"), std::string::npos);
    machine.census.sockets.clear();
    machine.census.unreachable = 1;
    EXPECT_NE(screen_of(machine).find("Nothing within reach is in CLOSE_WAIT"), std::string::npos);
}

TEST(OutputSnapshotText, ColourIsOnlyAddedAndAsciiIsAscii) {
    const Machine machine = one_leak();
    TextStyle colour;
    colour.color = Color::kOn;
    std::string text = screen_of(machine, colour);
    EXPECT_NE(text.find("\x1b[1;31meof-ignored\x1b[0m"), text.npos);
    for (const char* code : {"\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[1;31m", "\x1b[33m"}) {
        for (auto at = text.find(code); at != text.npos; at = text.find(code))
            text.erase(at, std::string(code).size());
    }
    EXPECT_EQ(text, screen_of(machine));

    TextStyle ascii;
    ascii.charset = Charset::kAscii;
    text = screen_of(twelve_groups(), ascii) + table_of(twelve_groups(), ascii);
    EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x80; }));
    EXPECT_NE(text.find("-> Close"), text.npos);
}

std::string second_row(const std::string& text) {
    std::string_view rest = std::string_view(text).substr(text.find("\n\n") + 2);
    for (int line = 0; line < 2; ++line) rest.remove_prefix(rest.find('\n') + 1);
    return std::string(rest.substr(0, rest.find('\n')));
}

TEST(OutputSocketTable, OldestFirstInColumns) {
    Machine machine = one_leak();
    model::Socket& older = machine.add_socket(0, 58, 8000 * kSecond);
    older.precision = model::Precision::kAtLeast;
    older.unread_bytes = 1234;
    machine.census.sockets[0].holder_count = 2;
    model::Socket& queued = machine.add_socket(0, 1, 3 * kSecond);
    queued.holder_count = 0;
    queued.listener = 0;
    machine.census.listeners.resize(1);
    TextStyle style;
    style.width = 120;
    const std::string text = table_of(machine, style);
    // clang-format off
    EXPECT_EQ(
        text.substr(text.find("\n\n") + 2),
        "  HELD  LOCAL          REMOTE          PID:FD NAME     TID NAME           CAUSE        CONFID.   UNREAD\n"
        "≥2h13m  10.0.0.7:8080  10.2.3.4:51234  4121:58 java    4188 http-exec-17  eof-ignored  proven     1,234\n"
        "  3.0s  10.0.0.7:8080  10.2.3.4:51234  accept queue    4188 http-exec-17  eof-ignored  proven         0\n"
        "  1.8s  10.0.0.7:8080  10.2.3.4:51234  4121:57+1 java  4188 http-exec-17  eof-ignored  proven         0\n");
    // clang-format on
    style.width = 90;
    EXPECT_EQ(second_row(table_of(machine, style)),
              "  3.0s 10.0.0.7:8080 10.2.3.4:51234 accept queue 4188 http-ex… eof-ignored proven        0");
    EXPECT_EQ(second_row(table_of(machine)),
              "  3.0s 10.0.0.7:8080 10.2.3.4:51234 accept queue 4188 http… eof-ignored proven");
    style.width = 70;
    EXPECT_EQ(second_row(table_of(machine, style)),
              "  3.0s 10.0.0.7:8080 10.2.3.4:51234 accept queue  eof-ignored proven");
    style.width = 62;
    EXPECT_EQ(second_row(table_of(machine, style)),
              "  3.0s 10.0.0.7:8080 10.2.3.4:51234 accept queue   eof-ignored");
    style.width = 50;
    EXPECT_EQ(second_row(table_of(machine, style)), "  3.0s ….7:8080 ….4:51234 accept queue eof-ignored");
    EXPECT_LE(widest_line(table_of(machine)), 80U);
}

TEST(OutputSocketTable, RowsAfterTheFirstThousandAreStillCut) {
    Machine machine = one_leak();
    for (int i = 0; i < 3000; ++i) machine.add_socket(0, i, kSecond);
    machine.census.processes[0].comm = "java";
    machine.census.sockets.back().local.port = 65'535;
    machine.census.sockets.back().unread_bytes = 4'000'000'000;
    const std::string text = table_of(machine);
    EXPECT_LE(widest_line(text), 80U);
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 7 + 3001);
}

TEST(OutputSocketTable, WholeRowsForPipes) {
    Machine machine = one_leak();
    machine.census.sockets[0].family = model::Family::kIpv6;
    machine.census.sockets[0].remote.address.fill(0x11);
    TextStyle style;
    style.cut_tables = false;
    EXPECT_NE(table_of(machine, style).find("[1111:1111:1111:1111:1111:1111:1111:1111]:51234"),
              std::string::npos);
    style.cut_tables = true;
    const std::string text = table_of(machine, style);
    EXPECT_NE(text.find(":51234 "), text.npos) << "the port survives the cut";
    EXPECT_LE(widest_line(text), 80U);
}

}  // namespace
}  // namespace waitclose::output
