// SPDX-License-Identifier: BSD-2-Clause
// Every hook that can serve a need is forced once, and the same culprits are right with it.
#include <algorithm>
#include <iostream>

#include <gtest/gtest.h>

#include "cases.h"
#include "following.h"

namespace runtime {

namespace {

struct Hook {
    std::string need;
    std::string name;

    friend void PrintTo(const Hook& hook, std::ostream* stream) { *stream << hook.need << ' ' << hook.name; }
};

// As doctor lists them; the first test sees to it that none is left out.
const std::vector<Hook>& all_hooks() {
    static const std::vector<Hook> hooks{
        {"census", "iter/tcp+bpf_loop"},
        {"census", "iter/tcp"},
        {"descriptors", "iter/task_file"},
        {"threads", "iter/task+bpf_get_task_stack"},
        {"threads", "iter/task"},
        {"chain", "iter/task_file+iter/task"},
        {"transition", "tp_btf/inet_sock_set_state"},
        {"transition", "tp/sock/inet_sock_set_state"},
        {"read", "tp_btf/sock_recv_length"},
        {"read", "fexit/tcp_recvmsg"},
        {"read", "kprobe/tcp_cleanup_rbuf"},
        {"read", "tp/syscalls/sys_exit_read"},
        {"write", "tp_btf/sock_send_length"},
        {"write", "fexit/tcp_sendmsg"},
        {"write", "kprobe/tcp_sendmsg"},
        {"write", "tp/syscalls/sys_exit_write"},
        {"accept", "fentry/security_sock_graft"},
        {"accept", "kprobe/security_sock_graft"},
        {"accept", "tp/syscalls/sys_exit_accept"},
        {"accept-count", "fexit/sys_accept"},
        {"accept-count", "tp/syscalls/sys_exit_accept4"},
        {"close", "fentry/locks_remove_posix"},
        {"close", "kprobe/locks_remove_posix"},
        {"close", "tp/syscalls/sys_enter_close"},
        {"schedule", "tp_btf/sched_switch"},
        {"schedule", "tp/sched/sched_switch"},
    };
    return hooks;
}

// Those of a capture, which no snapshot uses; activity_test.cpp tests them.
const std::vector<Hook> capture_hooks{
    {"intervals", "tp_btf/sched_switch+stack"},
    {"intervals", "tp/sched/sched_switch+stack"},
    {"wakeups", "tp_btf/sched_waking"},
    {"wakeups", "tp/sched/sched_waking"},
    {"samples", "perf/cpu-clock"},
    {"registers", "iter/task+registers+stack"},
    {"registers", "iter/task+registers"},
};

// Which culprits tell most about a need: who must be named, and what must not be overlooked.
std::vector<Case> cases_for(const std::string& need) {
    if (need == "read")
        return {{"", {"read_eof", "--mode", "worker"}}, {"", {"fin_with_data", "--mode", "data-only"}}};
    if (need == "write") return {{"", {"decoy", "--mode", "half-open"}}};
    if (need == "accept") return {{"", {"never_read", "--mode", "worker"}}};
    if (need == "close")
        return {{"", {"inherited", "--mode", "fork-after"}}, {"", {"duplicate", "--mode", "eof"}}};
    if (need == "census")
        return {{"", {"never_accepted", "--mode", "single"}}, {"", {"read_eof", "--netns"}}};
    return {{"", {"read_eof", "--mode", "one-of-20"}}, {"", {"client_side", "--mode", "idle-pool"}}};
}

// Every hook with what this kernel has against it, once and for all tests.
const json& doctor() {
    static const json document =
        json::parse(run({waitclose_binary(), "doctor", "--json"}).out, nullptr, false);
    return document;
}

json refusal_of(const Hook& hook) {
    for (const json& row : doctor().at("hooks"))
        for (const json& one : row.at("alternatives"))
            if (one.at("hook") == hook.name) return one.at("refused");
    return "it is not listed";
}

// Rules out what waitclose would rather use.
Arguments forcing(const Hook& hook) {
    Arguments options;
    for (const Hook& other : all_hooks()) {
        if (other.name == hook.name) break;
        if (other.need == hook.need) options.insert(options.end(), {"--no-hook", other.name});
    }
    return options;
}

class Alternatives : public testing::TestWithParam<Hook> {};

}  // namespace

TEST(AlternativesList, IsWhatDoctorLists) {
    std::vector<std::string> listed;
    std::vector<std::string> expected;
    ASSERT_TRUE(doctor().is_object());
    for (const json& row : doctor().at("hooks"))
        for (const json& one : row.at("alternatives"))
            listed.push_back(row.at("need").get<std::string>() + " " + one.at("hook").get<std::string>());
    for (const Hook& hook : all_hooks()) expected.push_back(hook.need + " " + hook.name);
    for (const Hook& hook : capture_hooks) expected.push_back(hook.need + " " + hook.name);
    EXPECT_EQ(listed, expected);
}

TEST_P(Alternatives, FindTheSameCulprits) {
    const Hook& hook = GetParam();
    ASSERT_TRUE(doctor().is_object());
    if (const json refused = refusal_of(hook); !refused.is_null()) GTEST_SKIP() << refused.get<std::string>();
    const Arguments options = forcing(hook);
    Arguments traced = options;
    traced.insert(traced.end(), {"--observe", "1ms", "-p", "1"});
    const Snapshot used = snapshot(traced);
    ASSERT_TRUE(used.document.is_object()) << used.finished.err;
    ASSERT_EQ(used.document.at("probes").at("hooks").at(hook.need), hook.name) << used.finished.err;
    for (const Case& tested : cases_for(hook.need)) {
        SCOPED_TRACE(testing::PrintToString(tested));
        auto culprit = Culprit::before_start(tested.command);
        follow(*culprit, Tracing::from_start, options);
    }
}

// The kernel keeps a stamp of the last data sent, whether a hook saw it or not.
TEST(WithoutWriteHook, AStreamIsNotAccused) {
    Arguments options;
    for (const Hook& hook : all_hooks())
        if (hook.need == "write") options.insert(options.end(), {"--no-hook", hook.name});
    auto stream = Culprit::before_start({"decoy", "--mode", "half-open"});
    follow(*stream, Tracing::from_start, options);
}

INSTANTIATE_TEST_SUITE_P(Forced, Alternatives, testing::ValuesIn(all_hooks()), [](const auto& tested) {
    std::string name = tested.param.need + "_" + tested.param.name;
    std::replace_if(
        name.begin(), name.end(), [](unsigned char letter) { return !std::isalnum(letter); }, '_');
    return name;
});

}  // namespace runtime
