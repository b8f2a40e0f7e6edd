// SPDX-License-Identifier: BSD-2-Clause
// What the program of the HTML report is given, as JSON. It is private to one version of the page: who wants
// data uses `export`. Moments are nanoseconds since the window began; texts are indices into "texts".
#pragma once

#include <array>
#include <functional>

#include "timeline/html_cast.h"
#include "timeline/html_texts.h"
#include "timeline/progress.h"

namespace waitclose::timeline {

/// b - a, cut to what a number of JavaScript holds exactly.
inline std::int64_t difference(std::uint64_t a, std::uint64_t b) {
    constexpr std::uint64_t kFarthest = std::uint64_t{1} << 53;
    const std::uint64_t apart = b > a ? b - a : a - b;
    const auto cut = static_cast<std::int64_t>(apart < kFarthest ? apart : kFarthest);
    return b > a ? cut : -cut;
}

class ReportData {
public:
    ReportData(const Timeline& timeline, const ReportWords& words, const ReportLimits& limits,
               const Options& options, output::Sink& sink);

    void write();

private:
    void write_window();
    void write_totals();
    void write_processes();
    std::array<std::size_t, 2> slices_each() const;  // of threads without and with a part in a hold
    void write_threads();
    void write_thread(const ReportCast::Thread& thread, std::size_t most_slices);
    void write_groups();
    void write_blameless();
    void write_holds();
    void write_span_of_holds();
    void write_story_of_holds();
    void write_details();
    void write_detail(const Hold& hold);
    void write_chain(const Hold& hold);
    void write_shares(const Hold& hold);
    void write_stacks();
    void write_counters();
    void write_losses();
    void write_left_out();

    void column(std::string_view name, const std::function<void(std::uint32_t hold)>& value);
    void text(StringId id) { json_.number(texts_.of(timeline_, id)); }
    void moment(std::uint64_t at_ns);
    void index(const std::optional<std::uint32_t>& value);
    std::uint32_t state_of(const Slice& slice);

    const Timeline& timeline_;
    const ReportWords& words_;
    const ReportLimits& limits_;
    output::Sink& sink_;
    JsonText json_;
    ReportCast cast_;
    ReportTexts texts_;
    Progress progress_;
    std::size_t details_ = 0;
    std::size_t gathered_threads_ = 0;
};

}  // namespace waitclose::timeline
