// SPDX-License-Identifier: BSD-2-Clause
#include <gtest/gtest.h>

#include <numeric>

#include "diagnose_builder.h"
#include "model/events.h"
#include "model/target.h"

namespace waitclose::test {
namespace {

using model::parse_target;
using Kind = model::Target::Kind;

TEST(Target, Ids) {
    const auto target = parse_target("4026531840:73012");
    ASSERT_TRUE(target);
    EXPECT_EQ(target->kind, Kind::kSocket);
    EXPECT_EQ(target->netns, 4026531840U);
    EXPECT_EQ(target->cookie, 73012U);
    const auto own = parse_target("4026531840:own-5");
    ASSERT_TRUE(own);
    EXPECT_FALSE((model::SocketKey{own->netns, own->cookie}.has_cookie()));
    EXPECT_EQ((model::SocketKey{own->netns, own->cookie}.own_number()), 5U);
}

TEST(Target, Numbers) {
    EXPECT_EQ(parse_target("pid:4121")->kind, Kind::kProcess);
    EXPECT_EQ(parse_target("port:8080")->kind, Kind::kPort);
    EXPECT_EQ(parse_target("8080")->kind, Kind::kProcessOrPort);
    EXPECT_EQ(parse_target("2147483647")->number, 2147483647U);
}

TEST(Target, Junk) {
    for (const char* text : {"",
                             " ",
                             "0",
                             "-1",
                             "+1",
                             "1.5",
                             "0x10",
                             "2147483648",
                             "99999999999999999999",
                             "pid:",
                             "pid:0",
                             "pid:-4",
                             "port:65536",
                             "port:",
                             ":",
                             "1:",
                             ":1",
                             "0:1",
                             "1:0",
                             "4294967296:1",
                             "1:own-",
                             "1:2:3",
                             "1:9223372036854775808",
                             "1:99999999999999999999",
                             "tid:5",
                             "12 "})
        EXPECT_FALSE(parse_target(text)) << text;
    EXPECT_FALSE(parse_target(std::string_view("1\0", 2)));
}

class Match : public testing::Test {
protected:
    Match() {
        const auto p = b.process(8080, {in_accept(8080)});
        const auto q = b.process(20, {in_accept(20)});
        b.listener({{q, 3}});
        b.socket({{p}}).local.port = 9090;
        b.socket({{q}}).local.port = 8080;
        auto& queued = b.socket({});
        queued.has_file = false;
        queued.listener = 0;
        queued.local.port = 20;
        for (std::uint32_t i = 0; i < 3; ++i) {
            b.census.sockets[i].netns = 7;
            b.census.sockets[i].cookie = 100 + i;
        }
    }
    model::Matches find(const std::string& text) {
        return model::match(b.census, {0, 1, 2}, *parse_target(text));
    }
    using Sockets = std::vector<std::uint32_t>;
    Builder b;
};

TEST_F(Match, ByIdPidAndPort) {
    EXPECT_EQ(find("7:101").sockets, (Sockets{1}));
    EXPECT_EQ(find("8:101").sockets, Sockets());
    EXPECT_EQ(find("pid:20").sockets, (Sockets{1, 2})) << "with its accept queue";
    EXPECT_EQ(find("port:9090").sockets, (Sockets{0}));
    EXPECT_EQ(find("pid:9090").sockets, Sockets());
}

TEST_F(Match, ANumberThatIsBoth) {
    EXPECT_EQ(find("8080").kind, Kind::kProcess);
    EXPECT_TRUE(find("8080").was_either);
    EXPECT_EQ(find("8080").sockets, (Sockets{0}));
    EXPECT_EQ(find("port:8080").sockets, (Sockets{1}));
    EXPECT_EQ(find("9090").kind, Kind::kPort);
    EXPECT_FALSE(find("9090").was_either);
    EXPECT_TRUE(find("5").sockets.empty());
}

TEST_F(Match, OnlyAmongTheSelected) {
    EXPECT_TRUE(model::match(b.census, {0}, *parse_target("pid:20")).sockets.empty());
    EXPECT_TRUE(model::match({}, {}, *parse_target("1")).sockets.empty());
}

}  // namespace
}  // namespace waitclose::test
