// SPDX-License-Identifier: BSD-2-Clause
// The numbered field cases that no culprit of their own shows, and the list of which numbers have a test.
#include <regex>
#include <set>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "features.h"
#include "programs.h"

namespace runtime {

namespace {

constexpr int numbered = 18;

std::set<int> numbers_in(const std::string& name) {
    static const std::regex number("Case(\\d\\d)");
    std::set<int> found;
    for (std::sregex_iterator at(name.begin(), name.end(), number), end; at != end; ++at)
        found.insert(std::stoi((*at)[1]));
    return found;
}

Descriptor listening(sockaddr_in& address) {
    Descriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    EXPECT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(listen(fd.get(), 128), 0);
    EXPECT_EQ(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length), 0);
    return fd;
}

// The end that closes first is the one that stays behind in TIME_WAIT.
void leave_in_time_wait(int connections) {
    sockaddr_in address{};
    const Descriptor listener = listening(address);
    for (int i = 0; i < connections; ++i) {
        Descriptor client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        ASSERT_EQ(connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        const Descriptor served(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
        ASSERT_TRUE(served.open());
        client.reset();
        char byte = 0;
        ASSERT_EQ(read(served.get(), &byte, 1), 0);
    }
}

std::string lsof(const json& port) {
    return run({"lsof", "-nP", "-iTCP:" + port.dump(), "-sTCP:CLOSE_WAIT", "-Fpc"}).out;
}

}  // namespace

// Slow answers, and a disk that takes no more: the thread, what it writes to, and where in the kernel it is.
TEST(FieldCases, Case03HandlersThatWriteToAStuckDisk) {
    const Arguments command{"stuck", "--mode", "disk-frozen"};
    if (const auto missing = missing_feature(command)) GTEST_SKIP() << *missing;
    auto culprit = Culprit::before_start(command);
    Watch watch(culprit->selection());
    culprit->reach_position();
    const json event = watch.until(
        [&](const json& one) {
            return is_about(one, culprit->truth()) && !one.at("socket").at("cause").is_null() &&
                   one.at("socket").at("cause").at("id") == "handler-blocked";
        },
        20s);
    watch.stop();
    ASSERT_FALSE(event.is_null()) << culprit->truth();
    const json& cause = event.at("socket").at("cause");
    EXPECT_EQ(event.at("socket").at("culprit").at("tid"), culprit->truth().at("tid"));
    ASSERT_FALSE(cause.at("because").empty()) << cause.dump(1);
    EXPECT_EQ(cause.at("because").at(0).at("waits_for"), "disk");
    const std::set<std::string> wanted{"kernel_function", "file"};
    std::set<std::string> found;
    for (const json& one : cause.at("evidence"))
        if (wanted.contains(one.at("fact"))) found.insert(one.at("fact").get<std::string>());
    EXPECT_EQ(found, wanted) << cause.dump(1);
}

// What the folklore's awk line counts, with a word on which of the two is a problem.
TEST(FieldCases, Case15TheStatesLineTellsTimeWaitFromCloseWait) {
    const auto culprit = Culprit::in_position({"read_eof", "--mode", "main"});
    constexpr int ended = 50;
    leave_in_time_wait(ended);
    const Snapshot taken = snapshot({});
    ASSERT_TRUE(taken.document.is_object()) << taken.finished.err;
    const json& states = taken.document.at("states");
    EXPECT_GE(states.at("TIME_WAIT"), ended) << states;
    EXPECT_GE(states.at("CLOSE_WAIT"), 1) << states;
    EXPECT_GE(states.at("LISTEN"), 1) << states;
    const std::string text = run({waitclose_binary(), "snapshot"}).out;
    EXPECT_TRUE(std::regex_search(text, std::regex(R"(CLOSE_WAIT [\d,]+ \(ours to close\))"))) << text;
    EXPECT_TRUE(std::regex_search(text, std::regex(R"(TIME_WAIT [\d,]+ \([^)]*normal end)"))) << text;
}

// lsof finds the process that holds one, but no thread, time or reason, and nothing at all for one in the
// queue.
TEST(FieldCases, Case16WhatLsofShowsAndWhatItDoesNot) {
    if (run({"sh", "-c", "command -v lsof"}).code != 0) GTEST_SKIP() << "SKIPPED: lsof is not installed";
    const auto held = Culprit::in_position({"read_eof", "--mode", "worker"});
    const auto queued = Culprit::in_position({"never_accepted", "--mode", "single"});
    EXPECT_NE(lsof(held->truth().at("port")).find("p" + held->truth().at("pid").dump()), std::string::npos);
    EXPECT_EQ(lsof(queued->truth().at("port")), "");
    const Snapshot taken = snapshot({});
    const json* socket = find_socket(taken.document, held->truth());
    ASSERT_TRUE(socket) << held->truth();
    EXPECT_EQ(socket->at("holders").at(0).at("pid"), held->truth().at("pid"));
    EXPECT_EQ(socket->at("holders").at(0).at("fd"), held->truth().at("fd"));
    EXPECT_FALSE(socket->at("held_since").is_null());
    const json* unaccepted = find_socket(taken.document, queued->truth());
    ASSERT_TRUE(unaccepted) << queued->truth();
    EXPECT_EQ(unaccepted->at("cause").at("id"), "never-accepted");
    EXPECT_EQ(unaccepted->at("culprit").at("pid"), queued->truth().at("pid"));
}

// Every case of the field has a test that bears its number, as in Case07.
TEST(FieldCases, EveryNumberHasATest) {
    std::set<int> missing;
    for (int number = 1; number <= numbered; ++number) missing.insert(number);
    const testing::UnitTest& all = *testing::UnitTest::GetInstance();
    for (int i = 0; i < all.total_test_suite_count(); ++i) {
        const testing::TestSuite& suite = *all.GetTestSuite(i);
        for (int k = 0; k < suite.total_test_count(); ++k)
            for (const int number :
                 numbers_in(std::string(suite.name()) + "." + suite.GetTestInfo(k)->name()))
                missing.erase(number);
    }
    EXPECT_TRUE(missing.empty()) << "no test bears the number of field case "
                                 << testing::PrintToString(missing);
}

}  // namespace runtime
