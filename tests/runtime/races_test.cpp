// SPDX-License-Identifier: BSD-2-Clause
// What dies, execs, and gives its numbers to others while it is looked at: nobody is named for somebody else.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include <gtest/gtest.h>

#include "clock.h"
#include "programs.h"
#include "race_ledger.h"

namespace runtime {

namespace {

constexpr auto usual_time = 60s;
// Between what a line is dated at and the reading of all that it says.
constexpr std::int64_t a_look_ns = 150'000'000;
constexpr std::int64_t an_event_ns = 20'000'000;
constexpr std::size_t shown = 10;
constexpr std::size_t enough_names = 20;  // to say anything about them

// WAITCLOSE_RACE_SECONDS: shorter to try it out, or longer to hunt.
std::chrono::seconds time_to_race() {
    const char* seconds = std::getenv("WAITCLOSE_RACE_SECONDS");
    return seconds ? std::chrono::seconds(std::atoi(seconds)) : usual_time;
}

class MappedLedger {
public:
    explicit MappedLedger(const std::string& path) {
        const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
        void* mapped = mmap(nullptr, sizeof(race::Ledger), PROT_READ, MAP_SHARED, file.get(), 0);
        if (mapped == MAP_FAILED) throw std::runtime_error("cannot map " + path);
        ledger_ = static_cast<const race::Ledger*>(mapped);
    }
    MappedLedger(const MappedLedger&) = delete;
    MappedLedger& operator=(const MappedLedger&) = delete;
    ~MappedLedger() { munmap(const_cast<race::Ledger*>(ledger_), sizeof(race::Ledger)); }
    const race::Ledger& operator*() const { return *ledger_; }
    const race::Ledger* operator->() const { return ledger_; }

private:
    const race::Ledger* ledger_ = nullptr;
};

// What was said, and when it was so. A line's date is put on the ledger's clock as soon as it is read: the
// wall clock may be slewed by 0.5 ms a second.
struct Look {
    json socket;
    Span span;
};

struct Closing {
    json event;
    Span span;
};

struct Seen {
    std::vector<Look> looks;
    std::vector<Closing> closings;
    int snapshots = 0;
};

Span around(const json& event, std::int64_t slack_ns) {
    const std::int64_t at = boot_ns_of(event.at("at"));
    return {at - slack_ns, at + slack_ns};
}

void keep(Seen& seen, const json& event) {
    if (!event.is_object() || !event.contains("socket")) return;
    if (event.at("event") == "closed")
        seen.closings.push_back({event, around(event, an_event_ns)});
    else if (event.at("event") != "entered")
        seen.looks.push_back({event.at("socket"), around(event, a_look_ns)});
}

void take_snapshot(Seen& seen, const Arguments& options) {
    const std::int64_t before = boot_ns();
    const Snapshot taken = snapshot(options);
    ASSERT_EQ(taken.finished.code, 0) << taken.finished.err;
    ASSERT_TRUE(taken.document.is_object()) << taken.finished.out;
    for (const json& socket : taken.document.at("sockets"))
        seen.looks.push_back({socket, {before, boot_ns()}});
    ++seen.snapshots;
}

// A watch is always there; it ends and begins anew, so that its start and its end race as well.
Seen look_again_and_again(const Arguments& selection, std::chrono::milliseconds time) {
    Seen seen;
    const Deadline end(time);
    for (int round = 0; end.milliseconds_left() > 0 && !testing::Test::HasFatalFailure(); ++round) {
        Arguments options = selection;
        options.insert(options.end(), {"--min-held", "0ms"});
        Watch watch(options);
        const Deadline this_round(
            std::min<std::chrono::milliseconds>(5s, std::chrono::milliseconds(end.milliseconds_left())));
        while (this_round.milliseconds_left() > 0) {
            const Deadline until_next(200ms);
            while (until_next.milliseconds_left() > 0)
                keep(seen, watch.until([](const json&) { return true; },
                                       std::chrono::milliseconds(until_next.milliseconds_left())));
            take_snapshot(seen, selection);
        }
        const std::size_t kept = watch.events().size();
        const Finished finished = watch.stop();
        EXPECT_EQ(finished.code, 0) << finished.err;
        EXPECT_FALSE(totals(finished.err).is_null()) << "what was lost is told at the end: " << finished.err;
        for (std::size_t i = kept; i < watch.events().size(); ++i) keep(seen, watch.events()[i]);
        if (round % 3 == 0) take_snapshot(seen, {selection[0], selection[1], "--observe", "500ms"});
    }
    return seen;
}

struct Count {
    std::size_t wrong = 0, named = 0;
    std::size_t wrong_before =
        0;  // by the same checks, had the looks come two seconds before: they are sharp
};

Count judged(const RaceLedger& truth, const Seen& seen) {
    constexpr std::int64_t before_ns = 2'000'000'000;
    Count count;
    const auto tell = [&](const std::vector<std::string>& sentences, const json& said) {
        for (const std::string& sentence : sentences)
            if (++count.wrong <= shown) ADD_FAILURE() << sentence << "\n" << said.dump();
    };
    for (const auto& [socket, span] : seen.looks) {
        if (!truth.is_about(socket)) continue;
        count.named += !socket.at("culprit").is_null();
        tell(truth.wrong_names(socket, span), socket);
        const Span before{span.from_ns - before_ns, span.until_ns - before_ns};
        count.wrong_before += truth.wrong_names(socket, before).size();
    }
    for (const auto& [event, span] : seen.closings)
        if (truth.is_about(event.at("socket"))) tell(truth.wrong_closer(event, span), event);
    return count;
}

}  // namespace

TEST(LongRaces, NameNobodyElse) {
    const TemporaryDirectory directory;
    const std::string path = directory.path() + "/ledger";
    const char* chosen = std::getenv("WAITCLOSE_RACE_SEED");
    const std::string seed = chosen ? chosen : "20261121";
    Process racers({culprit_path("race"), path, seed});
    const json ready = json::parse(racers.read_line(20s).value_or("null"));
    ASSERT_TRUE(ready.is_object()) << racers.errors();
    const Seen seen = look_again_and_again({"-L", ready.at("port").dump()}, time_to_race());
    racers.end_input();
    ASSERT_EQ(racers.wait(20s), 0) << racers.errors();

    const MappedLedger ledger(path);
    const RaceLedger truth(*ledger, ready.at("port"));
    const Count count = judged(truth, seen);
    std::cout << "seed " << seed << ": " << ledger->processes << " processes, " << ledger->connections
              << " connections, " << ledger->reused_pids << " process ids and " << ledger->reused_tids
              << " thread ids given again, " << ledger->execs << " execs, " << ledger->forks << " forks, "
              << ledger->passed << " descriptors passed; " << seen.snapshots << " snapshots; "
              << seen.looks.size() << " answers, " << count.named << " of them name somebody, "
              << seen.closings.size() << " ends; " << count.wrong << " names were wrong, and "
              << count.wrong_before << " would have been two seconds before\n";
    EXPECT_EQ(count.wrong, 0u);
    if (count.named < enough_names)
        GTEST_SKIP() << "SKIPPED: the machine was too busy to look often: " << count.named << " names";
    EXPECT_GT(count.wrong_before, count.named) << "the ledger is to tell a wrong name from a right one";
}

}  // namespace runtime
