// SPDX-License-Identifier: BSD-2-Clause
// The screens of the live view, as people see them: compared with the files of tests/unit/screens. With
// WAITCLOSE_UPDATE_SCREENS=1 the files are written anew, to be read before they are committed.
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "diagnose_builder.h"
#include "live_fixture.h"

namespace waitclose::live {
namespace {

using namespace testing_pictures;
using diagnose::Cause;
using output::Charset;

constexpr Size kWide{60, 200};

void expect_screen(const std::string& name, const std::string& screen) {
    const std::string path = std::string(WAITCLOSE_SCREENS) + "/" + name + ".txt";
    if (std::getenv("WAITCLOSE_UPDATE_SCREENS") != nullptr) std::ofstream(path) << screen;
    std::ifstream file(path);
    const std::string expected{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    EXPECT_EQ(screen, expected) << "see " << path;
}

/// A screen has as many rows as asked for, none wider than asked for.
void expect_fits(const std::string& text, Size size) {
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(text, '\n')), size.rows);
    EXPECT_LE(widest_line(text), size.columns);
    EXPECT_TRUE(is_harmless(text));
}

void set_files(Machine& machine, std::uint64_t used, std::uint64_t limit) {
    for (diagnose::Group& group : machine.groups) {
        group.fds.used = used;
        group.fds.limit = limit;
    }
}

/// The leak of the design, as it is after a minute of tracing.
Machine growing_leak() {
    Machine machine = one_leak();
    machine.groups.front().sockets = 182'331;
    machine.groups.front().culprits = 12;
    machine.groups.front().top_culprits = {{4121, 4188, "http-exec-17", 30'112},
                                           {4121, 4190, "http-exec-19", 29'001},
                                           {4121, 4171, "http-exec-2", 12'822}};
    set_files(machine, 182'943, 1'048'576);
    machine.groups.front().fds.holds_per_s = 20.7;
    machine.groups.front().fds.full_in_ns = 11'500 * kSecond;
    machine.census.states[model::TcpState::kCloseWait] = 182'331;
    model::Window& window = machine.census.window.emplace();
    window.from_ns = kNow - 2 * kSecond;
    window.to_ns = kNow;
    window.cpus = 4;
    window.cpu.some_ns = 60'000'000;
    window.io.some_ns = 820'000'000;
    window.memory.some_ns = 0;
    return machine;
}

void grow(Scene& scene) {
    scene.picture.pulse.entered_per_s = 21;
    scene.picture.pulse.closed_per_s = 0.3;
    for (std::uint64_t i = 0; i < 60; ++i) scene.picture.pulse.trend.counts.push_back(181'091 + i * 21);
    scene.picture.pulse.trend.gain = Gain{1240, 60 * kSecond, true};
    for (GroupRow& row : scene.picture.groups) row.trend = scene.picture.pulse.trend;
}

/// A thread that waits for a lock, which one has that waits for a disk.
Machine blocked_chain(bool circle) {
    Machine machine = one_leak();
    machine.groups.front().cause = circle ? Cause::kDeadlock : Cause::kHandlerBlocked;
    diagnose::Diagnosis& said = machine.diagnosis;
    said.cause = machine.groups.front().cause;
    said.summary = "thread http-exec-17 waits for a lock for 1.7 s, so close() has not come yet";
    said.because = {{4121, 4188, "http-exec-17", "lock", 1'790'000'000, "mutex 0x7f12 held by tid 4190",
                     diagnose::ThreadId{4121, 4190}},
                    {4121, 4190, "auditor", "disk", 900'000'000, "fdatasync(fd 12, /var/log/audit.log)", {}}};
    if (circle) {
        said.because[1].waits_for = "lock";
        said.because[1].detail = "mutex 0x7f13 held by tid 4188";
        said.because[1].on = diagnose::ThreadId{4121, 4188};
    }
    said.contributing = {"disk-pressure"};
    said.evidence = {{"eof_read", false, "copied_seq has not passed the peer's FIN: it is unread (census)"}};
    model::Socket& socket = machine.census.sockets.front();
    socket.oldest_sign_ns = kNow - 8 * kSecond;
    model::Thread waiting = test::asleep(4188, SYS_futex, 0x7f12);
    waiting.comm = "http-exec-17";
    waiting.asleep_since_ns = kNow - 1'790'000'000;
    waiting.lock_owner_tid = 4190;
    model::Thread writing = test::asleep(4190, SYS_fdatasync, 12);
    writing.comm = "auditor";
    writing.state = model::RunState::kDiskSleep;
    writing.kernel_stack = std::make_shared<const std::vector<std::string>>(
        std::vector<std::string>{"io_schedule", "folio_wait_bit_common", "ext4_sync_file", "do_fsync"});
    model::Thread idle = test::asleep(4121, SYS_epoll_wait, 5);
    idle.comm = "java";
    machine.census.threads = {idle, waiting, writing};
    machine.census.processes.front().thread_count = 3;
    machine.groups.front().top_culprits = {{4121, 4188, "http-exec-17", 1}};
    model::Window& window = machine.census.window.emplace();
    window.from_ns = kNow - 2 * kSecond;
    window.to_ns = kNow;
    model::ThreadTime time;
    time.pid = 4121;
    time.tid = 4188;
    time.start_ns = waiting.start_ns;
    time.from_ns = window.from_ns;
    time.to_ns = kNow;
    time.on_cpu_ns = 120'000'000;
    time.waiting_ns = 80'000'000;
    time.slept = {{true, SYS_futex, {}, false, 1'790'000'000}};
    time.unaccounted_ns = 10'000'000;
    window.threads = {time};
    return machine;
}

Machine three_owners() {
    Machine machine = one_leak();
    for (std::uint32_t i = 0; i < 2; ++i) {
        const auto process = machine.add_process(4122 + i, "worker");
        machine.add_socket(process, 9, kSecond);
        machine.add_group(process, Cause::kAbandoned, 5);
    }
    return machine;
}

Machine twelve_groups() {
    Machine machine = one_leak();
    machine.groups.clear();
    for (std::uint32_t i = 0; i < 12; ++i) {
        const auto process =
            machine.add_process(4'000'000 + i, std::string(i + 4, static_cast<char>('a' + i)));
        machine.add_socket(process, 9, (i + 1) * 4000 * kSecond).precision = model::Precision::kAtLeast;
        auto& group = machine.add_group(process, static_cast<Cause>(i), 120'000 / (i + 1));
        if (i % 3 != 0) continue;
        group.remote = "[2001:db8:1111:2222:3333:4444:5555:6666]:6379";
        group.local_port.reset();
    }
    set_files(machine, 1017, 1024);
    return machine;
}

TEST(LiveScreens, EmptyMachine) {
    Scene scene{Machine{}};
    expect_screen("empty", scene.text());
    scene.picture.census = nullptr;
    expect_fits(scene.text(), {});
}

TEST(LiveScreens, OneLeak) {
    Scene scene{growing_leak()};
    grow(scene);
    expect_screen("leak", scene.text());
    expect_screen("leak-roles", roles_of(scene.screen()));
    expect_screen("leak-ascii", scene.text({}, Charset::kAscii));
    expect_screen("leak-wide", scene.text(kWide));
}

TEST(LiveScreens, OneHold) {
    Scene scene{blocked_chain(false)};
    scene.press("\n");
    expect_screen("hold", scene.text());
    expect_screen("hold-roles", roles_of(scene.screen()));
    expect_screen("hold-ascii", scene.text({}, Charset::kAscii));
    scene.press("t");
    expect_screen("threads", scene.text());
}

TEST(LiveScreens, WhatIsKeptIsTheWholePage) {
    Scene scene{blocked_chain(false)};
    scene.press("\n");
    const Size small{12, 60};
    scene.press("G");
    const std::string shown = scene.text(small);
    const std::string kept = whole_text(scene.picture, scene.state, small, Charset::kUtf8);
    for (const char* part : {" culprit ", " measured ", " what to do", " also "}) {
        EXPECT_NE(kept.find(part), std::string::npos) << part << kept;
    }
    EXPECT_EQ(shown.find(" culprit "), std::string::npos);
    EXPECT_EQ(kept.find("\n\n\n"), std::string::npos);
}

TEST(LiveScreens, Deadlock) {
    Scene scene{blocked_chain(true)};
    expect_screen("deadlock", scene.text());
}

TEST(LiveScreens, TwelveGroups) {
    Scene scene{twelve_groups()};
    scene.press("jj");
    expect_screen("twelve", scene.text());
    expect_screen("twelve-wide", scene.text(kWide));
    scene.press("G");
    const std::string end = scene.text();
    EXPECT_NE(end.find("▶"), std::string::npos) << end;
    expect_fits(end, {});
}

TEST(LiveScreens, LossesAndMissingHooks) {
    Scene scene{growing_leak()};
    scene.picture.losses = {12'345, 6, 3};
    scene.picture.probes.missing = {"read", "close"};
    scene.machine.census.nested = true;
    expect_screen("losses", scene.text());
}

TEST(LiveScreens, PausedAndRecording) {
    Scene scene{growing_leak()};
    scene.picture.recording = Recording{"/tmp/waitclose-20261120-200000.db", 1'300'000};
    scene.press(" ");
    expect_screen("recording", scene.text());
    scene.picture.recording->bytes = 1 << 19;
    const std::string text = scene.text({}, Charset::kAscii);
    EXPECT_NE(text.find("* REC 512 KiB"), std::string::npos) << text;
}

// What is merely possible accuses nobody.
TEST(LiveScreens, APossibleCauseIsNoAlarm) {
    Machine machine = growing_leak();
    machine.groups.front().confidence = diagnose::Confidence::kPossible;
    machine.diagnosis.confidence = diagnose::Confidence::kPossible;
    Scene scene{std::move(machine)};
    const std::string roles = roles_of(scene.screen());
    expect_screen("possible-roles", roles);
    EXPECT_NE(scene.text().find(" perhaps    the oldest: "), std::string::npos) << scene.text();
    EXPECT_EQ(scene.text().find(" why "), std::string::npos) << scene.text();
    scene.press("t");
    EXPECT_EQ(scene.text().find("culprit"), std::string::npos) << scene.text();
}

// Nor does what is unknown, whoever holds it.
TEST(LiveScreens, WhatIsUnknownAccusesNobody) {
    for (const Cause cause : {Cause::kUnknown, Cause::kHalfOpen}) {
        Machine machine = blocked_chain(false);
        machine.groups.front().cause = machine.diagnosis.cause = cause;
        Scene scene{std::move(machine)};
        if (cause == Cause::kUnknown) {
            EXPECT_NE(scene.text().find("unknown yet -      port 8080"), std::string::npos) << scene.text();
            EXPECT_NE(scene.text().find(" unknown yet: it is too early to say"), std::string::npos);
            scene.machine.census.sockets.front().held_since_ns -= 10 * kSecond;
            EXPECT_NE(scene.text().find("unknown -      port 8080"), std::string::npos) << scene.text();
            EXPECT_NE(scene.text().find(" unknown: no cause could be shown"), std::string::npos);
        }
        const std::string roles = roles_of(scene.screen());
        EXPECT_EQ(roles.substr(roles.find('>')).find('a'), std::string::npos) << roles;
        scene.press("\n");
        EXPECT_NE(scene.text().find(" culprit    nobody is accused\n"), std::string::npos) << scene.text();
        scene.press("t");
        EXPECT_EQ(scene.text().find("culprit"), std::string::npos) << scene.text();
    }
}

TEST(LiveScreens, TheHeadlineNamesWhoHasMostOnly) {
    const auto headline = [](std::uint64_t others) {
        Machine machine = one_leak();
        const auto other = machine.add_process(4122, "other");
        machine.add_socket(other, 9, kSecond);
        machine.add_group(other, Cause::kAbandoned, others);
        const std::string text = Scene{std::move(machine)}.text();
        const std::size_t begin = text.find('\n') + 1;
        return text.substr(begin, text.find('\n', begin) - begin);
    };
    EXPECT_EQ(headline(1), " 2 hung-up connections wait for a close() here, in 2 processes");
    EXPECT_EQ(headline(2), " 3 hung-up connections wait for a close() here, 2 of them in other (4122)");
}

// The states are those of the machine, whatever was asked for.
TEST(LiveScreens, WhatWasLeftOutIsSaid) {
    Scene scene{growing_leak()};
    scene.picture.left_out = 1'002;
    EXPECT_NE(scene.text().find(" CLOSE_WAIT 182,331  (1,002 left out)  ESTABLISHED 505"), std::string::npos)
        << scene.text();
}

TEST(LiveScreens, AGroupThatEndedIsStruckOutButForSayingSo) {
    Scene scene{three_owners()};
    scene.picture.groups[1].ended_ns = kNow - 3 * kSecond;
    const Screen screen = scene.screen();
    constexpr std::size_t kSomewhere = 10;
    std::size_t row = 0;
    while (row + 1 < screen.size().rows && !screen.at(row, kSomewhere).struck) ++row;
    std::string readable;
    for (std::size_t column = kSomewhere; column < screen.size().columns; ++column)
        if (!screen.at(row, column).struck) readable += screen.at(row, column).text;
    EXPECT_EQ(readable.substr(0, readable.find("  ")), "ended 3 s ago") << text_of(screen);
}

TEST(LiveScreens, HostileNames) {
    Machine machine = one_leak();
    const std::string evil =
        "\x1b[2J\n\xff\u202e"
        "ab";
    machine.groups.front().owner_comm = evil;
    machine.census.processes.front().comm = evil;
    machine.census.processes.front().exe = "/tmp/" + evil;
    machine.diagnosis.culprit->comm = evil;
    machine.diagnosis.summary = evil + " read end-of-file";
    machine.diagnosis.because = {{4121, 4188, evil, "disk", kSecond, "write(fd 3, " + evil + ")", {}}};
    machine.host.hostname = evil;
    Scene scene{std::move(machine)};
    scene.state.filter = evil;
    scene.state.message = evil;
    expect_screen("hostile", scene.text());
    scene.press("\n");
    for (const char* keys : {"", "t",
                             "\x1b"
                             "c",
                             "\x1b/"}) {
        scene.press(keys);
        expect_fits(scene.text(), {});
        expect_fits(scene.text({}, Charset::kAscii), {});
    }
}

TEST(LiveScreens, JustClosed) {
    Scene scene{one_leak()};
    for (std::uint64_t i = 1; i <= 3; ++i) {
        Ended ended;
        ended.number = i;
        ended.closed.hold.connection = {{1, i},
                                        model::Family::kIpv4,
                                        ipv4(10, 0, 0, 7, 8080),
                                        ipv4(10, 2, 3, 4, static_cast<std::uint16_t>(40'000 + i))};
        ended.closed.hold.since_ns = kNow - i * 20 * kSecond;
        ended.closed.held_ns = 3 * kSecond;
        ended.closed.left.emplace();
        ended.closed.left->closer = test::deed(4121, 4188, 0, model::Operation::kRead).actor;
        ended.cause = Cause::kEofIgnored;
        scene.picture.ended.push_back(ended);
    }
    scene.press("c");
    expect_screen("closed", scene.text());
    scene.picture.ended_in_all = 5'321;
    EXPECT_NE(scene.text().find("the latest 3 of 5,321 holds that ended"), std::string::npos) << scene.text();
    scene.picture.ended_in_all_exact = false;
    EXPECT_NE(scene.text().find("the latest 3 of at least 5,321 holds"), std::string::npos) << scene.text();
}

TEST(LiveScreens, TheHoldLookedAtSaysHowItEndedHoweverManyOthersDid) {
    Scene scene{one_leak()};
    scene.press("\n");
    ASSERT_EQ(scene.state.view(), View::kHold);
    const model::Socket& socket = scene.machine.census.sockets.front();
    HoldEnd end;
    end.connection = {{socket.netns, socket.cookie}, socket.family, socket.local, socket.remote};
    end.held_ns = 3 * kSecond;
    end.left.emplace().closer = test::deed(4121, 4188, 0, model::Operation::kRead).actor;
    scene.picture.gone.emplace(end.connection.key, end);
    EXPECT_NE(scene.text().find("held 3"), std::string::npos) << scene.text();
    EXPECT_NE(scene.text().find("what to do"), std::string::npos) << "and all the rest";
    scene.state = follow(scene.state, scene.picture);
    // The next census.
    scene.picture.gone.clear();
    scene.picture.groups.clear();
    scene.machine.census.sockets.clear();
    scene.state = follow(scene.state, scene.picture);
    const std::string text = scene.text();
    for (const char* words : {"closed by thread", "held 3", "10.2.3.4:51234", "Esc goes back"})
        EXPECT_NE(text.find(words), std::string::npos) << words << "\n" << text;
}

TEST(LiveScreens, Help) {
    Scene scene{one_leak()};
    scene.press("?");
    expect_screen("help", scene.text({50, 100}));
}

TEST(LiveScreens, TwoHundredThousandSockets) {
    Machine machine = one_leak();
    for (std::uint32_t i = 0; i < 200'000; ++i) machine.add_socket(0, static_cast<int>(i), (i + 1) * kSecond);
    diagnose::Group& group = machine.groups.front();
    group.sockets = machine.census.sockets.size();
    for (std::uint32_t i = 200'000; i > 0; --i) group.all.push_back(i);
    group.oldest_socket = group.all.front();
    Scene scene{std::move(machine)};
    expect_screen("many", scene.text());
    scene.press("\nG");
    const auto begun = std::chrono::steady_clock::now();
    expect_screen("many-sockets", scene.text());
    const auto took = std::chrono::steady_clock::now() - begun;
    EXPECT_LT(std::chrono::duration_cast<std::chrono::milliseconds>(took).count(), 500) << "unoptimised";
}

TEST(LiveScreens, EverySizeIsFilledAndNeverLeft) {
    Scene scene{twelve_groups()};
    grow(scene);
    for (const char* keys : {"", "\n", "\x1bt", "\x1b?",
                             "\x1b"
                             "c"}) {
        scene.press(keys);
        for (std::size_t rows = 1; rows < 40; rows += 3)
            for (std::size_t columns = 1; columns < 130; columns += 9) {
                const Size size{rows, columns};
                expect_fits(scene.text(size), size);
                expect_fits(scene.text(size, Charset::kAscii), size);
            }
    }
}

TEST(LiveScreens, GrowthOfLessThanAMinuteSaysOverWhatTime) {
    Scene scene{growing_leak()};
    grow(scene);
    scene.picture.pulse.trend.gain = scene.picture.groups.front().trend.gain = Gain{413, 20 * kSecond, true};
    EXPECT_NE(scene.text().find("▲ +413 in 20 s"), std::string::npos) << scene.text();
    EXPECT_NE(scene.text().find("1.8s +413/20s\n"), std::string::npos) << scene.text();
    EXPECT_NE(scene.text({24, 120}).find("▲ +413 in 20 s  "), std::string::npos) << scene.text({24, 120});
}

TEST(LiveScreens, WhatHasJustEndedDoesNotCount) {
    Scene scene{three_owners()};
    scene.picture.groups[1].ended_ns = kNow;
    scene.picture.pulse.open = 6;
    EXPECT_NE(scene.text().find("6 hung-up connections wait for a close() here, 5 of them in worker (4123)"),
              std::string::npos)
        << scene.text();
    scene.picture.pulse.open = 60;
    EXPECT_NE(scene.text().find("60 hung-up connections wait for a close() here, in 2 processes"),
              std::string::npos)
        << scene.text();
}

// The cursor stays in sight, an error stands above in full, and the line is never wider than the screen.
TEST(LiveScreens, TheFilterBeingTyped) {
    Scene scene{growing_leak()};
    scene.press("/" + std::string(90, 'a') + " pid 4121");
    scene.state.message =
        "'x' is no filter; the words are pid, comm, localport, remoteport, 4, 6, netns, cgroup";
    scene.state.message_is_error = true;
    expect_screen("typing", scene.text());
    for (int i = 0; i < 99; ++i) {
        for (const Size size : {Size{24, 80}, Size{10, 40}, Size{6, 30}}) {
            const std::string text = scene.text(size);
            expect_fits(text, size);
            EXPECT_NE(text.find("▏"), std::string::npos) << text;
            expect_fits(scene.text(size, Charset::kAscii), size);
        }
        scene.state = live::press(scene.state, {Key::Kind::kLeft, {}}, scene.picture);
    }
    EXPECT_EQ(scene.state.typing->cursor, 0U);
    EXPECT_NE(scene.text().find("filter: ▏aaaa"), std::string::npos) << scene.text();
}

}  // namespace
}  // namespace waitclose::live
