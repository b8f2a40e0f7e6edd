// SPDX-License-Identifier: BSD-2-Clause
#include "timeline/stretches.h"

#include <algorithm>

namespace waitclose::timeline {

namespace {

/// What fills one part of the time.
struct Share {
    Slice slice;  // its class and the words of the longest of them
    std::uint64_t sum_ns = 0;
    std::uint64_t longest_ns = 0;
};

bool same_class(const Slice& a, const Slice& b) {
    return a.activity == b.activity && a.wait_class == b.wait_class;
}

class Parts {
public:
    /// `to_ns` is after `from_ns`.
    Parts(std::uint64_t from_ns, std::uint64_t to_ns, std::size_t most)
        : from_(from_ns), to_(to_ns), each_((to_ns - from_ns - 1) / most + 1) {}

    /// Slices in the order of time, all of them between from and to.
    void add(const Slice& slice) {
        for (std::uint64_t at = slice.begin_ns; at < slice.end_ns;) {
            const std::uint64_t part = (at - from_) / each_;
            if (part != part_) finish();
            part_ = part;
            const std::uint64_t end = std::min(slice.end_ns, end_of(part));
            share_of(slice, end - at);
            at = end;
        }
    }

    std::vector<Stretch> take() {
        finish();
        return std::move(made_);
    }

private:
    std::uint64_t end_of(std::uint64_t part) const {
        const std::uint64_t begin = from_ + part * each_;
        return to_ - begin < each_ ? to_ : begin + each_;
    }

    void share_of(const Slice& slice, std::uint64_t ns) {
        auto found = std::find_if(shares_.begin(), shares_.end(),
                                  [&slice](const Share& share) { return same_class(share.slice, slice); });
        if (found == shares_.end()) found = shares_.insert(found, {slice, 0, 0});
        found->sum_ns += ns;
        if (ns > found->longest_ns) {
            found->longest_ns = ns;
            found->slice.detail = slice.detail;
        }
    }

    void finish() {
        if (shares_.empty()) return;
        const auto most =
            std::max_element(shares_.begin(), shares_.end(),
                             [](const Share& a, const Share& b) { return a.sum_ns < b.sum_ns; });
        Slice slice = most->slice;
        slice.begin_ns = from_ + part_ * each_;
        slice.end_ns = end_of(part_);
        slice.stack = StackId::kNone;
        slice.waker = StringId::kNone;
        const std::uint64_t filled = most->sum_ns;
        shares_.clear();
        if (!made_.empty() && continues(made_.back().slice, slice)) {
            made_.back().slice.end_ns = slice.end_ns;
            made_.back().filled_ns += filled;
        } else {
            made_.push_back({slice, filled});
        }
    }

    static bool continues(const Slice& before, const Slice& slice) {
        return before.end_ns == slice.begin_ns && same_class(before, slice) && before.detail == slice.detail;
    }

    std::uint64_t from_;
    std::uint64_t to_;
    std::uint64_t each_;
    std::uint64_t part_ = 0;
    std::vector<Share> shares_;  // of the part; a handful
    std::vector<Stretch> made_;
};

}  // namespace

std::vector<Stretch> stretches(const Thread& thread, std::size_t most) {
    std::vector<Stretch> sorted;
    sorted.reserve(thread.slices.size());
    std::uint64_t at = 0;
    for (Slice slice : thread.slices) {
        slice.begin_ns = std::max(slice.begin_ns, at);
        if (slice.end_ns <= slice.begin_ns) continue;
        at = slice.end_ns;
        sorted.push_back({slice, slice.end_ns - slice.begin_ns});
    }
    if (sorted.size() <= most || most == 0) {
        sorted.resize(std::min(sorted.size(), most));
        return sorted;
    }
    Parts parts(sorted.front().slice.begin_ns, sorted.back().slice.end_ns, most);
    for (const Stretch& stretch : sorted) parts.add(stretch.slice);
    return parts.take();
}

}  // namespace waitclose::timeline
