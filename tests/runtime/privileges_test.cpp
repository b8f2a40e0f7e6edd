// SPDX-License-Identifier: BSD-2-Clause
// As an ordinary user: a clear refusal without capabilities, the full answer with them.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "programs.h"
#include "verdict.h"

namespace runtime {

namespace {

namespace fs = std::filesystem;

const char* const needed_capabilities =
    "cap_bpf,cap_perfmon,cap_sys_ptrace,cap_sys_admin,cap_dac_read_search+ep";

constexpr auto doctor_patience = 120s;  // on an emulated machine the verifier is slow

// A copy that user nobody may reach, as the build may lie below a private directory.
class AsNobody : public testing::Test {
protected:
    AsNobody() : copy_(directory_.path() + "/waitclose") {
        fs::permissions(directory_.path(), fs::perms(0755));
        fs::copy_file(waitclose_binary(), copy_);
        fs::permissions(copy_, fs::perms(0755));
    }

    Arguments command(const Arguments& arguments) {
        Arguments argv{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", copy_};
        argv.insert(argv.end(), arguments.begin(), arguments.end());
        return argv;
    }

    TemporaryDirectory directory_;
    std::string copy_;
};

std::string status_line(pid_t pid, const std::string& key) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with(key + ":")) return line.substr(line.find_last_of(" \t") + 1);
    return "";
}

}  // namespace

TEST_F(AsNobody, WithoutPrivilegesIsRefusedClearly) {
    for (const char* subcommand : {"snapshot", "watch"}) {
        Finished finished = run(command({subcommand}));
        EXPECT_EQ(finished.code, 1) << finished.err;
        EXPECT_EQ(finished.out, "");
        EXPECT_EQ(std::count(finished.err.begin(), finished.err.end(), '\n'), 2)
            << "one sentence why, one line what to do: " << finished.err;
    }
}

// Followed to the letter, the advice has to work.
TEST_F(AsNobody, DoctorGivesTheCommandThatHelps) {
    const auto ask = [&] { return run(command({"doctor", "--json"}), doctor_patience); };
    const Finished refused = ask();
    const json before = json::parse(refused.out, nullptr, false);
    ASSERT_FALSE(before.is_discarded()) << refused.out << refused.err;
    EXPECT_EQ(refused.code, 1);
    EXPECT_EQ(before.at("verdict"), "unusable");
    ASSERT_FALSE(before.at("limits").empty());
    const json& advised = before.at("limits").at(0).at("command");
    if (!before.at("container").is_null() || !advised.is_string() ||
        !advised.get<std::string>().starts_with("sudo setcap "))
        GTEST_SKIP() << "SKIPPED: file capabilities are of no use here: " << before.at("limits").at(0);
    EXPECT_TRUE(advised.get<std::string>().ends_with("+ep " + copy_)) << advised;
    EXPECT_NE(run(command({"doctor"}), doctor_patience).out.find(advised), std::string::npos)
        << "in the text it stands unbroken";
    const Finished set = run({"sh", "-c", advised.get<std::string>().substr(sizeof("sudo ") - 1)});
    if (set.code != 0)
        GTEST_SKIP() << "SKIPPED: no file capabilities can be set below /tmp here: " << set.err;
    const Finished helped = ask();
    EXPECT_EQ(helped.code, 0) << helped.out << helped.err;
    const json after = json::parse(helped.out, nullptr, false);
    ASSERT_FALSE(after.is_discarded()) << helped.out;
    for (const json& capability : after.at("capabilities"))
        EXPECT_EQ(capability.at("held"), true) << capability;
}

TEST_F(AsNobody, WithCapabilitiesSeesEverything) {
    Finished set = run({"setcap", needed_capabilities, copy_});
    if (set.code != 0)
        GTEST_SKIP() << "SKIPPED: no file capabilities can be set below /tmp here: " << set.err;
    auto culprit = Culprit::in_position({"read_eof"});
    culprit->wait_until_held_for(20ms);
    Arguments arguments = culprit->selection();
    arguments.insert(arguments.begin(), {"snapshot", "--json", "--min-held", "0ms"});
    Finished finished = run(command(arguments));
    ASSERT_EQ(finished.code, 0) << finished.err;
    json document = json::parse(finished.out, nullptr, false);
    const json* socket = find_socket(document, culprit->truth());
    ASSERT_TRUE(socket) << finished.out;
    auto wrong = disagreements(*socket, culprit->truth(), Tracing::after);
    EXPECT_TRUE(wrong.empty()) << joined(wrong) << "\ngot: " << socket->dump(1);
}

// What is not needed once everything is attached is dropped: of all capabilities only the given ones may be
// left, and some of those must be gone.
TEST(Privileges, AreDroppedAfterAttach) {
    Watch watch({"-L", "1"});
    std::uint64_t permitted = std::stoull(status_line(watch.pid(), "CapPrm"), nullptr, 16);
    std::uint64_t effective = std::stoull(status_line(watch.pid(), "CapEff"), nullptr, 16);
    constexpr std::uint64_t sys_ptrace = 1ULL << 19, sys_admin = 1ULL << 21, dac_read_search = 1ULL << 2,
                            perfmon = 1ULL << 38, bpf = 1ULL << 39;
    std::uint64_t allowed = sys_ptrace | sys_admin | dac_read_search | perfmon | bpf;
    EXPECT_EQ(permitted & ~allowed, 0u) << std::hex << permitted;
    EXPECT_EQ(effective & ~allowed, 0u) << std::hex << effective;
    EXPECT_EQ(watch.stop().code, 0);
}

}  // namespace runtime
