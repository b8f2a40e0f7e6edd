// SPDX-License-Identifier: BSD-2-Clause
#include "store/versions.h"

#include <algorithm>

namespace waitclose::store {
namespace {

/// Room for as many to come between two neighbours, one after the other, as it has bits.
constexpr std::int64_t kGap = std::int64_t{1} << 32;

/// The versions whose places rise already and can stay: as many as possible.
std::vector<bool> rising(const std::vector<Version*>& in_order) {
    std::vector<bool> stays(in_order.size(), false);
    std::vector<std::size_t> tails;  // the last of the best rising run of each length
    std::vector<std::size_t> before(in_order.size(), 0);
    const auto place = [&](std::size_t i) { return *in_order[i]->place; };
    for (std::size_t i = 0; i < in_order.size(); ++i) {
        if (!in_order[i]->place) continue;
        const auto at =
            tails.empty() || place(tails.back()) < place(i)
                ? tails.end()
                : std::lower_bound(tails.begin(), tails.end(), place(i),
                                   [&](std::size_t tail, auto value) { return place(tail) < value; });
        before[i] = at == tails.begin() ? i : *(at - 1);
        if (at == tails.end())
            tails.push_back(i);
        else
            *at = i;
    }
    if (tails.empty()) return stays;
    for (std::size_t i = tails.back();; i = before[i]) {
        stays[i] = true;
        if (before[i] == i) return stays;
    }
}

void renumber(std::vector<Version*>& in_order) {
    std::int64_t next = 0;
    for (Version* version : in_order) {
        version->place = next += kGap;
        version->moved = true;
    }
}

/// Places for the versions from `begin` to `end`, between those of their neighbours. False: no room.
bool fill(std::vector<Version*>& in_order, std::size_t begin, std::size_t end) {
    constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max() / 2;
    const auto count = static_cast<std::int64_t>(end - begin);
    const std::int64_t low = begin == 0 ? 0 : *in_order[begin - 1]->place;
    if (low > kLast - (count + 1) * kGap) return false;
    const std::int64_t high = end == in_order.size() ? low + (count + 1) * kGap : *in_order[end]->place;
    const std::int64_t step = (high - low) / (count + 1);
    if (step < 1) return false;
    for (std::size_t i = begin; i < end; ++i) {
        in_order[i]->place = low + step * static_cast<std::int64_t>(i - begin + 1);
        in_order[i]->moved = true;
    }
    return true;
}

}  // namespace

void arrange(std::vector<Version*>& in_order) {
    const std::vector<bool> stays = rising(in_order);
    for (std::size_t begin = 0; begin < in_order.size();) {
        if (stays[begin]) {
            ++begin;
            continue;
        }
        std::size_t end = begin;
        while (end < in_order.size() && !stays[end]) ++end;
        if (!fill(in_order, begin, end)) return renumber(in_order);
        begin = end;
    }
}

}  // namespace waitclose::store
