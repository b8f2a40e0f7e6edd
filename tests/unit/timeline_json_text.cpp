// SPDX-License-Identifier: BSD-2-Clause
// JSON written piece by piece: read back by a parser that is not ours.
#include "timeline/json_text.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "output/json.h"
#include "timeline_fixture.h"

namespace waitclose::timeline {
namespace {

using namespace testing;

/// What `fill` writes.
template <typename Fill>
std::string json_of(Fill&& fill) {
    const int descriptor = ::memfd_create("json", MFD_CLOEXEC);
    {
        output::Sink sink = output::Sink::to_descriptor(descriptor, "memory");
        JsonText json(sink);
        fill(json);
    }
    std::string text(static_cast<std::size_t>(::lseek(descriptor, 0, SEEK_CUR)), '\0');
    EXPECT_EQ(::pread(descriptor, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    ::close(descriptor);
    return text;
}

std::string text_of(std::string_view bytes) {
    return json_of([&](JsonText& json) { json.text(bytes); });
}

TEST(TimelineJsonText, CommasAreWhereTheyBelong) {
    EXPECT_EQ(json_of([](JsonText& json) {
                  json.begin_object();
                  json.key("a").number(std::uint64_t{1});
                  json.key("b").begin_array();
                  json.begin_object();
                  json.end_object();
                  json.null();
                  json.boolean(false);
                  json.begin_array();
                  json.end_array();
                  json.text("x");
                  json.end_array();
                  json.key("c").maybe(std::optional<bool>());
                  json.key("d").maybe(std::optional<std::uint64_t>(7));
                  json.end_object();
                  json.end_document();
                  json.begin_array();
                  json.end_array();
              }),
              "{\"a\":1,\"b\":[{},null,false,[],\"x\"],\"c\":null,\"d\":7}\n[]");
}

TEST(TimelineJsonText, TextIsAsciiAndObeyedByNobody) {
    EXPECT_EQ(text_of("plain"), R"("plain")");
    EXPECT_EQ(text_of("\"\\\n\r\t"), R"("\"\\\n\r\t")");
    EXPECT_EQ(text_of("\x1b]0;x\a\x7f"), R"("\u001b]0;x\u0007\u007f")");
    EXPECT_EQ(text_of("</script>"), R"("\u003c/script>")");
    EXPECT_EQ(text_of("\xc3\xa9\xe2\x80\xae\xf0\x9f\x94\xa5"), R"("\u00e9\u202e\ud83d\udd25")");
    EXPECT_EQ(text_of("a\xff\xc3"), R"("a\ufffd\ufffd")");
    EXPECT_EQ(text_of(std::string_view("\0", 1)), R"("\u0000")");
}

TEST(TimelineJsonText, ReadsBackAsWhatTheJsonContractWrites) {
    for (const std::string& name : hostile_names()) {
        const auto ours = nlohmann::json::parse(text_of(name));
        if (name.find('\xff') != std::string::npos)
            continue;  // how many U+FFFD stand for a broken run may differ
        EXPECT_EQ(ours, nlohmann::json::parse(output::dump(name))) << name;
    }
}

TEST(TimelineJsonText, NumbersAreExact) {
    const auto number = [](auto value) { return json_of([&](JsonText& json) { json.number(value); }); };
    EXPECT_EQ(number(std::uint64_t{UINT64_MAX}), "18446744073709551615");
    EXPECT_EQ(number(std::int64_t{INT64_MIN}), "-9223372036854775808");
    EXPECT_EQ(number(0.1), "0.1");
    EXPECT_EQ(nlohmann::json::parse(number(1e300)).get<double>(), 1e300);
    EXPECT_EQ(number(std::numeric_limits<double>::infinity()), "null");
    EXPECT_EQ(number(std::numeric_limits<double>::quiet_NaN()), "null");
    const auto thousandths = [](std::uint64_t value) {
        return json_of([&](JsonText& json) { json.thousandths(value); });
    };
    EXPECT_EQ(thousandths(1234567), "1234.567");
    EXPECT_EQ(thousandths(1000), "1");
    EXPECT_EQ(thousandths(7), "0.007");
    EXPECT_EQ(thousandths(0), "0");
    EXPECT_EQ(thousandths(UINT64_MAX), "18446744073709551.615");
}

TEST(TimelineJsonText, PiecesAreCutWhereverTheyEnd) {
    const std::string tail = "\xf0\x9f\x94\xa5\"<\n\xff plain";
    for (std::size_t length = 65'500; length < 65'560; ++length) {
        const std::string text = std::string(length, 'x') + tail;
        ASSERT_EQ(json_of([&](JsonText& json) {
                      json.begin_array();
                      json.text(text);
                      json.key("key").number(std::uint64_t{UINT64_MAX});
                      json.thousandths(7);
                  }),
                  "[\"" + std::string(length, 'x') +
                      "\\ud83d\\udd25\\\"\\u003c\\n\\ufffd plain\",\"key\":18446744073709551615,0.007");
    }
}

TEST(TimelineJsonText, LongOnesAreWhole) {
    const std::string text = json_of([](JsonText& json) {
        json.begin_array();
        for (int i = 0; i < 20'000; ++i)
            json.text("element " + std::string(static_cast<std::size_t>(i) % 50, '\n'));
        json.text(std::string(300'000, '<'));
        json.end_array();
    });
    const auto back = nlohmann::json::parse(text);
    ASSERT_EQ(back.size(), 20'001U);
    EXPECT_EQ(back[49], "element " + std::string(49, '\n'));
    EXPECT_EQ(back.back(), std::string(300'000, '<'));
}

}  // namespace
}  // namespace waitclose::timeline
