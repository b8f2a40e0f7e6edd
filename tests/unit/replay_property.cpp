// SPDX-License-Identifier: BSD-2-Clause
// Whatever is recorded, its timeline keeps the rules, and a hold is as long in every format as it was held.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "replay/replay.h"
#include "replay_fixture.h"
#include "timeline_fixture.h"
#include "timeline_properties.h"

namespace waitclose::replay {
namespace {

using namespace testing;
using timeline::testing::Dice;
using timeline::testing::written;

constexpr std::uint32_t kSeeds = 60;

/// A machine on which connections come and go, threads sleep and run, and the recorder loses events.
class RandomIncident {
public:
    RandomIncident(std::uint32_t seed, bool hostile) : dice_(seed), hostile_(hostile) {}

    Incident play() {
        Wanted wanted;
        if (dice_.one_in(2)) wanted.selection.min_held_ns = 250 * kMs;
        Replay replay(std::move(wanted));
        store::About made = about();
        made.begun_ns = dice_.one_in(5) ? 0 : kBegun;
        made.end_ns.reset();
        replay.about(made);
        now_ = kBegun;
        for (std::uint64_t steps = 5 + dice_.below(60); steps > 0; --steps) {
            now_ += dice_.below(300 * kMs);
            step(replay);
        }
        return replay.finish();
    }

private:
    std::uint64_t moment() {
        if (hostile_ && dice_.one_in(4)) return dice_.one_in(3) ? dice_.below(UINT64_MAX) : dice_.below(2);
        return now_;
    }
    std::uint64_t cookie() { return 1 + dice_.below(12); }

    void step(Replay& replay) {
        switch (dice_.below(8)) {
        case 0:
        case 1:
        case 2: replay.on(entered(cookie(), moment())); return;
        case 3: replay.on(ending()); return;
        case 4: replay.losses(moment(), {dice_.below(50), dice_.below(3), dice_.below(3)}); return;
        case 5:
            replay.on(model::Transition{moment(), model::TcpState::kClose,
                                        static_cast<model::TcpState>(dice_.below(13)), connection(cookie())});
            return;
        default: break;
        }
        replay.look_begins(moment());
        if (dice_.one_in(4)) replay.on(ending());
        model::Census census = random_census();
        replay.look(census);
    }

    model::Left ending() {
        model::Left made = left(cookie(), moment(), 4000 + static_cast<std::uint32_t>(dice_.below(3)), 4001);
        made.end = static_cast<model::End>(dice_.below(4));
        if (dice_.one_in(3)) made.closer.reset();
        return made;
    }

    model::Thread random_thread(std::uint32_t tid) {
        model::Thread thread =
            dice_.one_in(3) ? running(tid) : asleep(tid, dice_.one_in(2) ? SYS_futex : SYS_read, 5);
        thread.read_ns = moment();
        const std::uint64_t ago = dice_.below(kSec);
        if (thread.state != model::RunState::kRunning && !dice_.one_in(4))
            thread.asleep_since_ns = hostile_ ? moment() : now_ - ago;
        const std::uint64_t since_ns = now_ - kBegun + 1;
        thread.on_cpu_ns = dice_.below(since_ns);
        thread.run_delay_ns = dice_.below(since_ns);
        thread.switches = dice_.below(30);
        return thread;
    }

    model::Census random_census() {
        Builder builder;
        builder.census.taken_ns = moment();
        for (std::uint32_t i = 0; i < 3; ++i) {
            std::vector<model::Thread> threads;
            for (std::uint32_t k = 0; k <= dice_.below(3); ++k)
                threads.push_back(random_thread(4000 + 10 * i + k));
            builder.process(4000 + i, std::move(threads));
            builder.census.processes.back().fds_used = dice_.below(100);
        }
        for (std::uint64_t one = 1; one <= 12; ++one) {
            if (dice_.one_in(2)) continue;
            model::Socket& socket = socket_of(
                builder, one, {{static_cast<std::uint32_t>(dice_.below(3)), static_cast<std::int32_t>(one)}});
            socket.held_since_ns = hostile_ ? moment() : now_ - dice_.below(5 * kSec);
            if (dice_.one_in(2)) read_eof(socket, deed(4000, 4000, moment(), model::Operation::kRead));
            if (dice_.one_in(4)) socket.role = model::Role::kClient;
        }
        if (dice_.one_in(3)) {
            builder.census.window.emplace();
            builder.census.window->from_ns = moment();
            builder.census.window->to_ns = moment();
            builder.census.window->io.some_ns = dice_.below(kSec);
        }
        return std::move(builder.census);
    }

    Dice dice_;
    bool hostile_;
    std::uint64_t now_ = 0;
};

TEST(ReplayProperty, TheTimelineKeepsTheRules) {
    for (std::uint32_t seed = 0; seed < kSeeds; ++seed) {
        const Incident incident = RandomIncident(seed, false).play();
        EXPECT_EQ(complaints(incident), "") << "seed " << seed;
        EXPECT_EQ(incident.holds.size(), incident.timeline.holds.size());
        std::uint64_t in_groups = incident.unseen.size();
        for (const Group& group : incident.groups) in_groups += group.holds;
        EXPECT_EQ(in_groups, incident.holds.size()) << "seed " << seed;
    }
}

TEST(ReplayProperty, HostileTimesKeepThemToo) {
    for (std::uint32_t seed = 0; seed < kSeeds; ++seed) {
        const Incident incident = RandomIncident(seed, true).play();
        EXPECT_EQ(complaints(incident), "") << "seed " << seed;
        for (const timeline::Format& format : timeline::formats()) written(incident.timeline, format.write);
    }
}

TEST(ReplayProperty, EveryFormatTellsTheSame) {
    namespace told = timeline::testing;
    std::size_t passed_on = 0;
    for (std::uint32_t seed = 0; seed < kSeeds; ++seed) {
        SCOPED_TRACE(seed);
        const Incident incident = RandomIncident(seed, false).play();
        const timeline::Timeline& timeline = incident.timeline;
        const told::Told expected = told::told_by(timeline);
        const told::Told chrome = told::told_by_chrome(written(timeline, timeline::write_chrome));
        const told::Told perfetto = told::told_by_perfetto(written(timeline, timeline::write_perfetto));
        const told::Told speedscope = told::told_by_speedscope(written(timeline, timeline::write_speedscope));
        const told::Told ndjson = told::told_by_ndjson(written(timeline, timeline::write_ndjson));
        for (const told::Told* one : {&chrome, &perfetto, &speedscope, &ndjson}) {
            EXPECT_THAT(one->wrong, ::testing::IsEmpty());
            if (one != &ndjson) {
                EXPECT_EQ(one->threads, expected.threads);
            }
            if (one != &speedscope) {
                EXPECT_EQ(one->holds, expected.holds);
            }
        }
        std::uint64_t held_ns = 0;
        for (const std::uint64_t length : expected.holds) held_ns += length;
        const std::string folded = written(timeline, timeline::write_folded);
        EXPECT_NEAR(static_cast<double>(told::milliseconds_in_folded(folded)),
                    static_cast<double>(held_ns) / 1e6,
                    static_cast<double>(std::count(folded.begin(), folded.end(), '\n')));
        for (std::size_t i = 0; i < incident.holds.size(); ++i) {
            const timeline::Hold& hold = timeline.holds[i];
            EXPECT_EQ(hold.held_ns, incident.holds[i].held_ns());
            EXPECT_EQ(hold.since_ns, incident.holds[i].since_ns);
            if (!hold.tenures.empty()) ++passed_on;
        }
    }
    EXPECT_GT(passed_on, 10U) << "some are passed on";
}

}  // namespace
}  // namespace waitclose::replay
