// SPDX-License-Identifier: BSD-2-Clause
#include "model/wording.h"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "model/units.h"

namespace waitclose::model {

namespace {

struct UnitNames {
    const char* ms;
    const char* s;
    const char* min;
    const char* h;
    const char* d;
    const char* gap;  // between the two parts
};

/// A large unit and the rest in the next smaller one, which is left out when it is 0.
std::string two_parts(std::uint64_t ns, std::uint64_t large, const char* large_name, std::uint64_t small,
                      const char* small_name, const char* gap) {
    const std::uint64_t rest = ns % large / small;
    std::string text = fmt::format("{}{}", ns / large, large_name);
    if (rest != 0) text += fmt::format("{}{}{}", gap, rest, small_name);
    return text;
}

std::string duration_in(std::uint64_t ns, const UnitNames& names) {
    if (ns >= kDay) return two_parts(ns, kDay, names.d, kHour, names.h, names.gap);
    if (ns >= kHour) return two_parts(ns, kHour, names.h, kMinute, names.min, names.gap);
    if (ns >= kMinute) return two_parts(ns, kMinute, names.min, kSecond, names.s, names.gap);
    if (ns >= 10 * kSecond) return fmt::format("{}{}", ns / kSecond, names.s);
    if (ns >= kSecond) return fmt::format("{}.{}{}", ns / kSecond, ns % kSecond / (kSecond / 10), names.s);
    if (ns >= 10 * kMillisecond) return fmt::format("{}{}", ns / kMillisecond, names.ms);
    if (ns == 0) return fmt::format("0{}", names.ms);
    return fmt::format("{}.{:02}{}", ns / kMillisecond, ns % kMillisecond / (10 * kMicrosecond), names.ms);
}

}  // namespace

std::string duration_text(std::uint64_t ns) {
    return duration_in(ns, {" ms", " s", " min", " h", " d", " "});
}

std::string short_duration_text(std::uint64_t ns) {
    return duration_in(ns, {"ms", "s", "m", "h", "d", ""});
}

std::string error_end_text(std::int32_t error) {
    if (error == 0) return "ended by an error";
    if (error == EPIPE || error == ECONNRESET) return "ended by a reset from the peer";
    return fmt::format("ended by an error: {}", std::strerror(error));
}

std::string endpoint_text(Family family, const Endpoint& endpoint) {
    const char* form = family == Family::kIpv4 ? "{}:{}" : "[{}]:{}";
    return fmt::format(fmt::runtime(form), address_text(family, endpoint), endpoint.port);
}

}  // namespace waitclose::model
