// SPDX-License-Identifier: BSD-2-Clause
#include "output/format.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <time.h>

#include <limits>

namespace waitclose::output {
namespace {

using std::chrono::nanoseconds;
constexpr std::uint64_t kSecond = 1'000'000'000;

TEST(OutputFormat, DurationsForPeople) {
    EXPECT_EQ(duration_text(0), "0 ms");
    EXPECT_EQ(duration_text(53'999), "0.05 ms");
    EXPECT_EQ(duration_text(5'260'000), "5.26 ms");
    EXPECT_EQ(duration_text(250'000'000), "250 ms");
    EXPECT_EQ(duration_text(1'890'000'000), "1.8 s");  // rounded down: "at least" must stay true
    EXPECT_EQ(duration_text(59'999'999'999), "59 s");
    EXPECT_EQ(duration_text(60 * kSecond), "1 min");
    EXPECT_EQ(duration_text(192 * kSecond), "3 min 12 s");
    EXPECT_EQ(duration_text(8000 * kSecond), "2 h 13 min");
    EXPECT_EQ(duration_text((4 * 24 + 2) * 3600 * kSecond), "4 d 2 h");
    EXPECT_EQ(duration_text(std::numeric_limits<std::uint64_t>::max()), "213503 d 23 h");
}

TEST(OutputFormat, DurationsForCells) {
    EXPECT_EQ(short_duration_text(250'000'000), "250ms");
    EXPECT_EQ(short_duration_text(192 * kSecond), "3m12s");
    EXPECT_EQ(short_duration_text(8000 * kSecond), "2h13m");
    EXPECT_EQ(short_duration_text(48 * 3600 * kSecond), "2d");
}

TEST(OutputFormat, CountsAreGrouped) {
    EXPECT_EQ(count_text(0), "0");
    EXPECT_EQ(count_text(999), "999");
    EXPECT_EQ(count_text(1000), "1,000");
    EXPECT_EQ(count_text(182331), "182,331");
    EXPECT_EQ(count_text(std::numeric_limits<std::uint64_t>::max()), "18,446,744,073,709,551,615");
}

TEST(OutputFormat, TimesAreRfc3339) {
    EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00.000000000Z");
    EXPECT_EQ(rfc3339(1795204800'123456789), "2026-11-20T20:00:00.123456789Z");
    EXPECT_EQ(rfc3339(951782399'999999999), "2000-02-28T23:59:59.999999999Z");
    EXPECT_EQ(rfc3339(-1), "1969-12-31T23:59:59.999999999Z");
}

TEST(OutputFormat, TimesForPeopleAreLocal) {
    ::setenv("TZ", "UTC-2", 1);  // two hours east
    ::tzset();
    EXPECT_EQ(clock_text(1795204800'123456789), "22:00:00.123");
    EXPECT_EQ(utc_offset_s(1795204800'123456789), 7200);
    EXPECT_EQ(date_time_text(1795204800'123456789), "2026-11-20 22:00:00 +0200");
    ::setenv("TZ", "UTC", 1);
    ::tzset();
}

TEST(OutputFormat, Endpoints) {
    EXPECT_EQ(endpoint_text(model::Family::kIpv4, {{127, 0, 0, 1}, 80}), "127.0.0.1:80");
    model::Endpoint loopback;
    loopback.address[15] = 1;
    loopback.port = 8080;
    EXPECT_EQ(endpoint_text(model::Family::kIpv6, loopback), "[::1]:8080");
}

TEST(OutputFormat, ParsesDurations) {
    EXPECT_EQ(parse_duration("0").value(), nanoseconds(0));
    EXPECT_EQ(parse_duration("0s").value(), nanoseconds(0));
    EXPECT_EQ(parse_duration("7ns").value(), nanoseconds(7));
    EXPECT_EQ(parse_duration("100us").value(), nanoseconds(100'000));
    EXPECT_EQ(parse_duration("250ms").value(), nanoseconds(250'000'000));
    EXPECT_EQ(parse_duration("10s").value(), nanoseconds(10'000'000'000));
    EXPECT_EQ(parse_duration("1.5s").value(), nanoseconds(1'500'000'000));
    EXPECT_EQ(parse_duration("0.000000001s").value(), nanoseconds(1));
    EXPECT_EQ(parse_duration("1.50000000000000s").value(), nanoseconds(1'500'000'000));
    EXPECT_EQ(parse_duration("5m").value(), std::chrono::minutes(5));
    EXPECT_EQ(parse_duration("2h").value(), std::chrono::hours(2));
    EXPECT_EQ(parse_duration("0.5d").value(), std::chrono::hours(12));
    EXPECT_EQ(parse_duration("9223372036854775807ns").value(), nanoseconds::max());
}

TEST(OutputFormat, RefusesWhatIsNoDuration) {
    for (const char* text : {"",
                             "s",
                             "10",
                             "1.5",
                             "-1s",
                             "+1s",
                             " 1s",
                             "1s ",
                             "1 s",
                             "1.s",
                             ".5s",
                             "1e3s",
                             "1,5s",
                             "1s2",
                             "1sec",
                             "0x1s",
                             "1.0.0s",
                             "nan",
                             "0.1ns",
                             "0.0000000001s",
                             "9223372036854775808ns",
                             "9223372036.854775808s",
                             "99999999999999999999999s",
                             "106752d",
                             "1\ns"}) {
        const auto result = parse_duration(text);
        ASSERT_FALSE(result.has_value()) << text;
        EXPECT_EQ(result.error().find('\n'), std::string::npos);
    }
    EXPECT_EQ(parse_duration("10").error(),
              "\"10\" is not a duration: the unit is missing (ns, us, ms, s, m, h or d)");
    EXPECT_EQ(parse_duration("\x1b[2J").error(),
              "\"\\e[2J\" is not a duration: write it like 250ms, 10s, 5m or 2h");
    EXPECT_LT(parse_duration(std::string(10'000, 'x')).error().size(), 200U);
}

}  // namespace
}  // namespace waitclose::output
