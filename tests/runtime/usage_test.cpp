// SPDX-License-Identifier: BSD-2-Clause
// Bad input, bad places for output, exit codes: one sentence, the right code, nothing left behind.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "programs.h"

namespace runtime {

namespace {

namespace fs = std::filesystem;

Finished waitclose(const Arguments& arguments) {
    Arguments argv{waitclose_binary()};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return run(argv);
}

long lines_of(const std::string& text) {
    return std::count(text.begin(), text.end(), '\n');
}

constexpr auto grown = 300ms;  // older than what --min-held leaves out by itself

struct Wrong {
    std::string name;
    Arguments arguments;
    std::string mentioned;  // what the sentence must repeat, so that one sees what was wrong

    friend void PrintTo(const Wrong& tested, std::ostream* stream) {
        for (const std::string& word : tested.arguments) *stream << word << ' ';
    }
};

class WrongUsage : public testing::TestWithParam<Wrong> {};

// A file system of one page, in a mount namespace of its own, so that nothing stays mounted. Prints what is
// left on it.
constexpr int no_mount_here = 99;
const char* const on_full_disk = R"(
    mount -t tmpfs -o size=4k full "$1" && cd "$1" || exit 99
    "$2" snapshot --json --min-held 0ms -p "$3" -o out.json
    code=$?
    ls -A
    exit $code
)";

}  // namespace

TEST_P(WrongUsage, IsSaidInOneSentence) {
    Finished finished = waitclose(GetParam().arguments);
    EXPECT_EQ(finished.code, 2) << finished.err;
    EXPECT_EQ(finished.out, "");
    EXPECT_NE(finished.err.find(GetParam().mentioned), std::string::npos) << finished.err;
    EXPECT_LE(lines_of(finished.err), 2) << finished.err;
}

INSTANTIATE_TEST_SUITE_P(
    Arguments, WrongUsage,
    testing::Values(
        Wrong{"UnknownFlag", {"snapshot", "--no-such-flag"}, "--no-such-flag"},
        Wrong{"UnknownCommand", {"no-such-command"}, "no-such-command"},
        Wrong{"DurationWord", {"watch", "--min-held", "soon"}, "soon"},
        Wrong{"DurationUnit", {"snapshot", "--min-held", "10parsecs"}, "10parsecs"},
        Wrong{"DurationNegative", {"snapshot", "--min-held=-5s"}, "-5s"},
        Wrong{"DurationHuge", {"snapshot", "--min-held", "99999999999999999999s"}, "99999999999999999999s"},
        Wrong{"DurationOfFail", {"snapshot", "--fail-if-held", "x"}, "x"},
        Wrong{"PortWord", {"snapshot", "-L", "http!"}, "http!"},
        Wrong{"PortTooHigh", {"snapshot", "-D", "65536"}, "65536"},
        Wrong{"PortListHole", {"snapshot", "--localport", "80,,443"}, "80,,443"},
        Wrong{"PidWord", {"snapshot", "-p", "init"}, "init"},
        Wrong{"NetnsNothing", {"snapshot", "--netns", "/no/such/netns"}, "/no/such/netns"},
        Wrong{"NetnsNotOne", {"snapshot", "--netns", "/etc/hostname"}, "/etc/hostname"},
        Wrong{"CommRegex", {"snapshot", "--comm", "(unclosed"}, "(unclosed"},
        Wrong{"ColorWord", {"snapshot", "--color", "sometimes"}, "sometimes"},
        Wrong{"HookUnknown", {"snapshot", "--no-hook", "no-such-hook"}, "no-such-hook"}),
    [](const auto& tested) { return tested.param.name; });

// What an option names and what is not there must not give an empty answer that reads like an all-clear.
class NamesNothing : public testing::TestWithParam<Wrong> {};

TEST_P(NamesNothing, CannotBeDone) {
    for (const char* command : {"snapshot", "watch"}) {
        Arguments arguments{command};
        arguments.insert(arguments.end(), GetParam().arguments.begin(), GetParam().arguments.end());
        const Finished finished = waitclose(arguments);
        if (finished.err.find("cannot be seen") != std::string::npos)
            GTEST_SKIP() << "SKIPPED: no cgroups are mounted here";
        EXPECT_EQ(finished.code, 1) << command;
        EXPECT_EQ(finished.out, "") << command;
        EXPECT_NE(finished.err.find(GetParam().mentioned), std::string::npos) << finished.err;
        EXPECT_EQ(lines_of(finished.err), 2) << finished.err;
    }
}

INSTANTIATE_TEST_SUITE_P(Arguments, NamesNothing,
                         testing::Values(Wrong{"Pid", {"-p", "2147483647"}, "2147483647"},
                                         Wrong{"Cgroup", {"--cgroup", "/no/such.slice"}, "/no/such.slice"},
                                         Wrong{"Netns", {"--netns", "5"}, "5"}),
                         [](const auto& tested) { return tested.param.name; });

TEST(Usage, AThreadIsNoProcess) {
    std::promise<pid_t> told;
    std::promise<void> over;
    std::thread other([&] {
        told.set_value(gettid());
        over.get_future().wait();
    });
    const Finished finished = waitclose({"snapshot", "-p", std::to_string(told.get_future().get())});
    over.set_value();
    other.join();
    EXPECT_EQ(finished.code, 1);
    EXPECT_NE(finished.err.find("-p " + std::to_string(getpid()) + "\n"), std::string::npos) << finished.err;
}

TEST(Usage, WhatIsOnlyPartlyThereIsSaid) {
    auto culprit = Culprit::in_position({"read_eof"});
    culprit->wait_until_held_for(grown);
    const std::string pid = culprit->truth().at("pid").dump();
    const Snapshot one = snapshot({"-p", pid + ",2147483647"});
    EXPECT_EQ(one.finished.code, 0);
    EXPECT_NE(one.finished.err.find("2147483647"), std::string::npos) << one.finished.err;
    EXPECT_NE(find_socket(one.document, culprit->truth()), nullptr);

    const Snapshot none = snapshot({"--comm", "^no such name$"});
    EXPECT_EQ(none.finished.code, 0) << "it may come";
    EXPECT_EQ(lines_of(none.finished.err), 1) << none.finished.err;
    EXPECT_EQ(snapshot({"--comm", "."}).finished.err, "");
}

TEST(Usage, HelpAndVersionGoToStdout) {
    for (const char* option : {"--help", "--version"}) {
        Finished finished = waitclose({option});
        EXPECT_EQ(finished.code, 0) << option;
        EXPECT_NE(finished.out, "") << option;
        EXPECT_EQ(finished.err, "") << option;
    }
}

TEST(Usage, DoctorNamesTheHooks) {
    Finished finished = waitclose({"doctor"});
    EXPECT_EQ(finished.code, 0) << finished.err;
    EXPECT_NE(finished.out.find("inet_sock_set_state"), std::string::npos) << finished.out;
}

TEST(Usage, FailIfHeld) {
    auto culprit = Culprit::in_position({"never_read"});
    culprit->wait_until_held_for(grown);
    Arguments selection = culprit->selection();
    EXPECT_EQ(waitclose({"snapshot", selection[0], selection[1], "--fail-if-held", "1ns"}).code, 3);
    EXPECT_EQ(waitclose({"snapshot", selection[0], selection[1], "--fail-if-held", "1h"}).code, 0);
}

TEST(Output, DeviceFull) {
    Finished finished = waitclose({"snapshot", "--json", "-o", "/dev/full"});
    EXPECT_EQ(finished.code, 1) << finished.err;
    EXPECT_NE(finished.err.find("/dev/full"), std::string::npos) << finished.err;
    EXPECT_LE(lines_of(finished.err), 2) << finished.err;
    EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST(Output, NoSuchDirectory) {
    Finished finished = waitclose({"snapshot", "--json", "-o", "/no/such/directory/out.json"});
    EXPECT_EQ(finished.code, 1) << finished.err;
    EXPECT_LE(lines_of(finished.err), 2) << finished.err;
    EXPECT_FALSE(fs::exists("/no"));
}

TEST(Output, DiskFullLeavesNothingBehind) {
    Culprit many({culprit_path("hold_many"), "--sockets", "200"});
    std::string pid = many.next_line().at("pids").at(0).dump();
    TemporaryDirectory directory;
    Finished finished = run(
        {"unshare", "--mount", "sh", "-c", on_full_disk, "sh", directory.path(), waitclose_binary(), pid});
    if (finished.code == no_mount_here) GTEST_SKIP() << "SKIPPED: no tmpfs can be mounted: " << finished.err;
    EXPECT_EQ(finished.code, 1) << finished.err;
    EXPECT_EQ(finished.out, "") << "left behind";
    EXPECT_LE(lines_of(finished.err), 2) << finished.err;
}

TEST(Output, OldFileSurvivesAFailure) {
    TemporaryDirectory directory;
    std::string file = directory.path() + "/out.json";
    std::ofstream(file) << "old";
    Finished finished = waitclose({"snapshot", "--json", "-o", file, "--netns", "/no/such/netns"});
    EXPECT_EQ(finished.code, 2);
    std::string content;
    std::ifstream(file) >> content;
    EXPECT_EQ(content, "old");
}

TEST(Output, FileHasWhatStdoutWouldHave) {
    auto culprit = Culprit::in_position({"read_eof"});
    culprit->wait_until_held_for(grown);
    TemporaryDirectory directory;
    std::string file = directory.path() + "/out.json";
    Arguments selection = culprit->selection();
    Finished finished = waitclose({"snapshot", "--json", selection[0], selection[1], "-o", file});
    ASSERT_EQ(finished.code, 0) << finished.err;
    EXPECT_EQ(finished.out, "");
    json document = json::parse(std::ifstream(file), nullptr, false);
    ASSERT_FALSE(document.is_discarded());
    EXPECT_NE(find_socket(document, culprit->truth()), nullptr);
}

TEST(Output, HostileNamePrintsHarmlessly) {
    auto culprit = Culprit::in_position({"read_eof", "--comm", "hostile"});
    culprit->wait_until_held_for(grown);
    Arguments selection = culprit->selection();
    for (const Arguments& form : {Arguments{}, Arguments{"--sockets"}, Arguments{"--json"}}) {
        Arguments arguments{"snapshot", "--color", "never", selection[0], selection[1]};
        arguments.insert(arguments.end(), form.begin(), form.end());
        Finished finished = waitclose(arguments);
        EXPECT_EQ(finished.code, 0) << finished.err;
        EXPECT_EQ(finished.out.find('\033'), std::string::npos) << finished.out;
        EXPECT_NE(finished.out.find("<script>"), std::string::npos) << finished.out;
    }
    Snapshot taken = snapshot(selection);
    const json* socket = find_socket(taken.document, culprit->truth());
    ASSERT_TRUE(socket);
    EXPECT_EQ(socket->at("holders").at(0).at("comm"), "\033[2J<script>")
        << "JSON escapes, so nothing need be changed";
}

}  // namespace runtime
