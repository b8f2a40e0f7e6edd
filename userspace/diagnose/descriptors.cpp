// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/descriptors.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "diagnose/fin.h"
#include "model/growth.h"
#include "model/units.h"
#include "model/wording.h"

namespace waitclose::diagnose {

using model::Process;
using model::Socket;

namespace {

constexpr std::uint64_t kSettledNs = 5 * model::kSecond;
/// Growth for a shorter time is not known to last.
constexpr std::uint64_t kLastingNs = 10 * model::kSecond;
constexpr std::array<std::uint64_t, 4> kSpansNs{model::kMinute, 10 * model::kMinute, model::kHour,
                                                model::kDay};
/// So many holds more are no chance any more.
constexpr double kSurelySeen = 3;
constexpr double kLongest = 1e18;  // 31 years

double seconds(std::uint64_t ns) {
    return static_cast<double>(ns) / static_cast<double>(model::kSecond);
}

/// Calls for each process that holds the socket, once, with its index.
template <typename Call>
void for_each_process(const model::Census& census, const Socket& socket, Call call) {
    const auto holders = census.holders_of(socket);
    for (auto at = holders.begin(); at != holders.end(); ++at)
        if (std::none_of(holders.begin(), at,
                         [&](const auto& other) { return other.process == at->process; }))
            call(at->process);
}

std::string holds_text(std::uint64_t count) {
    return fmt::format("{} {}", count, count == 1 ? "hold" : "holds");
}

/// Without growth: of one that has no descriptor left that is all there is to say.
FdOutlook outlook_now(const Process& process) {
    FdOutlook outlook{process.fds_used, process.fd_limit, std::nullopt, std::nullopt, {}};
    if (outlook.used && outlook.limit && *outlook.used >= *outlook.limit) outlook.full_in_ns = 0;
    return outlook;
}

/// When the last descriptor goes at this pace; nothing where that is not known, or nobody will live to see
/// it.
std::optional<std::uint64_t> full_in_ns(const FdOutlook& outlook, double per_s) {
    if (!outlook.used || !outlook.limit) return std::nullopt;
    const std::uint64_t left = *outlook.limit > *outlook.used ? *outlook.limit - *outlook.used : 0;
    const double ns = static_cast<double>(left) / per_s * static_cast<double>(model::kSecond);
    return ns < kLongest ? std::optional(static_cast<std::uint64_t>(ns)) : std::nullopt;
}

}  // namespace

model::EarlierLook look_of(const model::Census& census) {
    model::EarlierLook look{census.taken_ns, {}};
    for (const Socket& socket : census.sockets)
        for_each_process(census, socket, [&](std::uint32_t process) {
            const Process& holder = census.processes[process];
            auto& held = look.holds[{holder.pid, holder.start_ns}];
            ++held.sockets;
            held.fds = holder.fds_used;
        });
    return look;
}

FdOutlook outlook_of(const Process& process, const model::Growth& holds) {
    FdOutlook outlook = outlook_now(process);
    if (outlook.full_in_ns) return outlook;
    if (const auto steady = holds.steady()) {
        outlook.holds_per_s = steady->per_second;
        outlook.basis =
            fmt::format("{} at first, {} half-way and {} at last, over {}", holds_text(steady->first),
                        steady->middle, steady->last, model::duration_text(steady->span_ns));
        outlook.full_in_ns = full_in_ns(outlook, steady->per_second);
    }
    return outlook;
}

FdOutlooks::FdOutlooks(const model::Census& census) : census_(census), counts_(census.processes.size()) {
    for (const Socket& socket : census.sockets) {
        const std::uint64_t age = census.held_ns(socket);
        const bool counts = age >= kSettledNs && fin_time_known(socket);
        for_each_process(census, socket, [&](std::uint32_t process) {
            count(process, counts ? std::optional(age) : std::nullopt);
        });
    }
}

void FdOutlooks::count(std::uint32_t process, std::optional<std::uint64_t> age_ns) {
    Count& count = counts_[process];
    ++count.holds;
    if (!age_ns) return;
    for (std::size_t i = 0; i < kSpans; ++i) {
        const std::uint64_t span = span_ns(census_.processes[process], i);
        const std::uint64_t into = *age_ns - kSettledNs;
        if (into <= span) ++count.begun[i][std::min<std::uint64_t>(into / (span / kParts), kParts - 1)];
    }
}

/// It cannot have leaked before it was born.
std::uint64_t FdOutlooks::span_ns(const Process& process, std::size_t span) const {
    const std::uint64_t lived = census_.taken_ns > process.start_ns ? census_.taken_ns - process.start_ns : 0;
    return std::min(kSpansNs[span], lived > 2 * kSettledNs ? lived - kSettledNs : kSettledNs);
}

const FdOutlooks::Count& FdOutlooks::count_of(const Process& process) const {
    return counts_[static_cast<std::size_t>(&process - census_.processes.data())];
}

model::EarlierLook::Held FdOutlooks::held_before(const Process& process) const {
    const auto found = census_.earlier->holds.find({process.pid, process.start_ns});
    return found == census_.earlier->holds.end() ? model::EarlierLook::Held{} : found->second;
}

/// Its table has grown at that pace between the looks: holds that are no more were ended by their peers, by a
/// reset, and their descriptors are still open.
bool FdOutlooks::keeps_descriptors(const Process& process, const Pace& pace) const {
    constexpr double kAboutAsFast = 0.75;
    const auto before = held_before(process).fds;
    if (!before || !process.fds_used || *process.fds_used <= *before) return false;
    const double grown = static_cast<double>(*process.fds_used - *before);
    return grown >= kAboutAsFast * pace.per_s * seconds(census_.taken_ns - census_.earlier->taken_ns);
}

FdOutlook FdOutlooks::of(const Process& process) const {
    FdOutlook outlook = outlook_now(process);
    if (outlook.full_in_ns) return outlook;
    const auto measured = by_looks(process);
    auto lasting = by_ages(process);
    if (lasting && denied_by_looks(*lasting) && (!measured || measured->per_s < lasting->per_s) &&
        !keeps_descriptors(process, *lasting))
        lasting = measured;
    if (const auto& pace = lasting ? lasting : measured) {
        outlook.holds_per_s = pace->per_s;
        outlook.basis = pace->basis;
    }
    if (lasting) outlook.full_in_ns = full_in_ns(outlook, lasting->per_s);
    return outlook;
}

/// Two looks so far apart that they must have seen it.
bool FdOutlooks::denied_by_looks(const Pace& pace) const {
    return census_.earlier && census_.earlier->taken_ns < census_.taken_ns &&
           pace.per_s * seconds(census_.taken_ns - census_.earlier->taken_ns) >= kSurelySeen;
}

std::optional<FdOutlooks::Pace> FdOutlooks::by_looks(const Process& process) const {
    if (!census_.earlier || census_.earlier->taken_ns >= census_.taken_ns) return std::nullopt;
    const std::uint64_t before = held_before(process).sockets;
    const std::uint64_t now = count_of(process).holds;
    if (now <= before || now < model::kFewestForAHabit) return std::nullopt;
    const std::uint64_t between = census_.taken_ns - census_.earlier->taken_ns;
    return Pace{static_cast<double>(now - before) / seconds(between),
                fmt::format("{} {} ago, {} now", holds_text(before), model::duration_text(between), now)};
}

std::optional<FdOutlooks::Pace> FdOutlooks::by_ages(const Process& process) const {
    const Count& count = count_of(process);
    for (std::size_t i = 0; i < kSpans; ++i) {
        const std::uint64_t span = span_ns(process, i);
        const auto gain = span >= kLastingNs ? model::lasting_gain(count.begun[i]) : std::nullopt;
        if (!gain) continue;
        const auto begun = std::accumulate(count.begun[i].begin(), count.begun[i].end(), std::uint64_t{0});
        return Pace{*gain * kParts / seconds(span),
                    fmt::format("{} holds begun in the {} up to 5 s ago and still held", begun,
                                model::duration_text(span))};
    }
    return std::nullopt;
}

}  // namespace waitclose::diagnose
