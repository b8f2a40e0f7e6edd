// SPDX-License-Identifier: BSD-2-Clause
// The options that select sockets: each must keep what it names and leave out the rest, in snapshot and in
// watch.
#include <fstream>

#include <gtest/gtest.h>

#include "programs.h"

namespace runtime {

namespace {

// Two held sockets that differ in everything one can select by.
class Selection : public testing::Test {
protected:
    bool has(const Arguments& options, const Culprit& culprit) {
        Snapshot taken = snapshot(options);
        EXPECT_EQ(taken.finished.code, 0) << taken.finished.err;
        return find_socket(taken.document, culprit.truth()) != nullptr;
    }

    void expect_only_first(const Arguments& options) {
        EXPECT_TRUE(has(options, *first_)) << options.at(0) << " must keep " << first_->truth();
        EXPECT_FALSE(has(options, *second_)) << options.at(0) << " must leave out " << second_->truth();
    }

    std::string first(const char* key) const {
        const json& value = first_->truth().at(key);
        return value.is_string() ? value.get<std::string>() : value.dump();
    }

    std::unique_ptr<Culprit> first_ = Culprit::in_position({"read_eof", "--comm", "chosen-one"});
    std::unique_ptr<Culprit> second_ = Culprit::in_position({"never_read", "--family", "ipv6", "--netns"});
};

std::string unified_cgroup_of(const std::string& pid) {
    std::ifstream lines("/proc/" + pid + "/cgroup");
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with("0::")) return line.substr(3);
    return "";
}

}  // namespace

TEST_F(Selection, NoneKeepsBoth) {
    EXPECT_TRUE(has({}, *first_));
    EXPECT_TRUE(has({}, *second_));
}

TEST_F(Selection, ByPid) {
    expect_only_first({"-p", first("pid")});
}

TEST_F(Selection, ByComm) {
    expect_only_first({"--comm", "^chosen-.*$"});
}

TEST_F(Selection, ByLocalPort) {
    expect_only_first({"-L", first("port")});
}

TEST_F(Selection, ByRemotePort) {
    expect_only_first({"--remoteport", first("remote_port")});
}

TEST_F(Selection, ByPortList) {
    expect_only_first({"--localport", "1," + first("port") + ",2"});
}

TEST_F(Selection, ByFamily) {
    expect_only_first({"-4"});
}

TEST_F(Selection, ByNetnsInode) {
    expect_only_first({"--netns", first("netns")});
}

TEST_F(Selection, ByNetnsPath) {
    expect_only_first({"--netns", "/proc/" + first("pid") + "/ns/net"});
}

TEST_F(Selection, ByMinHeld) {
    EXPECT_TRUE(has({"--min-held", "0ms"}, *first_));
    EXPECT_FALSE(has({"--min-held", "24h"}, *first_));
}

TEST_F(Selection, ByCgroup) {
    std::string cgroup = unified_cgroup_of(first("pid"));
    if (cgroup.empty()) GTEST_SKIP() << "SKIPPED: there is no unified cgroup hierarchy here";
    EXPECT_TRUE(has({"--cgroup", cgroup}, *first_)) << cgroup;
}

TEST_F(Selection, SeveralMustAllHold) {
    EXPECT_TRUE(has({"-4", "-p", first("pid"), "-L", first("port")}, *first_));
    EXPECT_FALSE(has({"-6", "-p", first("pid"), "-L", first("port")}, *first_));
}

// In watch the kernel decides: of two programs that begin to hold, only the selected one may appear.
TEST(SelectionInWatch, KeepsOutWhatWasNotAskedFor) {
    auto wanted = Culprit::before_fin({"read_eof"});
    auto unwanted = Culprit::before_fin({"read_eof"});
    Arguments options = wanted->selection();
    options.insert(options.end(), {"--min-held", "0ms"});
    Watch watch(options);
    unwanted->reach_position();
    wanted->reach_position();
    json line = watch.until(
        [&](const json& event) { return is_about(event, wanted->truth()) && event.at("event") == "held"; },
        10s);
    EXPECT_FALSE(line.is_null());
    Finished finished = watch.stop();
    EXPECT_EQ(finished.code, 0) << finished.err;
    for (const json& event : watch.events()) EXPECT_FALSE(is_about(event, unwanted->truth())) << event;
    EXPECT_EQ(totals(finished.err).at("entered"), 1) << finished.err;
}

// Every change of state of the selected sockets, in order.
TEST(SelectionInWatch, AllTransitions) {
    auto decoy = Culprit::before_start({"decoy", "--mode", "quick-close"});
    Arguments options = decoy->selection();
    options.push_back("--all-transitions");
    Watch watch(options);
    decoy->reach_position();
    EXPECT_EQ(watch.stop().code, 0);
    std::vector<std::string> states;
    for (const json& event : watch.events())
        if (event.at("event") == "transition" &&
            event.at("remote").at("port") == decoy->truth().at("remote_port"))
            states.push_back(event.at("to"));
    const std::vector<std::string> expected{"ESTABLISHED", "CLOSE_WAIT", "LAST_ACK", "CLOSE"};
    std::size_t found = 0;
    for (const std::string& state : states)
        if (found < expected.size() && state == expected[found]) ++found;
    EXPECT_EQ(found, expected.size()) << json(states);
}

}  // namespace runtime
