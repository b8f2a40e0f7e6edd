// SPDX-License-Identifier: BSD-2-Clause
// A capture while its targets run, sleep, end, and are many: what it counts is what the kernel counts, and it
// stops nobody.
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <thread>

#include <gtest/gtest.h>
#include <unistd.h>

#include "captures.h"
#include "clock.h"
#include "verdict.h"

namespace runtime {

namespace fs = std::filesystem;
namespace model = waitclose::model;

namespace {

using model::Doing;

std::string task_file(const json& truth, const char* name) {
    return "/proc/" + truth.at("pid").dump() + "/task/" + truth.at("tid").dump() + "/" + name;
}

std::optional<std::string> status_of(const json& truth, const std::string& key) {
    std::ifstream file(task_file(truth, "status"));
    for (std::string line; std::getline(file, line);)
        if (line.starts_with(key + ":\t")) return line.substr(key.size() + 2);
    return std::nullopt;
}

// The CPU time of a thread by the kernel's own count, at many moments.
class Account {
public:
    explicit Account(const json& truth) : path_(task_file(truth, "schedstat")) {}

    void look() {
        std::ifstream file(path_);
        std::uint64_t on_cpu = 0;
        if (file >> on_cpu) seen_.emplace_back(static_cast<std::uint64_t>(boot_ns()), on_cpu);
    }

    // At a moment between two looks.
    double on_cpu_until(std::uint64_t at_ns) const {
        for (std::size_t i = 1; i < seen_.size(); ++i) {
            const auto& [before, less] = seen_[i - 1];
            const auto& [after, more] = seen_[i];
            if (at_ns < before || at_ns > after) continue;
            const double part = static_cast<double>(at_ns - before) / static_cast<double>(after - before);
            return static_cast<double>(less) + part * static_cast<double>(more - less);
        }
        ADD_FAILURE() << "the account does not reach to " << at_ns;
        return 0;
    }

private:
    std::string path_;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> seen_;
};

void expect_without_gaps(const model::ThreadActivity& thread) {
    ASSERT_FALSE(thread.intervals.empty()) << thread.tid;
    EXPECT_EQ(thread.intervals.front().begin_ns, thread.from_ns);
    EXPECT_EQ(thread.intervals.back().end_ns, thread.to_ns);
    for (std::size_t i = 1; i < thread.intervals.size(); ++i)
        ASSERT_EQ(thread.intervals[i].begin_ns, thread.intervals[i - 1].end_ns) << thread.tid;
}

Arguments pids_of(const std::vector<std::unique_ptr<Culprit>>& culprits) {
    Arguments options;
    for (const auto& culprit : culprits)
        options.insert(options.end(), {"-p", culprit->truth().at("pid").dump()});
    return options;
}

// The culprit's process, in the moment in which it comes to nothing.
void end(Culprit& culprit, const std::string& how) {
    if (how == "kill")
        ::kill(culprit.truth().at("pid").get<pid_t>(), SIGKILL);
    else
        culprit.close();
}

class CaptureEnds : public testing::TestWithParam<std::string> {};

}  // namespace

TEST(CaptureIntervals, FillTheWindowAndAgreeWithTheKernelsCount) {
    std::vector<std::unique_ptr<Culprit>> culprits;
    for (const char* mode : {"tick", "breathe"})
        culprits.push_back(Culprit::in_position({"functions", "--mode", mode}));
    std::vector<Account> accounts;
    for (const auto& culprit : culprits) accounts.emplace_back(culprit->truth());
    std::jthread accountant([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            for (Account& account : accounts) account.look();
            std::this_thread::sleep_for(5ms);
        }
        for (Account& account : accounts) account.look();
    });
    const Bundle bundle = capture(pids_of(culprits), "2s");
    accountant.request_stop();
    accountant.join();
    ASSERT_EQ(bundle.finished.code, 0) << bundle.finished.err;
    for (std::size_t i = 0; i < culprits.size(); ++i) {
        SCOPED_TRACE(culprits[i]->truth().at("mode"));
        const model::ThreadActivity* thread = thread_of(bundle, culprits[i]->truth().at("tid"));
        ASSERT_TRUE(thread);
        expect_without_gaps(*thread);
        EXPECT_EQ(spent(*thread, Doing::kUnknown), 0U);
        const auto window = static_cast<double>(thread->to_ns - thread->from_ns);
        EXPECT_NEAR(window, 2e9, 2e8);
        const double on_cpu =
            accounts[i].on_cpu_until(thread->to_ns) - accounts[i].on_cpu_until(thread->from_ns);
        const double off_cpu = window - on_cpu;
        const auto told =
            static_cast<double>(spent(*thread, Doing::kBlocked) + spent(*thread, Doing::kRunnable));
        std::printf("%s: off CPU %.1f ms of %.1f ms, by the kernel's count %.1f ms; %zu intervals\n",
                    culprits[i]->truth().at("mode").get<std::string>().c_str(), told / 1e6, window / 1e6,
                    off_cpu / 1e6, thread->intervals.size());
        EXPECT_NEAR(told, off_cpu, 0.05 * off_cpu);
    }
}

TEST(CaptureIntervals, OfEveryThreadFillTheWindow) {
    const auto culprit = Culprit::in_position({"functions", "--mode", "wait-for-quota"});
    const Bundle bundle = capture({"-p", culprit->truth().at("pid").dump()});
    ASSERT_EQ(bundle.finished.code, 0) << bundle.finished.err;
    ASSERT_GE(bundle.activity.threads.size(), 3U);
    for (const model::ThreadActivity& thread : bundle.activity.threads) expect_without_gaps(thread);
}

// A thread that sleeps a millisecond at a time does so as often with a capture as without, and nobody ever
// sees it stopped or traced.
TEST(CaptureStopsNobody, AThreadThatTicksGoesOnTicking) {
    const auto culprit = Culprit::in_position({"functions", "--mode", "tick"});
    const json& truth = culprit->truth();
    const auto ticks_in = [&](auto&& meanwhile) {
        const double ticks = std::stod(status_of(truth, "voluntary_ctxt_switches").value());
        const auto began = boot_ns();
        meanwhile();
        const double more = std::stod(status_of(truth, "voluntary_ctxt_switches").value()) - ticks;
        return more / (static_cast<double>(boot_ns() - began) / 1e9);
    };
    const double alone = ticks_in([] { std::this_thread::sleep_for(1s); });
    std::size_t looks = 0;
    std::size_t stopped = 0;
    Capture running({"-p", truth.at("pid").dump()}, "2s");
    const double captured = ticks_in([&] {
        for (const Deadline deadline(1500ms); deadline.milliseconds_left() > 0; ++looks) {
            const std::string state = status_of(truth, "State").value();
            stopped +=
                state.starts_with("t") || state.starts_with("T") || status_of(truth, "TracerPid") != "0";
            std::this_thread::sleep_for(500us);
        }
    });
    const Bundle bundle = running.finish();
    EXPECT_EQ(bundle.finished.code, 0) << bundle.finished.err;
    std::printf("%.0f ticks a second alone, %.0f captured: %.1f %%; stopped at %zu of %zu looks\n", alone,
                captured, 100 * captured / alone, stopped, looks);
    EXPECT_EQ(stopped, 0U);
    EXPECT_GT(looks, 500U);
    EXPECT_GT(captured / alone, 0.9);
}

TEST_P(CaptureEnds, OfTheTargetLeaveAWholeBundleThatSaysSo) {
    const std::string how = GetParam();
    Arguments command{"functions", "--mode", "tick"};
    if (how != "kill") command.insert(command.end(), {"--end", how});
    const auto culprit = Culprit::in_position(command);
    const json& truth = culprit->truth();
    Capture running({"-p", truth.at("pid").dump()}, "2s");
    std::this_thread::sleep_for(500ms);  // the scenario, not a synchronisation
    const auto before = static_cast<std::uint64_t>(boot_ns());
    end(*culprit, how);
    const Bundle bundle = running.finish();
    ASSERT_EQ(bundle.finished.code, 0) << bundle.finished.err;
    EXPECT_TRUE(bundle.wrong.empty()) << joined(bundle.wrong);
    const model::ThreadActivity* thread = thread_of(bundle, truth.at("tid"));
    ASSERT_TRUE(thread);
    EXPECT_TRUE(thread->ended);
    EXPECT_GE(thread->to_ns, before);
    EXPECT_LE(thread->to_ns, before + 500'000'000);
    expect_without_gaps(*thread);
    EXPECT_TRUE(functions_of(bundle, truth.at("tid")).contains("tick"));
    const std::string told = how == "exec" ? "thread sleep (" + truth.at("pid").dump() + ")" : "ended";
    EXPECT_NE(bundle.report.find(told), std::string::npos) << bundle.report;
}

INSTANTIATE_TEST_SUITE_P(Ways, CaptureEnds, testing::Values("exit", "exec", "kill"),
                         [](const auto& tested) { return tested.param; });

TEST(CaptureCrowd, TwoThousandThreads) {
    const auto culprit = Culprit::before_start({"functions", "--mode", "crowd"});
    const auto began = boot_ns();
    Capture running(culprit->selection(), "60s");
    culprit->reach_position();
    const Bundle bundle = running.stop();
    ASSERT_EQ(bundle.finished.code, 0) << bundle.finished.err;
    std::printf("%zu threads, %zu stacks, %.1f s in all, overhead %s\n", bundle.activity.threads.size(),
                bundle.activity.stacks.size(), static_cast<double>(boot_ns() - began) / 1e9,
                bundle.manifest.at("cost").dump().c_str());
    EXPECT_GE(bundle.activity.threads.size(), 2000U);
    const auto missing = not_named(bundle, culprit->truth());
    EXPECT_TRUE(missing.empty()) << joined(missing);
}

TEST(CaptureCrowd, MoreThreadsThanAllowedIsSaid) {
    const auto culprit = Culprit::in_position({"functions", "--mode", "crowd"});
    const Bundle bundle = capture({"-p", culprit->truth().at("pid").dump(), "--max-threads", "100"}, "200ms");
    ASSERT_EQ(bundle.finished.code, 0) << bundle.finished.err;
    EXPECT_TRUE(bundle.wrong.empty()) << joined(bundle.wrong);
    EXPECT_LE(bundle.activity.threads.size(), 100U);
    EXPECT_NE(bundle.manifest.dump().find("max-threads"), std::string::npos);
    EXPECT_FALSE(bundle.manifest.at("lacks").empty() && bundle.manifest.at("shed").empty());
}

// The program lies in a file system that only it sees, has other pids and another network.
TEST(CaptureNamespaces, FunctionsAreNamedInOtherOnes) {
    if (run({"sh", "-c", "unshare --mount --pid --net --fork --kill-child --mount-proc true"}).code != 0)
        GTEST_SKIP() << "SKIPPED: no new namespaces here";
    const std::string program = culprit_path("functions");
    Process inside({"unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc", "sh",
                    "-c",
                    "ip link set lo up && mount -t tmpfs none /mnt && cp " + program +
                        " /mnt/orders && exec /mnt/orders --mode call-backend --wait-for-start"});
    const auto announced = inside.read_line(20s);
    ASSERT_TRUE(announced) << inside.errors();
    Capture running({"-L", json::parse(*announced).at("port").dump()}, "60s");
    inside.write_line("start");
    const auto line = inside.read_line(20s);
    ASSERT_TRUE(line) << inside.errors();
    json truth = json::parse(*line);
    // Its pids as they are out here: of the thread that has this one in there.
    const auto outside = [&](const json& pid) -> json {
        for (const auto& process : fs::directory_iterator("/proc")) {
            std::error_code gone;
            for (const auto& task : fs::directory_iterator(process.path() / "task", gone)) {
                std::ifstream file(task.path() / "status");
                for (std::string status; std::getline(file, status);)
                    if (status.starts_with("NSpid:") && status.ends_with("\t" + pid.dump()) &&
                        fs::read_symlink(process.path() / "exe", gone) == "/mnt/orders")
                        return std::stoi(task.path().filename());
            }
        }
        return nullptr;
    };
    truth["pid"] = outside(truth.at("pid"));
    truth["tid"] = outside(truth.at("tid"));
    ASSERT_FALSE(truth.at("pid").is_null() || truth.at("tid").is_null()) << truth;
    truth.at("chain").at(0)["tid"] = truth.at("tid");
    const Bundle bundle = running.stop();
    ASSERT_EQ(bundle.finished.code, 0) << bundle.finished.err;
    const auto missing = not_named(bundle, truth);
    EXPECT_TRUE(missing.empty()) << joined(missing);
}

}  // namespace runtime
