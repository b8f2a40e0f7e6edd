// SPDX-License-Identifier: BSD-2-Clause
// The HTML report as text and data; how it looks and answers is tested in tests/browser.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "output/escape.h"
#include "output/format.h"
#include "timeline/html/page.h"
#include "timeline/html_cast.h"
#include "timeline/html_report.h"
#include "timeline_fixture.h"

namespace waitclose::timeline {
namespace {

using namespace testing;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string page_of(const Timeline& timeline, const ReportWords& words = {},
                    const ReportLimits& limits = {}) {
    const int descriptor = ::memfd_create("page", MFD_CLOEXEC);
    output::Sink sink = output::Sink::to_descriptor(descriptor, "memory");
    write_html(timeline, words, {}, sink, limits);
    if (!sink.finish()) return "the sink failed";
    std::string text(static_cast<std::size_t>(::lseek(descriptor, 0, SEEK_CUR)), '\0');
    const auto got = ::pread(descriptor, text.data(), text.size(), 0);
    ::close(descriptor);
    return got == static_cast<ssize_t>(text.size()) ? text : "could not be read back";
}

json data_of(const std::string& page) {
    const std::string begin = "<script type=\"application/json\" id=\"data\">";
    const std::size_t at = page.find(begin) + begin.size();
    return json::parse(page.substr(at, page.find("</script>", at) - at));
}

std::string text_at(const json& data, const json& index) {
    return data["texts"].at(index.get<std::size_t>()).get<std::string>();
}

std::size_t count_of(const std::string& text, const std::string& what) {
    std::size_t count = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + what.size()))
        ++count;
    return count;
}

TEST(TimelineHtml, HasWordsAndData) {
    const ReportWords words{{"One.", "Two."},
                            "host web-1",
                            {"3 events were lost."},
                            {{0, "handler-blocked", "likely", "port 8080", "it waits", 1, 8 * kSecond, 0}},
                            {0}};
    const std::string page = page_of(incident(), words);
    EXPECT_THAT(page, HasSubstr("<title>waitclose: web-1</title>"));
    EXPECT_THAT(page, HasSubstr("<p>One.</p><p>Two.</p>"));
    EXPECT_THAT(page, HasSubstr("<p>3 events were lost.</p>"));
    EXPECT_THAT(page, HasSubstr("Recorded by waitclose 0.1.0."));
    const json data = data_of(page);
    EXPECT_EQ(data["window"]["duration_ns"], 10 * kSecond);
    EXPECT_EQ(data["window"]["from_wall_ns"], "1795204800000000000");
    EXPECT_EQ(data["window"]["utc_offset_s"], output::utc_offset_s(1'795'204'800'000'000'000));
    EXPECT_TRUE(data["totals"].is_null());
    EXPECT_EQ(data["holds"]["earlier"], json({0, 0}));
    EXPECT_EQ(data["holds"]["later"], json({0, 0}));
    const json& holds = data["holds"];
    EXPECT_EQ(holds["id"], json({"4026531840:73012", "4026531840:own-5"}));
    EXPECT_EQ(holds["begin"], json({1'000'000'000, -60'000'000'000}));
    EXPECT_EQ(holds["held"], json({8'000'000'500, 70'000'000'000}));
    EXPECT_EQ(holds["open"], json({0, 1}));
    EXPECT_EQ(holds["exact"], json({1, 0}));
    EXPECT_EQ(holds["touched"], json({2'000'000'000, nullptr}));
    EXPECT_EQ(holds["process"], json({0, -1}));
    EXPECT_EQ(holds["thread"], json({0, -1}));
    EXPECT_EQ(holds["closer"], json({0, -1}));
    EXPECT_EQ(holds["group"], json({0, -1}));
    EXPECT_EQ(text_at(data, holds["remote"][0]), "10.2.3.4:51234");
    EXPECT_EQ(text_at(data, holds["remote"][1]), "[2001:db8::2]:60000");
    EXPECT_EQ(holds["cause"][1], 0);  // not diagnosed: not known
    EXPECT_EQ(text_at(data, data["groups"][0]["where"]), "port 8080");
    const json& detail = data["details"][0];
    EXPECT_EQ(text_at(data, detail["advice"]), "look at the lock");
    EXPECT_EQ(text_at(data, detail["evidence"][0]), "its FIN was read");
    EXPECT_EQ(data["left_out"], json::array());
    std::vector<std::string> stack;
    for (const json& frame : data["stacks"].at(holds["stack"][0].get<std::size_t>())) {
        stack.push_back(text_at(data, frame));
    }
    EXPECT_THAT(stack, ElementsAre("main", "handle_request", "libc.so.6+0x9f3", "futex_wait_[k]"));
}

TEST(TimelineHtml, NothingIsLoadedAndOnlyHashesAreAllowed) {
    const std::string page(html::page());
    EXPECT_THAT(page, ::testing::ContainsRegex("default-src 'none'; script-src 'sha256-[^ ]{43}='; "
                                               "style-src 'sha256-[^ ]{43}='; base-uri 'none'"));
    EXPECT_EQ(count_of(page, "http"), 1U);  // of http-equiv
    for (const char* word :
         {"innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "unsafe", "@SCRIPT",
          "@STYLE", "Function(", "DOMParser", "srcdoc", "createContextualFragment", "import("}) {
        EXPECT_THAT(page, Not(HasSubstr(word)));
    }
    for (const char* mark : {"@TITLE@", "@WHERE@", "@STORY@", "@LOSSES@", "@NOTES@", "@MADE@", "@DATA@"}) {
        EXPECT_EQ(count_of(page, mark), 1U) << mark;
    }
}

TEST(TimelineHtml, HostileNamesEndNothing) {
    const std::string plain = page_of(incident());
    for (const std::string& name : hostile_names()) {
        const ReportWords words{{name}, name, {name}, {{0, name, name, name, name, 1, 1, 0}}, {0, 0}};
        const std::string page = page_of(hostile(name), words);
        for (const char* tag : {"<script", "</script", "<style", "</style", "<title", "<main"}) {
            EXPECT_EQ(count_of(page, tag), count_of(plain, tag)) << tag << " with " << name;
        }
        const json data = data_of(page);
        EXPECT_THAT(data["texts"], ::testing::Contains(json(output::printable(name))));
        EXPECT_EQ(text_at(data, data["processes"][0]["comm"]), output::printable(name));
        for (const char byte : page) EXPECT_TRUE(byte == '\n' || static_cast<unsigned char>(byte) >= 0x20);
    }
}

TEST(TimelineHtml, HoldsAndSlicesAreAsLongAsTheyWere) {
    for (std::uint32_t seed = 0; seed < kSeeds; ++seed) {
        const Timeline t = random_timeline(seed);
        const json data = data_of(page_of(t));
        std::multiset<std::uint64_t> held;
        for (const Hold& hold : t.holds) held.insert(hold.held_ns.value_or(0));
        const auto column = data["holds"]["held"].get<std::vector<std::uint64_t>>();
        EXPECT_EQ(std::multiset<std::uint64_t>(column.begin(), column.end()), held);
        std::size_t next = 0;
        for (const Process& process : t.processes) {
            for (const Thread& thread : process.threads) {
                if (thread.slices.empty()) continue;
                const json& told = data["threads"].at(next++);
                EXPECT_EQ(told["tid"], thread.tid);
                std::uint64_t sum = 0;
                for (const json& length : told["length"]) sum += length.get<std::uint64_t>();
                EXPECT_EQ(sum, thread.to_ns - thread.from_ns);
                for (std::size_t i = 1; i < told["gap"].size(); ++i) EXPECT_EQ(told["gap"][i], 0);
            }
        }
    }
}

TEST(TimelineHtml, NonsenseStaysHarmless) {
    for (std::uint32_t seed = 0; seed < kSeeds; ++seed) {
        const json data =
            data_of(page_of(broken(seed), {{}, "", {}, {{7, "", "", "", "", 1, 1, 99}}, {3, 0}}));
        for (const json& thread : data["threads"]) {
            for (const json& gap : thread["gap"]) EXPECT_LE(std::abs(gap.get<std::int64_t>()), 1LL << 53);
            for (const json& length : thread["length"]) EXPECT_GE(length.get<std::int64_t>(), 0);
            EXPECT_LT(thread["process"].get<std::int64_t>(),
                      static_cast<std::int64_t>(data["processes"].size()));
        }
    }
}

/// Two groups of holds, the second with one only.
std::pair<Timeline, ReportWords> ten_holds() {
    Timeline t = incident();
    const Hold hold = t.holds[0];
    t.holds.clear();
    ReportWords words;
    for (std::uint64_t i = 0; i < 10; ++i) {
        t.holds.push_back(hold);
        t.holds.back().held_ns = i * kSecond;
        words.group_of.push_back(i == 3 ? 1 : 0);
    }
    words.groups.resize(2);
    words.groups[0].typical = 5;
    return {std::move(t), words};
}

TEST(TimelineHtml, EveryGroupHasItsPartWhateverTheLimit) {
    const auto [t, words] = ten_holds();
    ReportLimits limits;
    EXPECT_THAT(ReportCast(t, words, limits).holds(), ElementsAre(5, 3, 9, 8, 7, 6, 4, 2, 1, 0));
    limits.holds = 4;
    EXPECT_THAT(ReportCast(t, words, limits).holds(), ElementsAre(5, 3, 9, 8));
    limits.groups = 1;  // the other is no group any more
    const ReportCast cast(t, words, limits);
    EXPECT_EQ(cast.groups(), 1U);
    EXPECT_EQ(cast.group_of(3), std::nullopt);
    EXPECT_EQ(cast.group_of(4), 0U);
}

/// A process whose only thread with a track lived so long.
Process process_of(Timeline& t, std::uint32_t pid, std::uint32_t tid, const char* comm, std::uint64_t from_s,
                   std::uint64_t to_s) {
    const StringId name = t.strings.add(comm);
    Process process{pid, name, {}, {}, {}, {}, {}};
    Thread thread{tid, name, from_s * kSecond, to_s * kSecond, {}};
    thread.slices.push_back({thread.from_ns, thread.to_ns});
    process.threads.push_back(thread);
    return process;
}

TEST(TimelineHtml, IdsThatWereGivenAgainAreThoseOfTheTime) {
    Timeline t;
    t.processes.push_back(process_of(t, 7, 7, "first", 1, 10));
    t.processes.push_back(process_of(t, 7, 7, "second", 20, 90));
    Process threads = process_of(t, 8, 9, "old", 1, 10);
    threads.threads.push_back(process_of(t, 8, 9, "new", 10, 60).threads.front());
    t.processes.push_back(threads);
    const auto hold_of = [&](std::uint32_t owner, std::uint32_t pid, std::uint32_t tid, const char* comm) {
        Hold hold;
        hold.owner = owner;
        hold.since_ns = 30 * kSecond;
        hold.held_ns = 5 * kSecond;
        hold.diagnosis.culprit = Culprit{pid, tid, t.strings.add(comm), {}};
        hold.closed = Deed{35 * kSecond, pid, tid, t.strings.add(comm), {}};
        return hold;
    };
    t.holds = {hold_of(1, 7, 7, "second"), hold_of(2, 8, 9, "new"), hold_of(2, 8, 9, "renamed"),
               hold_of(1, 7, 77, "gone")};
    const ReportWords words;
    const ReportCast cast(t, words, {});
    for (const Hold& hold : t.holds) {
        const Culprit& culprit = *hold.diagnosis.culprit;
        const auto thread = cast.thread_of(hold, culprit.pid, *culprit.tid, culprit.comm);
        ASSERT_TRUE(thread);
        EXPECT_EQ(cast.closer_of(hold), thread);
        const auto& found = cast.threads()[*thread];
        EXPECT_EQ(found.process, hold.owner);
        const bool renamed = t.text(culprit.comm) == "renamed";
        EXPECT_EQ(t.text(found.comm), renamed ? "new" : t.text(culprit.comm));
    }
}

TEST(TimelineHtml, SaysWhatIsLeftOut) {
    const auto [t, words] = ten_holds();
    ReportLimits limits;
    limits.groups = 1;
    limits.holds = 4;
    limits.details = 2;
    limits.slices = 4;
    const json data = data_of(page_of(t, words, limits));
    EXPECT_EQ(data["holds"]["id"].size(), 4U);
    EXPECT_EQ(data["details"].size(), 2U);
    ASSERT_EQ(data["left_out"].size(), 4U);
    EXPECT_EQ(data["groups"].size(), 1U);
    EXPECT_THAT(data["left_out"][0].get<std::string>(), HasSubstr("Of 2 groups the first 1"));
    EXPECT_THAT(data["left_out"][1].get<std::string>(), HasSubstr("4 of 10 holds"));
    EXPECT_THAT(data["left_out"][2].get<std::string>(), HasSubstr("2 of 4 holds"));
    EXPECT_THAT(data["left_out"][3].get<std::string>(), HasSubstr("1 thread changed too often"));
}

TEST(TimelineHtml, WhoHasNoTrackHasAName) {
    Timeline t = incident();
    t.processes.clear();
    t.holds[0].owner = kNowhere;
    const json data = data_of(page_of(t));
    ASSERT_EQ(data["processes"].size(), 1U);
    EXPECT_EQ(text_at(data, data["processes"][0]["comm"]), "orders");
    EXPECT_EQ(data["holds"]["process"], json({-1, -1})) << "a holder is no owner";
    EXPECT_EQ(data["threads"][0]["process"], 0);
    std::vector<std::uint32_t> tids;
    for (const json& thread : data["threads"]) tids.push_back(thread["tid"]);
    EXPECT_THAT(tids, ::testing::IsSupersetOf({4188U, 4190U}));
}

TEST(TimelineHtml, WhatWasPassedOnTellsWhoHadIt) {
    Timeline t = incident();
    Hold& hold = t.holds[0];
    const std::uint64_t end = *hold.since_ns + *hold.held_ns;
    hold.tenures = {{*hold.since_ns, kFrom + 3 * kSecond, kNowhere, {}}, {kFrom + 3 * kSecond, end, 0, {}}};
    const json data = data_of(page_of(t));
    std::vector<std::string> told;
    for (const json& text : data["details"][1]["holders"]) told.push_back(text_at(data, text));
    EXPECT_THAT(told, ElementsAre(HasSubstr("orders (4121), fd 57"), "owner not known had it for 2.0 s",
                                  "orders [4121] had it for 6.0 s"));
}

TEST(TimelineHtml, ManyHoldsStayAFewMegabytes) {
    Timeline t = incident();
    const Hold hold = t.holds[0];
    for (int i = 0; i < 20'000; ++i) {
        t.holds.push_back(hold);
        t.holds.back().id = t.strings.add("4026531840:" + std::to_string(i));
        t.holds.back().diagnosis.summary = t.strings.add("summary " + std::to_string(i));
        t.holds.back().holders[0].cgroup = t.strings.add(std::string(10'000, 'c') + std::to_string(i));
    }
    EXPECT_LT(page_of(t).size(), 10'000'000U);
}

}  // namespace
}  // namespace waitclose::timeline
