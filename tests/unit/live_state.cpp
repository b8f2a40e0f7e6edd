// SPDX-License-Identifier: BSD-2-Clause
// What keys do, and what stays where it is while the machine goes on.
#include "live/state.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "live_fixture.h"

namespace waitclose::live {
namespace {

using namespace testing_pictures;
using diagnose::Cause;

/// Three owners, with 30, 20 and 10 sockets.
Machine three() {
    Machine machine;
    for (std::uint32_t i = 0; i < 3; ++i) {
        const auto process = machine.add_process(10 + i, "p" + std::to_string(10 + i));
        machine.add_socket(process, 9, (i + 1) * kSecond);
        machine.add_group(process, Cause::kEofIgnored, 30 - 10 * i);
    }
    return machine;
}

std::vector<std::uint32_t> pids(const State& state) {
    std::vector<std::uint32_t> pids;
    for (const GroupKey& key : state.order) pids.push_back(key.pid.value_or(0));
    return pids;
}

std::uint32_t under_cursor(const Scene& scene) {
    return group_of(scene.state, scene.picture)->key.pid.value_or(0);
}

TEST(LiveState, TheCursorStaysOnTheWorstUntilItIsMoved) {
    Scene scene{three()};
    EXPECT_EQ(under_cursor(scene), 10U);
    scene.picture.groups[2].group.sockets = 99;
    scene.state = follow(scene.state, scene.picture);
    EXPECT_EQ(pids(scene.state), (std::vector<std::uint32_t>{12, 10, 11}));
    EXPECT_EQ(under_cursor(scene), 12U);
}

TEST(LiveState, AmongAsManySocketsFaultsComeFirst) {
    Machine machine = three();
    for (diagnose::Group& group : machine.groups) group.sockets = 1;
    machine.groups[0].cause = Cause::kHalfOpen;
    machine.groups[1].confidence = diagnose::Confidence::kPossible;
    const Scene scene{std::move(machine)};
    EXPECT_EQ(pids(scene.state), (std::vector<std::uint32_t>{12, 11, 10}));
}

TEST(LiveState, SortingSaysByWhat) {
    Scene scene{three()};
    scene.press("s");
    EXPECT_EQ(scene.state.message, "sorted by oldest");
    scene.press("\ns");
    EXPECT_EQ(scene.state.sort, Sort::kOldest) << "the groups are not shown";
}

TEST(LiveState, RecordingAndWritingAreForTheSurroundings) {
    Scene scene{three()};
    scene.press("r");
    EXPECT_EQ(scene.state.wish, Wish::kRecord);
    scene.press("w");
    EXPECT_EQ(scene.state.wish, Wish::kWrite);
    scene.state.wish = Wish::kNone;
    scene.press("/r");  // typed, not pressed
    EXPECT_EQ(scene.state.wish, Wish::kNone);
    EXPECT_EQ(scene.state.typing->text, "r");
}

TEST(LiveState, RowsKeepTheirPlacesWhileTheUserIsAtThem) {
    Scene scene{three()};
    scene.press("j");
    EXPECT_EQ(under_cursor(scene), 11U);
    scene.picture.groups[2].group.sockets = 99;
    scene.state = follow(scene.state, scene.picture);
    EXPECT_EQ(pids(scene.state), (std::vector<std::uint32_t>{10, 11, 12}));

    scene.picture.now_ns += 11 * kSecond;
    scene.state = follow(scene.state, scene.picture);
    EXPECT_EQ(pids(scene.state), (std::vector<std::uint32_t>{12, 10, 11}));
    EXPECT_EQ(under_cursor(scene), 11U);
}

TEST(LiveState, AGroupThatComesWhileTheUserIsAtTheRowsComesLast) {
    Scene scene{three()};
    GroupRow fresh = scene.picture.groups.front();
    scene.press("j");
    fresh.key.pid = 99;
    fresh.group.sockets = 1'000;
    scene.picture.groups.push_back(fresh);
    scene.state = follow(scene.state, scene.picture);
    EXPECT_EQ(pids(scene.state), (std::vector<std::uint32_t>{10, 11, 12, 99}));
}

TEST(LiveState, TheCursorFollowsItsSocketsToAnotherCause) {
    Scene scene{three()};
    scene.press("j");
    scene.picture.groups[1].key.cause = Cause::kHandlerBlocked;
    scene.state = follow(scene.state, scene.picture);
    EXPECT_EQ(under_cursor(scene), 11U);
    EXPECT_EQ(scene.state.group->cause, Cause::kHandlerBlocked);
}

TEST(LiveState, ACauseThatBecameKnownTakesTheRow) {
    Scene scene{three()};
    scene.press("j");
    scene.picture.groups[0].key.cause = Cause::kHandlerBlocked;
    scene.state = follow(scene.state, scene.picture);
    EXPECT_EQ(pids(scene.state), (std::vector<std::uint32_t>{10, 11, 12}));
    EXPECT_EQ(under_cursor(scene), 11U);
}

TEST(LiveState, TheCursorOfALostGroupStaysInItsPlace) {
    Scene scene{three()};
    scene.press("j");
    scene.picture.groups.erase(scene.picture.groups.begin() + 1);
    scene.state = follow(scene.state, scene.picture);
    EXPECT_EQ(under_cursor(scene), 12U);
}

TEST(LiveState, MovesWithinTheRows) {
    Scene scene{three()};
    scene.press("k");
    EXPECT_EQ(under_cursor(scene), 10U);
    scene.press("jjjjj");
    EXPECT_EQ(under_cursor(scene), 12U);
    scene.press("g");
    EXPECT_EQ(under_cursor(scene), 10U);
    scene.press("G");
    EXPECT_EQ(under_cursor(scene), 12U);
}

TEST(LiveState, GoesInAndOut) {
    Scene scene{three()};
    scene.picture.groups[0].group.all = {0, 1, 2};
    scene.press("\n");
    EXPECT_EQ(scene.state.view(), View::kSockets);
    scene.press("j\n");
    EXPECT_EQ(scene.state.view(), View::kHold);
    ASSERT_NE(socket_of(scene.state, scene.picture), nullptr);
    EXPECT_EQ(socket_of(scene.state, scene.picture)->cookie, 73013U);
    scene.press("t");
    EXPECT_EQ(scene.state.view(), View::kThreads);
    scene.press("\x1b\x1b");
    EXPECT_EQ(scene.state.view(), View::kSockets);
    scene.press("\x1b\x1b\x1b");
    EXPECT_EQ(scene.state.view(), View::kGroups);
    EXPECT_EQ(scene.state.wish, Wish::kNone);
}

TEST(LiveState, WhoLeavesTheHelpDoesNotLeaveTheView) {
    Scene scene{three()};
    for (const char* keys : {"?q", "??", "cc", "c?q\x1b", "t?q\x1b"}) {
        scene.press(keys);
        EXPECT_EQ(scene.state.view(), View::kGroups) << keys;
        EXPECT_EQ(scene.state.wish, Wish::kNone) << keys;
    }
    scene.press("cq");
    EXPECT_EQ(scene.state.wish, Wish::kQuit);
}

TEST(LiveState, AGroupOfOneOpensItsHold) {
    Scene scene{three()};
    scene.press("\n");
    EXPECT_EQ(scene.state.view(), View::kHold);
    scene.press("\x1b");
    EXPECT_EQ(scene.state.view(), View::kGroups);
}

TEST(LiveState, TypesAFilter) {
    Scene scene{three()};
    scene.press("/pid 1q");
    EXPECT_EQ(scene.state.typing->text, "pid 1q");
    EXPECT_EQ(scene.state.wish, Wish::kNone);
    scene.state = press(scene.state, {Key::Kind::kBackspace, {}}, scene.picture);
    EXPECT_EQ(scene.state.typing->text, "pid 1");
    scene.press("\n");
    EXPECT_EQ(scene.state.wish, Wish::kFilter);
    scene.press("\x1b");
    EXPECT_EQ(scene.state.typing, std::nullopt);
}

TEST(LiveState, ErasesWholeCharacters) {
    Scene scene{three()};
    scene.press("/");
    scene.state = press(scene.state, {Key::Kind::kCharacter, "ü"}, scene.picture);
    scene.state = press(scene.state, {Key::Kind::kBackspace, {}}, scene.picture);
    EXPECT_EQ(scene.state.typing->text, "");
}

TEST(LiveState, SortsByEveryKey) {
    Scene scene{three()};
    scene.picture.groups[1].trend.gain = Gain{7, 60 * kSecond, false};
    scene.press("s");
    EXPECT_EQ(scene.state.sort, Sort::kOldest);
    EXPECT_EQ(pids(scene.state), (std::vector<std::uint32_t>{12, 11, 10}));
    scene.press("s");
    EXPECT_EQ(pids(scene.state).front(), 11U);
    scene.press("s");
    EXPECT_EQ(pids(scene.state), (std::vector<std::uint32_t>{10, 11, 12}));
    scene.press("ss");
    EXPECT_EQ(scene.state.sort, Sort::kSockets);
}

TEST(LiveState, NothingBreaksOnAnEmptyMachine) {
    Scene scene{Machine{}};
    scene.press("jkgG\nlhtcs wq/x\x1b?\x1b\x1b");
    EXPECT_EQ(cursor_of(scene.state, scene.picture).rows, 0U);
}

TEST(LiveState, BeforeTheFirstLookKeysAreAnswered) {
    Scene scene{Machine{}};
    scene.picture.census = nullptr;
    for (const char* key : {"\n", "j", "t", "w", "s", "c"}) {
        scene.press(key);
        EXPECT_NE(scene.state.message.find("first look is still being taken"), std::string::npos) << key;
        EXPECT_EQ(scene.state.path.size(), 1U) << key;
        EXPECT_EQ(scene.state.wish, Wish::kNone) << key;
        EXPECT_NE(scene.text().find("press it again"), std::string::npos) << scene.text();
    }
    scene.press("r");
    EXPECT_EQ(scene.state.wish, Wish::kRecord);
    scene.press(" ");
    EXPECT_TRUE(scene.state.paused);
    scene.press("?jGt");
    EXPECT_EQ(scene.state.view(), View::kHelp);
    EXPECT_NE(scene.text().find("leave (here: back); waitclose"), std::string::npos) << scene.text();
    scene.press("\x1b/pid 1");
    EXPECT_EQ(scene.state.typing->text, "pid 1");
}

TEST(LiveState, WhatIsPastedIsNoKey) {
    Scene scene{three()};
    const Key pasted{Key::Kind::kPasted, "qr pid 1"};
    scene.state = press(scene.state, pasted, scene.picture);
    EXPECT_EQ(scene.state.wish, Wish::kNone);
    EXPECT_NE(scene.state.message.find("only the filter"), std::string::npos);
    scene.press("/");
    scene.state = press(scene.state, pasted, scene.picture);
    EXPECT_EQ(scene.state.typing->text, "qr pid 1");
}

TEST(LiveState, TheWayBackDoesNotGrow) {
    Scene scene{three()};
    scene.press("\n");
    for (int i = 0; i < 1'000; ++i) scene.press("t?c?t");
    EXPECT_LE(scene.state.path.size(), 5U);
    EXPECT_EQ(scene.state.scrolled.size(), scene.state.path.size());
    scene.press("?c");
    EXPECT_EQ(scene.state.view(), View::kClosed);
    scene.press("\x1b\x1b\x1b\x1b");
    EXPECT_EQ(scene.state.view(), View::kGroups);
}

/// The rule of places in its plainest form, which takes too long for many
/// groups.
std::vector<GroupKey> kept_places(std::vector<GroupKey> shown, const std::vector<GroupKey>& order,
                                  const Picture& picture) {
    for (const GroupKey& key : order) {
        if (std::ranges::count(shown, key) > 0) continue;
        const auto lost = std::ranges::find_if(
            shown, [&](const GroupKey& other) { return other.is_kin_of(key) && !find(picture, other); });
        if (lost != shown.end())
            *lost = key;
        else
            shown.push_back(key);
    }
    std::erase_if(shown, [&](const GroupKey& key) { return !find(picture, key); });
    return shown;
}

TEST(LiveState, ManyGroupsKeepTheirPlacesAsFewDo) {
    constexpr std::size_t kGroups = 1'200;
    Machine machine;
    machine.add_socket(machine.add_process(1, "p"), 9, kSecond);
    Scene scene{std::move(machine)};
    std::uint32_t random = 1;
    const auto below = [&](std::uint32_t most) {
        return ((random = random * 1'664'525 + 1'013'904'223) >> 16) % most;
    };
    const auto change = [&] {
        std::vector<GroupRow> rows;
        for (std::size_t i = 0; i < kGroups; ++i) {
            GroupRow row;
            row.key = {below(300), static_cast<Cause>(below(6)), static_cast<std::uint16_t>(8080 + below(2)),
                       ""};
            row.group.sockets = 1 + below(5);
            row.group.all = {0};
            if (!find(scene.picture, row.key) || below(3) > 0)
                if (std::ranges::none_of(rows, [&](const GroupRow& other) { return other.key == row.key; }))
                    rows.push_back(std::move(row));
        }
        scene.picture.groups = std::move(rows);
    };
    change();
    scene.state = follow(scene.state, scene.picture);
    scene.state.still_until_ns = UINT64_MAX;
    for (int round = 0; round < 5; ++round) {
        change();
        const std::vector<GroupKey> order = follow(State{}, scene.picture).order;
        const auto expected = kept_places(scene.state.order, order, scene.picture);
        scene.state = follow(scene.state, scene.picture);
        EXPECT_EQ(scene.state.order, expected) << "round " << round;
        EXPECT_NE(scene.state.order, order) << "too easy";
    }
}

}  // namespace
}  // namespace waitclose::live
