// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/peer_timeout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "diagnose/families.h"
#include "diagnose/fin.h"
#include "diagnose/text.h"
#include "model/units.h"

namespace waitclose::diagnose {

using model::Socket;

namespace {

constexpr std::uint64_t kShortest = 100 * model::kMillisecond;
constexpr std::size_t kFewest = 8;
constexpr std::size_t kShare = 3;         // one in so many
constexpr std::uint64_t kTightness = 20;  // the spread is at most one in so many of the centre
constexpr double kBinsPerOctave = 8;
/// How much later than the truth a stamp usually reads: what is left for late ticks, and half a tick of 4 ms.
constexpr std::uint64_t kUsuallyLateNs = 12 * model::kMillisecond;

int bin_of(std::uint64_t ns) {
    return static_cast<int>(std::floor(std::log2(static_cast<double>(ns)) * kBinsPerOctave));
}

using Sorted = std::vector<std::uint64_t>;

/// The range of `sorted` in the three neighbouring bins that hold most.
std::pair<std::size_t, std::size_t> fullest_bins(const Sorted& sorted) {
    std::pair<std::size_t, std::size_t> best{0, 0};
    std::size_t end = 0;
    for (std::size_t begin = 0; begin < sorted.size(); ++begin) {
        if (begin > 0 && bin_of(sorted[begin]) == bin_of(sorted[begin - 1])) continue;
        while (end < sorted.size() && bin_of(sorted[end]) <= bin_of(sorted[begin]) + 2) ++end;
        if (end - begin > best.second - best.first) best = {begin, end};
    }
    return best;
}

/// The cluster in one range, if it is one. Strays within the bins are left out of its members.
std::optional<PeerTimeout> cluster_in(const Sorted& sorted, std::size_t begin, std::size_t end,
                                      std::size_t all) {
    const std::size_t count = end - begin;
    if (count < kFewest) return std::nullopt;
    PeerTimeout found;
    found.of = all;
    found.centre_ns = sorted[begin + count / 2];
    found.spread_ns = sorted[begin + count * 3 / 4] - sorted[begin + count / 4];
    if (found.spread_ns > found.centre_ns / kTightness) return std::nullopt;
    const std::uint64_t reach = std::max(2 * found.spread_ns, kStampErrorNs);
    found.low_ns = found.centre_ns - reach;
    found.high_ns = found.centre_ns + reach;
    found.n = static_cast<std::uint64_t>(
        std::count_if(sorted.begin() + static_cast<std::ptrdiff_t>(begin),
                      sorted.begin() + static_cast<std::ptrdiff_t>(end),
                      [&](std::uint64_t ns) { return ns >= found.low_ns && ns <= found.high_ns; }));
    if (found.n < kFewest || found.n * kShare < all) return std::nullopt;
    return found;
}

std::uint64_t rounded(std::uint64_t ns, std::uint64_t to) {
    return (ns + to / 2) / to * to;
}

}  // namespace

std::optional<std::uint64_t> silence_before_fin_ns(const Socket& socket) {
    if (socket.last_data_ns == 0 || socket.unsent_bytes > 0) return std::nullopt;
    if (!fin_time_known(socket) || !peer_sent_last(socket)) return std::nullopt;
    const bool exact = socket.precision == model::Precision::kExact;
    const std::uint64_t fin_ns = socket.held_since_ns + (exact ? kUsuallyLateNs : 0);
    return fin_ns > socket.last_data_ns ? fin_ns - socket.last_data_ns : 0;
}

std::vector<PeerTimeout> clusters_of(std::vector<std::uint64_t> silences_ns) {
    std::vector<PeerTimeout> clusters;
    const std::size_t all = silences_ns.size();
    std::erase_if(silences_ns, [](std::uint64_t ns) { return ns < kShortest; });
    std::ranges::sort(silences_ns);
    while (silences_ns.size() >= kFewest) {
        const auto [begin, end] = fullest_bins(silences_ns);
        if ((end - begin) * kShare < all) break;
        if (const auto found = cluster_in(silences_ns, begin, end, all)) clusters.push_back(*found);
        silences_ns.erase(silences_ns.begin() + static_cast<std::ptrdiff_t>(begin),
                          silences_ns.begin() + static_cast<std::ptrdiff_t>(end));
    }
    return clusters;
}

std::string rounded_text(std::uint64_t ns) {
    if (ns < model::kSecond) return duration_text(rounded(ns, 10 * model::kMillisecond));
    if (ns < 10 * model::kSecond) return duration_text(rounded(ns, 100 * model::kMillisecond));
    return duration_text(rounded(ns, model::kSecond));
}

PeerTimeouts::PeerTimeouts(const model::Census& census) {
    std::map<Service, std::vector<std::uint64_t>> silences;
    for (const Socket& socket : census.sockets)
        if (const auto silence = silence_before_fin_ns(socket))
            silences[service_of(socket)].push_back(*silence);
    for (auto& [service, measured] : silences)
        if (auto clusters = clusters_of(std::move(measured)); !clusters.empty())
            by_service_.emplace(service, std::move(clusters));
}

PeerTimeouts::Service PeerTimeouts::service_of(const Socket& socket) {
    const bool client = socket.role == model::Role::kClient;
    if (client) return {socket.netns, true, socket.remote.address, socket.remote.port};
    return {socket.netns, false, {}, socket.local.port};
}

const PeerTimeout* PeerTimeouts::of(const Socket& socket) const {
    if (by_service_.empty()) return nullptr;
    const auto silence = silence_before_fin_ns(socket);
    const auto found = silence ? by_service_.find(service_of(socket)) : by_service_.end();
    if (found == by_service_.end()) return nullptr;
    for (const PeerTimeout& cluster : found->second)
        if (*silence >= cluster.low_ns && *silence <= cluster.high_ns) return &cluster;
    return nullptr;
}

void PeerTimeouts::contribute(const Socket& socket, Diagnosis& diagnosis) const {
    if (diagnosis.cause == Cause::kHalfOpen || diagnosis.cause == Cause::kKernelSocket) return;
    const PeerTimeout* cluster = of(socket);
    if (!cluster) return;
    const std::string centre = rounded_text(cluster->centre_ns);
    diagnosis.contributing.emplace_back("peer-timeout");
    add_fact(
        diagnosis, "peer_timeout_ns", cluster->centre_ns,
        fmt::format(
            "peer-timeout \u2248 {} (n = {}): so long after their last data {} of the {} peers of {} whose "
            "silence was measured hung up, the middle half of them within {} (census)",
            centre, cluster->n, cluster->n, cluster->of, service_text(socket),
            duration_text(cluster->spread_ns)));
}

}  // namespace waitclose::diagnose
