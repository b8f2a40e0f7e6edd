// SPDX-License-Identifier: BSD-2-Clause
// What threads did over a window: their shares add up to it, and the causes that only a window shows.
#include <algorithm>
#include <cmath>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "programs.h"
#include "verdict.h"

namespace runtime {

namespace {

constexpr auto patience = 20s;

double asleep(const json& thread, const std::string& what) {
    return thread.at("asleep").value(what, 0.0);
}

double sum_of(const json& thread) {
    double sum = thread.at("on_cpu").get<double>() + thread.at("waiting_for_cpu").get<double>() +
                 thread.at("asleep_unknown").get<double>();
    for (const json& share : thread.at("asleep")) sum += share.get<double>();
    return sum;
}

double at_work(const json& thread) {
    return thread.at("on_cpu").get<double>() + thread.at("waiting_for_cpu").get<double>();
}

// The threads of a program of known habits, over two seconds.
class Window {
public:
    explicit Window(const std::string& mode, const Arguments& more = {})
        : program_({culprit_path("busy_threads"), "--mode", mode}) {
        ready_ = program_.next_line();
        Arguments options{"--observe", "2s", "-L", ready_.at("port").dump()};
        options.insert(options.end(), more.begin(), more.end());
        Snapshot taken = snapshot(options);
        EXPECT_EQ(taken.finished.code, 0) << taken.finished.err;
        document_ = taken.document;
        for (const json& thread : document_.at("window").at("threads"))
            if (thread.at("pid") == ready_.at("pid")) threads_.push_back(thread);
    }

    const json& document() const { return document_; }
    const std::vector<json>& threads() const { return threads_; }

    std::vector<json> called(const std::string& name) const {
        std::vector<json> found;
        std::ranges::copy_if(threads_, std::back_inserter(found), [&](const json& thread) {
            const json& tids = ready_.at("threads").value(name, json::array());
            return std::ranges::find(tids, thread.at("tid")) != tids.end();
        });
        return found;
    }

    json only(const std::string& name) const {
        std::vector<json> found = called(name);
        if (found.size() != 1) throw std::runtime_error("not exactly one thread is called " + name);
        return found.front();
    }

    // Nothing is left over, and nothing counted twice: what is not sorted counts as an error, of two
    // hundredths of the window at most. What the hypervisor took from the CPUs meanwhile no scheduler can
    // know.
    void expect_sums() const {
        ASSERT_FALSE(threads_.empty());
        const json& window = document_.at("window");
        double stolen = window.at("steal_ns").is_null() ? 0 : window.at("steal_ns").get<double>();
        double allowed = 0.02 * window.at("length_ns").get<double>() + stolen;
        for (const json& thread : threads_) {
            double missing = (1 - sum_of(thread)) * thread.at("length_ns").get<double>();
            EXPECT_LT(std::abs(missing), allowed) << thread;
        }
    }

private:
    Culprit program_;
    json ready_;
    json document_;
    std::vector<json> threads_;
};

class Switches : public testing::TestWithParam<const char*> {};

// Until a line about the socket names this cause; null when none does.
json cause_under_watch(Culprit& culprit, const std::vector<std::string>& ids) {
    Arguments options = culprit.selection();
    options.insert(options.end(), {"--min-held", "0ms"});
    Watch watch(options);
    culprit.reach_position();
    json found = watch.until(
        [&](const json& event) {
            if (!is_about(event, culprit.truth()) || event.at("socket").at("cause").is_null()) return false;
            return std::ranges::find(ids, event.at("socket").at("cause").at("id").get<std::string>()) !=
                   ids.end();
        },
        patience);
    EXPECT_EQ(watch.stop().code, 0);
    return found.is_null() ? found : found.at("socket");
}

void expect_nothing_wrong(const json& socket, const json& truth) {
    ASSERT_FALSE(socket.is_null()) << truth;
    auto wrong = disagreements(socket, truth, Tracing::from_start);
    EXPECT_TRUE(wrong.empty()) << joined(wrong) << "\ngot: " << socket.dump(1);
}

void expect_right(const json& socket, const json& truth) {
    expect_nothing_wrong(socket, truth);
    if (socket.is_null()) return;
    EXPECT_EQ(socket.at("culprit").at("tid"), truth.at("tid"));
}

// By a look that comes later, and watches for two seconds.
json after_a_window(const Culprit& culprit) {
    Arguments options = culprit.selection();
    options.insert(options.end(), {"--observe", "2s"});
    Snapshot taken = snapshot(options);
    const json* found = find_socket(taken.document, culprit.truth());
    return found ? *found : json(nullptr);
}

}  // namespace

TEST_P(Switches, SharesOfCalmThreadsAddUp) {
    std::string other =
        GetParam() == std::string("tp_btf/sched_switch") ? "tp/sched/sched_switch" : "tp_btf/sched_switch";
    Window window("calm", {"--no-hook", other});
    const json& hooks = window.document().at("probes").at("hooks");
    if (!hooks.contains("schedule")) GTEST_SKIP() << "SKIPPED: this kernel does not offer " << GetParam();
    ASSERT_EQ(hooks.at("schedule"), GetParam());
    window.expect_sums();
    EXPECT_GT(asleep(window.only("asleep"), "sleep"), 0.98);
    json mixed = window.only("mixed");
    EXPECT_GT(mixed.at("on_cpu"), 0.1);
    EXPECT_GT(asleep(mixed, "sleep"), 0.05);
    EXPECT_NEAR(asleep(mixed, "sleep") + at_work(mixed), 1, 0.02);
    EXPECT_GT(asleep(window.only("reader"), "pipe"), 0.7);
    EXPECT_TRUE(std::ranges::any_of(window.threads(), [](const json& thread) {
        return thread.at("comm") == "short" && thread.at("ended") == true && at_work(thread) > 0.9;
    })) << "threads that lived within the window have their own part";
}

INSTANTIATE_TEST_SUITE_P(Hooks, Switches, testing::Values("tp_btf/sched_switch", "tp/sched/sched_switch"),
                         [](const auto& tested) {
                             return std::string(tested.param).starts_with("tp_btf") ? "Typed" : "Classic";
                         });

TEST(Shares, OfABusyThreadAddUp) {
    Window window("busy");
    window.expect_sums();
    EXPECT_GT(at_work(window.only("busy")), 0.97);
}

TEST(Shares, OfTwoRivalsOnOneCpuAddUp) {
    Window window("rivals");
    window.expect_sums();
    std::vector<json> rivals = window.called("rival");
    ASSERT_EQ(rivals.size(), 2u);
    double ran = 0;
    for (const json& rival : rivals) {
        ran += rival.at("on_cpu").get<double>();
        EXPECT_GT(at_work(rival), 0.97) << rival;
        EXPECT_GT(rival.at("waiting_for_cpu"), 0.4) << rival;
    }
    EXPECT_LT(ran, 1.02);
}

TEST(Shares, WithoutTheHookAddUpToo) {
    Window window("calm", {"--no-hook", "tp_btf/sched_switch", "--no-hook", "tp/sched/sched_switch"});
    window.expect_sums();
    EXPECT_GT(asleep(window.only("asleep"), "sleep"), 0.98) << "one sleep needs no switch";
    EXPECT_GT(window.only("mixed").at("asleep_unknown"), 0.05);
    const json& missing = window.document().at("probes").at("missing");
    EXPECT_NE(std::ranges::find(missing, "schedule"), missing.end());
}

TEST(Time, WithoutAWindowThereIsNone) {
    Snapshot taken = snapshot({});
    ASSERT_TRUE(taken.document.is_object()) << taken.finished.err;
    EXPECT_TRUE(taken.document.at("window").is_null());
    EXPECT_FALSE(taken.document.at("probes").at("hooks").contains("schedule"));
}

TEST(Time, Case11TheHandlerComputes) {
    auto culprit = Culprit::before_start({"busy", "--mode", "computing"});
    json socket = cause_under_watch(*culprit, {"handler-busy", "cpu-starved"});
    expect_right(socket, culprit->truth());
    EXPECT_NE(socket.at("cause").at("confidence"), "proven");
}

TEST(Time, Case11ByALaterLookAtAProgramOfOneThread) {
    auto culprit = Culprit::in_position({"busy", "--mode", "alone"});
    json socket = after_a_window(*culprit);
    ASSERT_FALSE(socket.is_null());
    const json& id = socket.at("cause").at("id");
    EXPECT_TRUE(id == "handler-busy" || id == "cpu-starved") << socket.at("cause").dump(1);
    EXPECT_EQ(socket.at("culprit").at("tid"), culprit->truth().at("tid"));
}

TEST(Time, Case01SpinIsSeenByALaterLook) {
    auto culprit = Culprit::in_position({"busy", "--mode", "spin"});
    json socket = after_a_window(*culprit);
    ASSERT_FALSE(socket.is_null());
    EXPECT_EQ(socket.at("cause").at("id"), "spin-on-eof") << socket.at("cause").dump(1);
    EXPECT_EQ(socket.at("cause").at("confidence"), "proven");
    EXPECT_EQ(socket.at("culprit").at("tid"), culprit->truth().at("tid"));
}

TEST(Time, Case01SpinIsSeenUnderWatch) {
    auto culprit = Culprit::before_start({"busy", "--mode", "spin"});
    expect_right(cause_under_watch(*culprit, {"spin-on-eof"}), culprit->truth());
}

TEST(Time, StarvedByItsNeighbours) {
    auto culprit = Culprit::before_start({"busy", "--mode", "starved"});
    expect_right(cause_under_watch(*culprit, {"cpu-starved"}), culprit->truth());
}

TEST(Time, Case03StarvedByItsQuota) {
    Culprit culprit({culprit_path("busy"), "--mode", "throttled", "--wait-for-start"});
    json first = culprit.next_line();
    if (first.contains("skip")) GTEST_SKIP() << "SKIPPED: " << first.at("skip");
    TemporaryDirectory directory;
    std::string ready = directory.path() + "/ready";
    // The window begins after the request: what names its handler is that tracing saw it read.
    Process watch({waitclose_binary(), "watch", "--json", "--min-held", "0ms", "-L", first.at("port").dump(),
                   "--ready-file", ready});
    for (Deadline end(patience); access(ready.c_str(), F_OK) != 0 && end.milliseconds_left() > 0;)
        watch.read_line(10ms);
    culprit.command("start");
    json truth = culprit.next_line();
    json cause;
    while (std::optional<std::string> line = watch.read_line(patience)) {
        cause = json::parse(*line).at("socket").at("cause");
        if (!cause.is_null() && cause.at("id") == "cpu-starved") break;
    }
    ASSERT_FALSE(cause.is_null());
    EXPECT_EQ(cause.at("id"), "cpu-starved") << cause.dump(1);
    EXPECT_EQ(cause.at("contributing"), json::array({"cpu-pressure"}));
    Snapshot later = snapshot({"--observe", "2s", "-L", first.at("port").dump()});
    const json& cgroups = later.document.at("window").at("throttled");
    EXPECT_TRUE(std::ranges::any_of(cgroups, [](const json& one) {
        return one.at("cgroup").get<std::string>().starts_with("/waitclose-test-") &&
               one.at("throttled_periods") >= 10 && one.at("throttled_ns") > 500'000'000;
    })) << cgroups;
    culprit.end_input();  // it takes its cgroup away when it ends by itself
    EXPECT_EQ(culprit.process().wait(patience), 0);
}

// The machine is short of CPUs, and the handler, asleep, is not held up by that.
TEST(Time, AShortageOfCpusDoesNotContributeToASleep) {
    Culprit rivals({culprit_path("busy_threads"), "--mode", "rivals"});
    rivals.next_line();
    auto culprit = Culprit::before_start({"blocked", "--mode", "sleep"});
    TemporaryDirectory directory;
    const std::string ready = directory.path() + "/ready";
    Arguments command{waitclose_binary(), "snapshot", "--json",       "--min-held", "0",
                      "--observe",        "3s",       "--ready-file", ready};
    const Arguments selection = culprit->selection();
    command.insert(command.end(), selection.begin(), selection.end());
    Process looking(command);
    wait_for_file(ready);
    culprit->reach_position();
    EXPECT_EQ(looking.wait(patience), 0) << looking.errors();
    const json document = json::parse(looking.output(), nullptr, false);
    ASSERT_TRUE(document.is_object());
    const json& window = document.at("window");
    const json& pressure = window.at("pressure").at("cpu");
    if (pressure.is_null() || pressure.at("some_ns").is_null())
        GTEST_SKIP() << "SKIPPED: this kernel does not measure pressure (PSI)";
    ASSERT_GT(pressure.at("some_ns").get<double>(), 0.5 * window.at("length_ns").get<double>());
    const json* socket = find_socket(document, culprit->truth());
    ASSERT_TRUE(socket) << culprit->truth();
    const json& cause = socket->at("cause");
    ASSERT_EQ(cause.at("id"), "handler-blocked") << cause.dump(1);
    const json& contributing = cause.at("contributing");
    EXPECT_EQ(std::ranges::find(contributing, "cpu-pressure"), contributing.end()) << cause.dump(1);
}

// Nor is the one that read end-of-file: it may have given the connection to the other.
TEST(Time, ABusyThreadBesideALeakIsNotAccused) {
    auto culprit = Culprit::before_start({"busy", "--mode", "leak-beside"});
    json socket = cause_under_watch(*culprit, {"eof-ignored", "handler-busy", "cpu-starved"});
    expect_nothing_wrong(socket, culprit->truth());
}

TEST(Time, Case12TheCollectorStopsAll) {
    if (run({"sh", "-c", "command -v java"}).code != 0)
        GTEST_SKIP() << "SKIPPED: java is not installed, so field case 12 is not tested";
    Culprit server({"java", "-Xmx256m", "-XX:+UseSerialGC", culprit_path("java/PauseServer.java")});
    json ready = server.next_line(60s);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    Descriptor closes(client);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(ready.at("port").get<std::uint16_t>());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    Watch watch({"--min-held", "0ms", "-L", ready.at("port").dump()});
    ASSERT_EQ(connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(write(client, "x", 1), 1);
    // The FIN only after the handler has read: a FIN read together with the byte would be end-of-file.
    int unread = 1;
    for (Deadline end(patience); unread > 0 && end.milliseconds_left() > 0; usleep(10'000))
        unread =
            run({"sh", "-c", "ss -Htn sport = :" + ready.at("port").dump() + " | grep -q 'ESTAB *0 '"}).code;
    ASSERT_EQ(shutdown(client, SHUT_WR), 0);
    json last;
    json line = watch.until(
        [&](const json& event) {
            if (!event.contains("socket") || event.at("event") == "entered") return false;
            last = event.at("socket");
            return last.at("cause").at("id") == "gc-pause";
        },
        patience);
    ASSERT_FALSE(line.is_null()) << last.dump(1);
    EXPECT_EQ(last.at("culprit").at("pid"), ready.at("pid"));
    EXPECT_TRUE(fact_of(last.at("cause"), "collecting_ns")) << last.at("cause").dump(1);
    EXPECT_EQ(watch.stop().code, 0);
}

}  // namespace runtime
