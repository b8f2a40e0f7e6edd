// SPDX-License-Identifier: BSD-2-Clause
#include "output/format.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <ctime>
#include <limits>
#include <optional>

#include "model/units.h"
#include "output/escape.h"

namespace waitclose::output {

namespace {

using model::kDay;
using model::kHour;
using model::kMicrosecond;
using model::kMillisecond;
using model::kMinute;
using model::kSecond;

std::tm local_time(std::int64_t epoch_ns) {
    const auto whole = std::chrono::floor<std::chrono::seconds>(std::chrono::nanoseconds(epoch_ns));
    const std::time_t seconds = whole.count();
    std::tm parts{};
    ::localtime_r(&seconds, &parts);
    return parts;
}

std::uint64_t unit_of(std::string_view name) {
    static constexpr std::array<std::pair<std::string_view, std::uint64_t>, 7> kUnits{{{"ns", 1},
                                                                                       {"us", kMicrosecond},
                                                                                       {"ms", kMillisecond},
                                                                                       {"s", kSecond},
                                                                                       {"m", kMinute},
                                                                                       {"h", kHour},
                                                                                       {"d", kDay}}};
    for (const auto& [unit, ns] : kUnits) {
        if (unit == name) return ns;
    }
    return 0;
}

/// The digits after the point, as nanoseconds of a unit. Nothing when they are finer than a nanosecond.
std::optional<std::uint64_t> fraction_of(std::string_view digits, std::uint64_t unit) {
    std::uint64_t sum = 0;
    for (const char digit : digits) {
        const auto value = static_cast<std::uint64_t>(digit - '0');
        if (value != 0 && unit % 10 != 0) return std::nullopt;
        unit /= 10;
        sum += value * unit;
    }
    return sum;
}

std::size_t digits_at(std::string_view text, std::size_t start) {
    const std::size_t end = text.find_first_not_of("0123456789", start);
    return (end == std::string_view::npos ? text.size() : end) - start;
}

/// What was typed, for an error message: harmless and not too long.
std::string quoted(std::string_view text) {
    return text.size() > 40 ? fmt::format("\"{}...\"", printable(text.substr(0, 37), Charset::kAscii))
                            : fmt::format("\"{}\"", printable(text, Charset::kAscii));
}

}  // namespace

std::string count_text(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t left = text.size(); left > 3;) {
        left -= 3;
        text.insert(left, 1, ',');
    }
    return text;
}

std::string rfc3339(std::int64_t epoch_ns) {
    namespace chrono = std::chrono;
    const chrono::nanoseconds since(epoch_ns);
    const auto day = chrono::floor<chrono::days>(since);
    const chrono::year_month_day date{chrono::sys_days(day)};
    const chrono::hh_mm_ss time(since - day);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       time.hours().count(), time.minutes().count(), time.seconds().count(),
                       time.subseconds().count());
}

std::int64_t utc_offset_s(std::int64_t epoch_ns) {
    return local_time(epoch_ns).tm_gmtoff;
}

std::string clock_text(std::int64_t epoch_ns) {
    const std::tm parts = local_time(epoch_ns);
    const std::chrono::nanoseconds since(epoch_ns);
    const auto rest = since - std::chrono::floor<std::chrono::seconds>(since);
    return fmt::format("{:02}:{:02}:{:02}.{:03}", parts.tm_hour, parts.tm_min, parts.tm_sec,
                       rest.count() / static_cast<std::int64_t>(kMillisecond));
}

std::string date_time_text(std::int64_t epoch_ns) {
    const std::tm parts = local_time(epoch_ns);
    std::array<char, 64> text{};
    const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S %z", &parts);
    return {text.data(), length};
}

tl::expected<std::chrono::nanoseconds, std::string> parse_duration(std::string_view text) {
    const auto refuse = [text](std::string_view why) {
        return tl::unexpected(fmt::format("{} is not a duration: {}", quoted(text), why));
    };
    if (text == "0") return std::chrono::nanoseconds(0);
    const std::size_t whole_digits = digits_at(text, 0);
    if (whole_digits == 0) return refuse("write it like 250ms, 10s, 5m or 2h");
    std::size_t at = whole_digits;
    std::string_view fraction;
    if (at < text.size() && text[at] == '.') {
        fraction = text.substr(at + 1, digits_at(text, at + 1));
        if (fraction.empty()) return refuse("digits are missing after the point");
        at += 1 + fraction.size();
    }
    if (at == text.size()) return refuse("the unit is missing (ns, us, ms, s, m, h or d)");
    const std::uint64_t unit = unit_of(text.substr(at));
    if (unit == 0) return refuse("the units are ns, us, ms, s, m, h and d");

    std::uint64_t whole = 0;
    const bool fits = std::from_chars(text.data(), text.data() + whole_digits, whole).ec == std::errc();
    const std::optional<std::uint64_t> rest = fraction_of(fraction, unit);
    if (!rest) return refuse("it is finer than a nanosecond");
    constexpr auto kLongest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (!fits || whole > kLongest / unit || whole * unit > kLongest - *rest)
        return refuse("it is longer than 292 years");
    return std::chrono::nanoseconds(static_cast<std::int64_t>(whole * unit + *rest));
}

}  // namespace waitclose::output
