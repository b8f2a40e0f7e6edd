// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/descriptors.h"

#include <fmt/format.h>

#include <algorithm>

#include "diagnose/fin.h"
#include "model/units.h"
#include "model/wording.h"

namespace waitclose::diagnose {

using model::Process;
using model::Socket;

namespace {

constexpr std::uint64_t kSettledNs = 5 * model::kSecond;
constexpr std::uint64_t kFewest = 8;
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

void set_growth(FdOutlook& outlook, double per_second, std::string basis) {
    outlook.holds_per_s = per_second;
    outlook.basis = std::move(basis);
    if (!outlook.used || !outlook.limit) return;
    const std::uint64_t left = *outlook.limit > *outlook.used ? *outlook.limit - *outlook.used : 0;
    const double ns = static_cast<double>(left) / per_second * static_cast<double>(model::kSecond);
    if (ns < kLongest) outlook.full_in_ns = static_cast<std::uint64_t>(ns);
}

}  // namespace

model::EarlierLook look_of(const model::Census& census) {
    model::EarlierLook look{census.taken_ns, {}};
    for (const Socket& socket : census.sockets)
        for_each_process(census, socket, [&](std::uint32_t process) {
            ++look.holds[{census.processes[process].pid, census.processes[process].start_ns}];
        });
    return look;
}

FdOutlook outlook_of(const Process& process, const Growth& holds) {
    FdOutlook outlook{process.fds_used, process.fd_limit, std::nullopt, std::nullopt, {}};
    if (outlook.used && outlook.limit && *outlook.used >= *outlook.limit) {
        outlook.full_in_ns = 0;
        return outlook;
    }
    if (const auto steady = holds.steady())
        set_growth(outlook, steady->per_second,
                   fmt::format("{} at first, {} half-way and {} at last, over {}", holds_text(steady->first),
                               steady->middle, steady->last, model::duration_text(steady->span_ns)));
    return outlook;
}

FdOutlooks::FdOutlooks(const model::Census& census) : census_(census), counts_(census.processes.size()) {
    for (const Socket& socket : census.sockets) {
        const std::uint64_t age = census.held_ns(socket);
        const bool counts = age >= kSettledNs && fin_time_known(socket);
        for_each_process(census, socket, [&](std::uint32_t process) {
            ++counts_[process].holds;
            for (std::size_t i = 0; counts && i < kSpans; ++i)
                if (age - kSettledNs <= kSpansNs[i]) ++counts_[process].begun[i];
        });
    }
}

std::uint64_t FdOutlooks::held_before(const Process& process) const {
    const auto found = census_.earlier->holds.find({process.pid, process.start_ns});
    return found == census_.earlier->holds.end() ? 0 : found->second;
}

FdOutlook FdOutlooks::of(const Process& process) const {
    FdOutlook outlook{process.fds_used, process.fd_limit, std::nullopt, std::nullopt, {}};
    if (outlook.used && outlook.limit && *outlook.used >= *outlook.limit) {
        outlook.full_in_ns = 0;
        return outlook;
    }
    if (!by_looks(process, outlook)) by_ages(process, outlook);
    return outlook;
}

bool FdOutlooks::by_looks(const Process& process, FdOutlook& outlook) const {
    if (!census_.earlier || census_.earlier->taken_ns >= census_.taken_ns) return false;
    const std::uint64_t before = held_before(process);
    const std::uint64_t now = counts_[static_cast<std::size_t>(&process - census_.processes.data())].holds;
    if (now <= before || now < kFewest) return false;
    const std::uint64_t between = census_.taken_ns - census_.earlier->taken_ns;
    set_growth(outlook, static_cast<double>(now - before) / seconds(between),
               fmt::format("{} {} ago, {} now", holds_text(before), model::duration_text(between), now));
    return true;
}

void FdOutlooks::by_ages(const Process& process, FdOutlook& outlook) const {
    const Count& count = counts_[static_cast<std::size_t>(&process - census_.processes.data())];
    const auto enough =
        std::ranges::find_if(count.begun, [](std::uint64_t begun) { return begun >= kFewest; });
    if (enough == count.begun.end()) return;
    const std::uint64_t lived = census_.taken_ns > process.start_ns ? census_.taken_ns - process.start_ns : 0;
    // It cannot have leaked before it was born.
    const std::uint64_t most = lived > 2 * kSettledNs ? lived - kSettledNs : kSettledNs;
    const std::uint64_t span =
        std::min(kSpansNs[static_cast<std::size_t>(enough - count.begun.begin())], most);
    const double per_second = static_cast<double>(*enough) / seconds(span);
    if (census_.earlier && census_.earlier->taken_ns < census_.taken_ns &&
        per_second * seconds(census_.taken_ns - census_.earlier->taken_ns) >= kSurelySeen)
        return;
    set_growth(outlook, per_second,
               fmt::format("{} holds begun in the {} up to 5 s ago and still held", *enough,
                           model::duration_text(span)));
}

}  // namespace waitclose::diagnose
