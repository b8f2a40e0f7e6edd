// SPDX-License-Identifier: BSD-2-Clause
// What doctor finds out, on whatever kernel this is: with everything, with less, and with files that cannot
// be read.
#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "programs.h"

namespace runtime {

namespace {

constexpr auto patience = 120s;  // on an emulated machine the verifier is slow

struct Doctor {
    Finished finished;
    json document;  // discarded when it could not be parsed
};

Doctor doctor(const Arguments& before, const Arguments& options) {
    Arguments argv = before;
    argv.insert(argv.end(), {waitclose_binary(), "doctor", "--json"});
    argv.insert(argv.end(), options.begin(), options.end());
    Doctor asked{run(argv, patience), nullptr};
    asked.document = json::parse(asked.finished.out, nullptr, false);
    return asked;
}

// With all that root has here. Asked once, as it is what the others are compared with.
const Doctor& plain() {
    static const Doctor asked = doctor({}, {});
    return asked;
}

const json& need_of(const json& document, const std::string& name) {
    for (const json& one : document.at("hooks"))
        if (one.at("need") == name) return one;
    throw std::runtime_error("doctor knows no need " + name);
}

// The options that take every hook away from a need.
Arguments without(const std::string& need) {
    Arguments options;
    for (const json& hook : need_of(plain().document, need).at("alternatives"))
        options.insert(options.end(), {"--no-hook", hook.at("hook")});
    return options;
}

const json* limit_with(const json& document, const std::string& key, const std::string& words) {
    for (const json& limit : document.at("limits"))
        if (limit.at(key).is_string() && limit.at(key).get<std::string>().find(words) != std::string::npos)
            return &limit;
    return nullptr;
}

// Whatever is found out, the answer has this form, and nothing but the answer is said.
void expect_sound(const Doctor& asked) {
    ASSERT_FALSE(asked.document.is_discarded()) << asked.finished.out << asked.finished.err;
    const json& document = asked.document;
    EXPECT_EQ(asked.finished.err, "");
    const std::string verdict = document.at("verdict");
    EXPECT_EQ(asked.finished.code, verdict == "unusable" ? 1 : 0) << verdict;
    EXPECT_EQ(verdict == "full", document.at("limits").empty()) << document.at("limits").dump(1);
    EXPECT_EQ(verdict == "unusable", !document.at("census").at("works"));
    for (const json& limit : document.at("limits")) {
        EXPECT_NE(limit.at("what"), "");
        EXPECT_NE(limit.at("remedy"), "") << limit;
    }
    for (const json& need : document.at("hooks")) {
        EXPECT_TRUE(need.at("hook").is_string() || need.at("lost").is_string()) << need;
    }
}

// The command in a mount namespace in which these directories are empty.
Arguments with_hidden(const Arguments& directories) {
    std::string script;
    for (const std::string& directory : directories)
        script +=
            "if [ -d " + directory + " ]; then mount -t tmpfs hidden " + directory + " || exit 99; fi; ";
    return {"unshare", "--mount", "sh", "-c", script + "exec \"$@\"", "sh"};
}

bool can_run(const Arguments& before) {
    Arguments argv = before;
    argv.emplace_back("true");
    return run(argv).code == 0;
}

struct Hidden {
    std::string name;
    Arguments directories;

    friend void PrintTo(const Hidden& tested, std::ostream* stream) { *stream << tested.name; }
};

class DoctorWithHidden : public testing::TestWithParam<Hidden> {};

}  // namespace

TEST(Doctor, NamesAHookForEveryNeed) {
    expect_sound(plain());
    const json& document = plain().document;
    EXPECT_EQ(document.at("schema"), "waitclose.doctor/1");
    EXPECT_EQ(plain().finished.code, 0) << document.dump(1);
    EXPECT_EQ(document.at("tracing").at("works"), true) << document.at("tracing");
    EXPECT_EQ(document.at("all_options").at("works"), true) << document.at("all_options");
    for (const json& need : document.at("hooks")) {
        EXPECT_TRUE(need.at("hook").is_string()) << need.dump(1);
        for (const json& hook : need.at("alternatives")) {
            if (hook.at("hook") == need.at("hook")) {
                EXPECT_TRUE(hook.at("refused").is_null()) << hook;
                break;
            }
            EXPECT_TRUE(hook.at("refused").is_string()) << "why it was passed over: " << hook;
        }
    }
}

TEST(Doctor, ChoosesWhatWatchUses) {
    const json taken = snapshot({"--observe", "1ms"}).document;
    ASSERT_TRUE(taken.is_object());
    const std::set<std::string> of_capture{"intervals", "wakeups", "samples", "registers"};
    for (const json& need : plain().document.at("hooks")) {
        const std::string name = need.at("need");
        if (of_capture.contains(name)) continue;
        EXPECT_EQ(taken.at("probes").at("hooks").at(name), need.at("hook"));
    }
}

TEST(Doctor, SaysWhatIsLostWithoutAHook) {
    const Doctor asked = doctor({}, without("read"));
    expect_sound(asked);
    EXPECT_EQ(asked.document.at("verdict"), "usable, with limits");
    const json& read = need_of(asked.document, "read");
    EXPECT_TRUE(read.at("hook").is_null());
    for (const json& hook : read.at("alternatives"))
        EXPECT_EQ(hook.at("refused"), "switched off with --no-hook") << hook;
    EXPECT_TRUE(limit_with(asked.document, "what", read.at("lost"))) << asked.document.at("limits").dump(1);
    EXPECT_TRUE(limit_with(asked.document, "remedy", "leave out --no-hook"))
        << asked.document.at("limits").dump(1);
}

TEST(Doctor, UnusableIsSaidInOneSentence) {
    const Arguments options = without("threads");
    const Doctor asked = doctor({}, options);
    expect_sound(asked);
    EXPECT_EQ(asked.document.at("verdict"), "unusable");
    EXPECT_EQ(asked.finished.code, 1);
    const std::string why = asked.document.at("census").at("why_not");
    EXPECT_NE(why, "");
    EXPECT_EQ(std::count(why.begin(), why.end(), '\n'), 0) << why;
    Arguments argv{waitclose_binary(), "doctor"};
    argv.insert(argv.end(), options.begin(), options.end());
    const Finished text = run(argv, patience);
    EXPECT_EQ(text.code, 1);
    EXPECT_TRUE(text.out.starts_with("unusable: ")) << text.out;
}

TEST_P(DoctorWithHidden, NeverFails) {
    const Arguments before = with_hidden(GetParam().directories);
    if (!can_run(before)) GTEST_SKIP() << "SKIPPED: no directory can be hidden by unshare and mount here";
    expect_sound(doctor(before, {}));
}

INSTANTIATE_TEST_SUITE_P(Directories, DoctorWithHidden,
                         testing::Values(Hidden{"Types", {"/sys/kernel/btf"}}, Hidden{"Sys", {"/sys"}},
                                         Hidden{"Proc", {"/proc"}}),
                         [](const auto& tested) { return tested.param.name; });

TEST(Doctor, WithoutTracefsGivesTheCommandThatMountsIt) {
    const Arguments before =
        with_hidden({"/sys/kernel/tracing", "/sys/kernel/debug", "/sys/kernel/security"});
    if (!can_run(before)) GTEST_SKIP() << "SKIPPED: no directory can be hidden by unshare and mount here";
    const Doctor asked = doctor(before, {});
    expect_sound(asked);
    EXPECT_EQ(asked.document.at("tracefs"), false);
    EXPECT_TRUE(asked.document.at("lockdown").is_null());
    bool is_missed = false;
    for (const json& need : asked.document.at("hooks")) {
        for (const json& hook : need.at("alternatives"))
            if (hook.at("hook").get<std::string>().starts_with("tp/")) {
                ASSERT_TRUE(hook.at("refused").is_string()) << hook;
                EXPECT_NE(hook.at("refused").get<std::string>().find("mount -t tracefs"), std::string::npos)
                    << hook;
            }
        is_missed = is_missed || need.at("hook").is_null();
    }
    const std::string wanted =
        asked.document.at("container").is_null() ? "mount -t tracefs" : "-v /sys/kernel/tracing";
    EXPECT_EQ(limit_with(asked.document, "command", wanted) != nullptr, is_missed)
        << asked.document.at("limits").dump(1);
}

TEST(Doctor, NoticesAPidNamespace) {
    const Arguments before{"unshare", "--pid", "--fork", "--mount-proc"};
    if (!can_run(before)) GTEST_SKIP() << "SKIPPED: no PID namespace can be made here";
    const Doctor asked = doctor(before, {});
    expect_sound(asked);
    EXPECT_EQ(asked.document.at("nested_pid_namespace"), true);
    EXPECT_TRUE(limit_with(asked.document, "what", "PID namespace")) << asked.document.at("limits").dump(1);
}

TEST(Doctor, NoticesAUserNamespace) {
    const Arguments before{"unshare", "--user", "--map-root-user"};
    if (!can_run(before)) GTEST_SKIP() << "SKIPPED: no user namespace can be made here";
    const Doctor asked = doctor(before, {});
    expect_sound(asked);
    EXPECT_EQ(asked.document.at("verdict"), "unusable");
    EXPECT_EQ(asked.document.at("nested_user_namespace"), true);
    EXPECT_TRUE(limit_with(asked.document, "remedy", "user namespace"))
        << asked.document.at("limits").dump(1);
}

}  // namespace runtime
