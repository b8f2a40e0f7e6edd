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
        {"threads", "iter/task"},
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
        {"accept", "fexit/inet_accept"},
        {"accept", "kprobe/security_sock_graft"},
        {"accept", "tp/syscalls/sys_exit_accept"},
        {"close", "fentry/locks_remove_posix"},
        {"close", "kprobe/locks_remove_posix"},
        {"close", "tp/syscalls/sys_enter_close"},
    };
    return hooks;
}

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

json doctor(const Arguments& options) {
    Arguments argv{waitclose_binary(), "doctor", "--json"};
    argv.insert(argv.end(), options.begin(), options.end());
    return json::parse(run(argv).out, nullptr, false);
}

const json* row_of(const json& document, const std::string& need) {
    for (const json& row : document.at("hooks"))
        if (row.at("need") == need) return &row;
    return nullptr;
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
    const json document = doctor({});
    for (const json& row : document.at("hooks"))
        for (const json& one : row.at("alternatives"))
            listed.push_back(row.at("need").get<std::string>() + " " + one.at("hook").get<std::string>());
    for (const Hook& hook : all_hooks()) expected.push_back(hook.need + " " + hook.name);
    EXPECT_EQ(listed, expected);
}

TEST_P(Alternatives, FindTheSameCulprits) {
    const Hook& hook = GetParam();
    const Arguments options = forcing(hook);
    const json document = doctor(options);
    ASSERT_TRUE(document.is_object());
    const json* row = row_of(document, hook.need);
    ASSERT_TRUE(row);
    if (row->at("hook") != hook.name) {
        for (const json& one : row->at("alternatives"))
            if (one.at("hook") == hook.name) {
                ASSERT_FALSE(one.at("refused").is_null()) << "not used, and nobody says why: " << *row;
                GTEST_SKIP() << one.at("refused").get<std::string>();
            }
    }
    for (const Case& tested : cases_for(hook.need)) {
        SCOPED_TRACE(testing::PrintToString(tested));
        auto culprit = Culprit::before_start(tested.command);
        follow(*culprit, Tracing::from_start, options);
    }
}

INSTANTIATE_TEST_SUITE_P(Forced, Alternatives, testing::ValuesIn(all_hooks()), [](const auto& tested) {
    std::string name = tested.param.need + "_" + tested.param.name;
    std::replace_if(
        name.begin(), name.end(), [](unsigned char letter) { return !std::isalnum(letter); }, '_');
    return name;
});

}  // namespace runtime
