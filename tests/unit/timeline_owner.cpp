// SPDX-License-Identifier: BSD-2-Clause
// Whose a hold is, in every format: of nobody known where nobody is, and of one after the other where it was
// passed on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "timeline/check.h"
#include "timeline/parts.h"
#include "timeline_fixture.h"
#include "timeline_perfetto_reader.h"

namespace waitclose::timeline {
namespace {

using namespace testing;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Two processes have it, and nothing tells whose it is.
Timeline undecided() {
    Timeline t = incident();
    t.holds.resize(1);
    t.counters.clear();
    t.losses.clear();
    Hold& hold = t.holds[0];
    hold.owner = kNowhere;
    hold.diagnosis.culprit.reset();
    hold.wait_class = StringId::kNone;
    hold.stack = StackId::kNone;
    hold.first_touch.reset();
    hold.closed.reset();
    hold.holders.push_back(hold.holders.front());
    hold.holders.back().pid = 4300;
    return t;
}

constexpr std::uint64_t kPassedOn = kFrom + 3 * kSecond;

/// "orders" passed it on to "gateway", which closed it.
Timeline passed_on() {
    Timeline t = incident();
    t.holds.resize(1);
    Process gateway;
    gateway.pid = 5000;
    gateway.comm = t.strings.add("gateway");
    gateway.threads.push_back({5000, gateway.comm, kFrom, kTo, {}});
    gateway.threads[0].slices = {{kFrom, kTo, Activity::kRunning, {}, {}, {}}};
    t.processes.push_back(gateway);
    Hold& hold = t.holds[0];
    const std::uint64_t end = *hold.since_ns + *hold.held_ns;
    hold.tenures = {{*hold.since_ns, kPassedOn, 0, hold.diagnosis.cause},
                    {kPassedOn, end, 1, t.strings.add("abandoned")}};
    hold.closed->pid = hold.closed->tid = 5000;
    hold.closed->where = {1, 0};
    return t;
}

json chrome(const Timeline& timeline) {
    return json::parse(written(timeline, write_chrome))["traceEvents"];
}

TEST(TimelineOwner, AHolderIsNotNamedInItsPlace) {
    const Timeline t = undecided();
    EXPECT_THAT(check(t), IsEmpty());
    EXPECT_EQ(written(t, write_folded), "owner not known;handler-blocked;(not known);(not known) 8000\n");

    const ReadTrace trace(written(t, write_perfetto));
    EXPECT_THAT(trace.wrong, IsEmpty());
    const ReadTrack& socket = trace.tracks.at(trace.track("10.0.0.7:8080 ← 10.2.3.4:51234"));
    EXPECT_EQ(trace.tracks.at(socket.parent).name, "owner not known");

    std::map<json, std::string> processes;
    std::set<json> of_holds;
    for (const json& event : chrome(t)) {
        if (event["name"] == "process_name") processes[event["pid"]] = event["args"]["name"];
        if (event["ph"] == "b") of_holds.insert(event["pid"]);
    }
    ASSERT_EQ(of_holds.size(), 1U);
    EXPECT_EQ(processes[*of_holds.begin()], "owner not known");

    const json file = json::parse(written(t, write_speedscope));
    const std::size_t frame = file["profiles"][0]["samples"][0][0];
    EXPECT_EQ(file["shared"]["frames"][frame]["name"], "owner not known");

    const json line = json::parse(written(t, write_ndjson));
    EXPECT_TRUE(line["owner"].is_null());
    EXPECT_EQ(line["holders"].size(), 2U);
}

TEST(TimelineOwner, AProcessWithoutANameIsAnOwnerAllTheSame) {
    Timeline t = incident();
    t.holds.resize(1);
    t.processes[0].comm = StringId::kNone;
    EXPECT_TRUE(written(t, write_folded).starts_with("(not known);handler-blocked;"))
        << written(t, write_folded);
}

TEST(TimelineOwner, HeldTimeIsDividedByWhoHadIt) {
    const Timeline t = passed_on();
    EXPECT_THAT(check(t), IsEmpty());
    EXPECT_EQ(written(t, write_folded),
              "gateway;abandoned;(not known);(not known) 6000\n"
              "orders;handler-blocked;worker;lock;main;handle_request;libc.so.6+0x9f3;futex_wait_[k] 2000\n");
    EXPECT_EQ(written(t, write_folded, {Weight::kCount, {}}),
              "orders;handler-blocked;worker;lock;main;handle_request;libc.so.6+0x9f3;futex_wait_[k] 1\n");
    const json profile = json::parse(written(t, write_speedscope))["profiles"][0];
    EXPECT_EQ(profile["weights"], (json{2000, 6000.001}));
    EXPECT_EQ(profile["endValue"], 8000.001);
}

TEST(TimelineOwner, PerfettoHasItsSlicesUnderWhoHadIt) {
    const ReadTrace trace(written(passed_on(), write_perfetto));
    EXPECT_THAT(trace.wrong, IsEmpty());
    std::vector<std::string> told;
    for (const auto& [uuid, track] : trace.tracks) {
        if (track.name != "10.0.0.7:8080 ← 10.2.3.4:51234") continue;
        std::uint64_t begun = 0;
        for (const ReadEvent& event : trace.on(uuid)) {
            if (event.name.starts_with("CLOSE_WAIT")) begun = event.at;
            if (event.name.starts_with("CLOSE_WAIT"))
                told.push_back(trace.tracks.at(track.parent).process_name + " " + event.name +
                               (event.annotations.contains("cause") ? " explained" : "") + " from " +
                               std::to_string((begun - kFrom) / kSecond));
        }
    }
    EXPECT_THAT(told, ElementsAre("orders CLOSE_WAIT: handler-blocked explained from 1",
                                  "gateway CLOSE_WAIT: abandoned from 3"));
    std::size_t flows = 0;
    for (const ReadEvent& event : trace.events) flows += event.flows.size() + event.ending_flows.size();
    EXPECT_EQ(flows, 4U) << "FIN, first touch, the next owner, close";
}

TEST(TimelineOwner, ChromeHasItsEventsUnderWhoHadIt) {
    std::map<std::string, std::uint64_t> lengths;  // of CLOSE_WAIT, by pid and id
    std::map<std::string, double> begun;
    for (const json& event : chrome(passed_on())) {
        if (!event["name"].get<std::string>().starts_with("CLOSE_WAIT")) continue;
        const std::string key = event["pid"].dump() + " " + event["id"].get<std::string>();
        if (event["ph"] == "b") begun[key] = event["ts"];
        if (event["ph"] == "e")
            lengths[key] =
                static_cast<std::uint64_t>(std::llround((event["ts"].get<double>() - begun[key]) * 1000));
    }
    EXPECT_EQ(lengths, (std::map<std::string, std::uint64_t>{{"4121 hold-1", 2 * kSecond},
                                                             {"5000 hold-1.2", 6 * kSecond + 500}}));
}

TEST(TimelineOwner, NdjsonTellsWhoHadItOneAfterTheOther) {
    const json line = json::parse(written(passed_on(), write_ndjson));
    EXPECT_EQ(line["owner"], (json{{"pid", 4121}, {"comm", "orders"}}));
    EXPECT_EQ(
        line["held_by"],
        json::parse(R"([{"owner": {"pid": 4121, "comm": "orders"}, "since": "2026-11-20T20:00:01.000000000Z",
                               "held_ns": 2000000000, "cause": "handler-blocked"},
                              {"owner": {"pid": 5000, "comm": "gateway"}, "since": "2026-11-20T20:00:03.000000000Z",
                               "held_ns": 6000000500, "cause": "abandoned"}])"));
}

TEST(TimelineOwner, WhoHadItTogetherHadItAllTheTime) {
    const auto after = [](auto&& change) {
        Timeline t = passed_on();
        change(t.holds[0].tenures);
        return check(t);
    };
    using Tenures = std::vector<Tenure>;
    EXPECT_THAT(after([](Tenures& all) { all[1].begin_ns += 1; }),
                ElementsAre(::testing::HasSubstr("not in order")));
    EXPECT_THAT(after([](Tenures& all) { all[1].end_ns += 1; }),
                ElementsAre(::testing::HasSubstr("another time")));
    EXPECT_THAT(after([](Tenures& all) { all[1].owner = 0; }),
                ElementsAre(::testing::HasSubstr("to who had it")));
    EXPECT_THAT(after([](Tenures& all) { all[1].owner = 7; }),
                ElementsAre(::testing::HasSubstr("not there")));
    EXPECT_THAT(after([](Tenures& all) { all.pop_back(); }),
                ElementsAre(::testing::HasSubstr("to nobody"), ::testing::HasSubstr("another time")));
}

TEST(TimelineOwner, PartsTogetherAreTheHold) {
    for (std::uint32_t seed = 0; seed < kSeeds; ++seed) {
        const Timeline t = random_timeline(seed);
        for (const Hold& hold : t.holds) {
            std::uint64_t sum = 0;
            each_part(hold, [&](const Part&, const std::vector<Phase>& phases) {
                for (const Phase& phase : phases)
                    if (phase.is_hold) sum += phase.end_ns - phase.begin_ns;
            });
            if (!hold.phases.empty()) {
                EXPECT_EQ(sum, *hold.held_ns);
            }
        }
    }
}

}  // namespace
}  // namespace waitclose::timeline
