// SPDX-License-Identifier: BSD-2-Clause
// What is written into a recording comes out of it.
#include <algorithm>

#include <gtest/gtest.h>

#include "store_fixture.h"

namespace waitclose::store {
namespace {

/// Writes, and remembers what a player should be told.
class Both {
public:
    explicit Both(const std::string& path, model::Selection selection = {})
        : writer_(Writer::create({.path = path, .selection = std::move(selection)}).value()) {}

    template <typename Event>
    void on(const Event& event) {
        writer_->on(event);
        told_.on(event);
    }
    void look(std::uint64_t begun_ns, model::Census& census) {
        look_begins(begun_ns);
        look(census);
    }
    void look_begins(std::uint64_t begun_ns) {
        writer_->look_begins(begun_ns);
        told_.look_begins(begun_ns);
    }
    void look(model::Census& census) {
        told_.look(census);
        writer_->look(census);
        EXPECT_TRUE(writer_->keep_up(census.taken_ns));
    }
    Writer& writer() { return *writer_; }
    Listener& told() { return told_; }

    std::vector<std::string> finish() {
        EXPECT_TRUE(writer_->finish(Ending::kAsked, 1'000'000));
        return told_.lines;
    }

private:
    std::unique_ptr<Writer> writer_;
    Listener told_;
};

std::vector<std::string> after_about(std::vector<std::string> lines) {
    if (!lines.empty()) lines.erase(lines.begin());
    return lines;
}

model::Connection connection(std::uint64_t cookie, model::Family family = model::Family::kIpv4) {
    model::Connection made{{4026531840, cookie}, family, {{127, 0, 0, 1}, 80}, {{10, 2, 3, 4}, 51234}};
    if (family == model::Family::kIpv6) made.local.address[15] = made.remote.address[15] = 9;
    return made;
}

TEST(StoreRoundTrip, EveryFieldOfACensusComesBack) {
    for (const bool present : {true, false}) {
        SCOPED_TRACE(present);
        Directory directory;
        Filling filling{.present = present};
        model::Census census = full_census(filling);
        Both both(directory.file("a.db"));
        both.look(census.taken_ns - 5, census);
        both.writer().keep_up(census.taken_ns + 1'000'000'000);
        EXPECT_EQ(difference(both.told().lines, after_about(played(directory.file("a.db")))), "") << "early";
        const auto expected = both.finish();
        EXPECT_EQ(difference(expected, after_about(played(directory.file("a.db")))), "");
    }
}

TEST(StoreRoundTrip, LooksComeBackWhateverChanges) {
    Directory directory;
    Filling filling;
    Both both(directory.file("a.db"));
    for (int round = 0; round < 12; ++round) {
        filling.last = round % 4 ? 1000 : 500'000;  // the same as before, or everything new
        filling.present = round % 6 < 3;
        model::Census census = full_census(filling);
        census.taken_ns = 1'000'000'000 * static_cast<std::uint64_t>(round + 1);
        if (round % 3 == 1) std::swap(census.sockets[0], census.sockets[3]);
        if (round % 3 == 2) census.sockets.erase(census.sockets.begin() + 1);
        if (round % 4 == 3) census.processes[1].fds_used = 99;
        for (model::Thread& thread : census.threads) thread.read_ns = census.taken_ns + 7;
        both.look(census.taken_ns - 5, census);
    }
    const auto expected = both.finish();
    EXPECT_EQ(difference(expected, after_about(played(directory.file("a.db")))), "");
}

model::Left left(std::uint64_t at_ns, std::uint64_t cookie) {
    return {at_ns, connection(cookie).key, model::End::kProgram, 0,
            model::Actor{.start_ns = 5, .pid = 7, .tid = 8, .comm = {'c', '\xff', '\n'}}};
}

/// A census that shows one held socket and nothing else.
model::Census census_of(std::uint64_t taken_ns, std::uint64_t cookie) {
    model::Census census;
    census.taken_ns = taken_ns;
    model::Socket& socket = census.sockets.emplace_back();
    socket.netns = connection(cookie).key.netns;
    socket.cookie = cookie;
    socket.held_since_ns = 3;
    return census;
}

TEST(StoreRoundTrip, EventsComeBackInTheirOrderAmongTheLooks) {
    Directory directory;
    Both both(directory.file("a.db"));
    both.on(model::Entered{10, connection(1)});
    both.on(model::Entered{11, connection(2, model::Family::kIpv6)});
    both.on(model::Left{12, connection(99).key, model::End::kExit, 0, std::nullopt});  // nobody saw it begin
    both.look_begins(20);
    both.on(left(21, 1));
    both.on(model::Entered{22, connection(~std::uint64_t{0})});
    model::Census census = census_of(25, 2);
    both.look(census);
    both.on(model::Left{19, connection(~std::uint64_t{0}).key, model::End::kKernel, 0, std::nullopt});
    both.on(model::Transition{30, model::TcpState::kEstablished, model::TcpState::kCloseWait, connection(4)});
    both.writer().losses(31, {1, 2, 3});
    both.told().losses(31, {1, 2, 3});
    census = census_of(45, 2);
    both.look(40, census);
    both.on(model::Left{50, connection(2).key, model::End::kError, 104, std::nullopt});
    const auto expected = both.finish();
    EXPECT_EQ(difference(expected, after_about(played(directory.file("a.db")))), "");
}

TEST(StoreRoundTrip, ShortHoldsAreKeptOnlyIfALookShowsThem) {
    Directory directory;
    model::Selection selection;
    selection.min_held_ns = 100;
    Both both(directory.file("a.db"), std::move(selection));
    both.writer().on(model::Entered{10, connection(1)});
    both.writer().on(left(60, 1));  // short, and nothing shows it
    both.on(model::Entered{20, connection(2)});
    both.on(model::Entered{30, connection(3)});
    both.look_begins(40);
    both.on(left(45, 2));  // short, but shown
    both.writer().on(model::Entered{46, connection(4)});
    both.writer().on(left(47, 4));
    model::Census census = census_of(50, 2);
    both.look(census);
    both.on(left(200, 3));  // long enough
    const auto expected = both.finish();
    EXPECT_EQ(both.writer().dropped(), 2U);
    EXPECT_EQ(difference(expected, after_about(played(directory.file("a.db")))), "");
}

TEST(StoreRoundTrip, AnythingSaidOfTheRecordingComesBack) {
    Directory directory;
    About about;
    about.program = "waitclose 9.9.9";
    about.hostname = "h\xff";
    about.kernel = "6.18.44";
    about.boot_id = "b";
    about.begun_ns = 77;
    about.wall_offset_ns = -5;
    about.probes = {{{"read", "tp_btf/x"}, {"close", "tp/y"}}, {"accept"}};
    about.arguments = "waitclose record -o F";
    about.all_transitions = about.selects = true;
    about.min_held_ns = 250;
    Both both(directory.file("a.db"));
    both.writer().about(about);
    both.told().about(about);
    const auto expected = both.finish();
    EXPECT_EQ(difference(expected, played(directory.file("a.db"))), "");
}

}  // namespace
}  // namespace waitclose::store
