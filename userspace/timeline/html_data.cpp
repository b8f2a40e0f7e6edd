// SPDX-License-Identifier: BSD-2-Clause
#include "timeline/html_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "diagnose/catalogue.h"
#include "output/format.h"
#include "timeline/labels.h"
#include "timeline/stretches.h"

namespace waitclose::timeline {

ReportData::ReportData(const Timeline& timeline, const ReportWords& words, const ReportLimits& limits,
                       const Options& options, output::Sink& sink)
    : timeline_(timeline),
      words_(words),
      limits_(limits),
      sink_(sink),
      json_(sink),
      cast_(timeline, words, limits),
      progress_(timeline, options, true, true) {}

void ReportData::moment(std::uint64_t at_ns) {
    json_.number(difference(timeline_.window.from_ns, at_ns));
}

void ReportData::index(const std::optional<std::uint32_t>& value) {
    json_.number(value ? static_cast<std::int64_t>(*value) : std::int64_t{-1});
}

void ReportData::write() {
    json_.begin_object();
    json_.key("schema").text("waitclose.report/1");
    write_window();
    write_totals();
    write_processes();
    write_groups();
    write_blameless();
    write_holds();
    write_details();
    write_threads();
    write_stacks();
    write_counters();
    write_losses();
    write_left_out();
    json_.key("texts");
    texts_.write(json_);
    json_.end_object();
    json_.end_document();
}

void ReportData::write_window() {
    const Window& window = timeline_.window;
    json_.key("window").begin_object();
    json_.key("duration_ns").number(std::max<std::int64_t>(0, difference(window.from_ns, window.to_ns)));
    json_.key("from_wall_ns");  // as text: it is more than a number of JavaScript holds
    std::int64_t utc_offset_s = 0;
    if (window.wall_offset_ns) {
        const auto from_wall_ns =
            static_cast<std::int64_t>(window.from_ns + static_cast<std::uint64_t>(*window.wall_offset_ns));
        json_.text(fmt::to_string(from_wall_ns));
        utc_offset_s = output::utc_offset_s(from_wall_ns);
    } else {
        json_.null();
    }
    json_.key("utc_offset_s").number(utc_offset_s);  // of the sentences: the timeline has the same clock
    json_.end_object();
    json_.end_line();
}

void ReportData::write_totals() {
    json_.key("totals");
    if (!words_.totals) {
        json_.null();
        return;
    }
    const ReportTotals& totals = *words_.totals;
    json_.begin_object();
    json_.key("holds").number(totals.holds);
    json_.key("groups").number(totals.groups);
    json_.key("open").number(totals.open);
    json_.key("longest_ns").number(difference(0, totals.longest_ns));
    json_.key("at_least").number(std::uint32_t{totals.longest_at_least});
    json_.end_object();
    json_.end_line();
}

void ReportData::write_processes() {
    json_.key("processes").begin_array();
    for (const ReportCast::Process& process : cast_.processes()) {
        json_.begin_object();
        json_.key("pid").number(process.pid);
        json_.key("comm");
        text(process.comm);
        json_.key("exe");
        text(process.known != nullptr ? process.known->exe : StringId::kNone);
        json_.key("cgroup");
        text(process.known != nullptr ? process.known->cgroup : StringId::kNone);
        json_.key("container");
        text(process.known != nullptr ? process.known->container : StringId::kNone);
        json_.end_object();
    }
    json_.end_array();
    json_.end_line();
}

void ReportData::write_groups() {
    json_.key("groups").begin_array();
    for (const ReportGroup& group : std::span(words_.groups).first(cast_.groups())) {
        json_.begin_object();
        json_.key("process").number(
            timeline_.process_at(group.process) != nullptr ? static_cast<std::int64_t>(group.process) : -1);
        json_.key("cause").number(texts_.of(group.cause));
        json_.key("confidence").number(texts_.of(group.confidence));
        json_.key("where").number(texts_.of(group.where));
        json_.key("summary").number(texts_.of(group.summary));
        json_.key("sockets").number(group.sockets);
        json_.key("oldest_held_ns").number(difference(0, group.oldest_held_ns));
        json_.key("at_least").number(std::uint32_t{group.oldest_at_least});
        json_.key("perhaps").number(std::uint32_t{group.is_perhaps});
        json_.key("open").number(group.open);
        json_.key("facts").begin_array();
        for (const std::string& fact : group.facts) json_.number(texts_.of(fact));
        json_.end_array();
        json_.end_object();
    }
    json_.end_array();
    json_.end_line();
}

/// Causes that are nobody's fault: who is named with them is not to blame.
void ReportData::write_blameless() {
    json_.key("blameless").begin_array();
    for (int cause = 0; cause < diagnose::kCauseCount; ++cause) {
        const auto one = static_cast<diagnose::Cause>(cause);
        if (!diagnose::is_fault(one)) json_.text(diagnose::id_of(one));
    }
    json_.end_array();
    json_.end_line();
}

/// The names of states are those of wait classes, and a few of ours.
std::uint32_t ReportData::state_of(const Slice& slice) {
    switch (slice.activity) {
    case Activity::kRunning: return texts_.of("running");
    case Activity::kRunnable: return texts_.of("cpu");
    case Activity::kBlocked:
        return slice.wait_class == StringId::kNone ? texts_.of("other")
                                                   : texts_.of(timeline_, slice.wait_class);
    case Activity::kUnknown: break;
    }
    return 0;
}

/// How many slices each thread may have: all, or those with a part in a hold at least half of what there is.
std::array<std::size_t, 2> ReportData::slices_each() const {
    std::array<std::size_t, 2> threads{};
    std::array<std::size_t, 2> slices{};
    for (const ReportCast::Thread& thread : cast_.threads()) {
        if (thread.track == nullptr) continue;
        ++threads[thread.involved ? 1 : 0];
        slices[thread.involved ? 1 : 0] += thread.track->slices.size();
    }
    if (slices[0] + slices[1] <= limits_.slices) return {SIZE_MAX, SIZE_MAX};
    const std::size_t half = limits_.slices / 2;
    const std::size_t left = limits_.slices - std::min(limits_.slices, slices[0]);
    const std::size_t involved = std::min(slices[1], std::max(half, left));
    const auto each = [&threads](std::size_t all, std::size_t which) {
        return std::max<std::size_t>(all / std::max<std::size_t>(threads[which], 1), 1);
    };
    return {each(limits_.slices - involved, 0), involved == slices[1] ? SIZE_MAX : each(involved, 1)};
}

void ReportData::write_threads() {
    const std::array<std::size_t, 2> most = slices_each();
    json_.key("threads").begin_array();
    for (const ReportCast::Thread& thread : cast_.threads()) {
        if (sink_.ended()) return;
        write_thread(thread, most[thread.involved ? 1 : 0]);
        if (thread.track != nullptr) progress_.add(thread.track->slices.size());
    }
    json_.end_array();
    json_.end_line();
}

void ReportData::write_thread(const ReportCast::Thread& thread, std::size_t most_slices) {
    const std::vector<Stretch> parts =
        thread.track != nullptr ? stretches(*thread.track, most_slices) : std::vector<Stretch>();
    const bool gathered = thread.track != nullptr && thread.track->slices.size() > most_slices;
    if (gathered) ++gathered_threads_;
    json_.begin_object();
    json_.key("process");
    index(thread.process);
    json_.key("tid").number(thread.tid);
    json_.key("comm");
    text(thread.comm);
    // A gap before each slice, and its length: smaller than its moments.
    std::uint64_t at = timeline_.window.from_ns;
    json_.key("gap").begin_array();
    for (const Stretch& part : parts) {
        json_.number(difference(at, part.slice.begin_ns));
        at = part.slice.end_ns;
    }
    json_.end_array();
    const auto column = [this, &parts](std::string_view name, auto&& value) {
        json_.key(name).begin_array();
        for (const Stretch& part : parts) json_.number(value(part));
        json_.end_array();
    };
    column("length", [](const Stretch& part) { return difference(part.slice.begin_ns, part.slice.end_ns); });
    column("state", [this](const Stretch& part) { return state_of(part.slice); });
    column("text", [this](const Stretch& part) { return texts_.of(timeline_, part.slice.detail); });
    if (gathered) column("filled", [](const Stretch& part) { return difference(0, part.filled_ns); });
    json_.end_object();
    json_.end_line();
}

void ReportData::write_counters() {
    json_.key("counters").begin_array();
    for (const Counter& counter : timeline_.counters) {
        const std::size_t step = counter.samples.size() / std::max<std::size_t>(1, limits_.samples) + 1;
        json_.begin_object();
        json_.key("process").number(timeline_.process_at(counter.process) != nullptr
                                        ? static_cast<std::int64_t>(counter.process)
                                        : std::int64_t{-1});
        json_.key("name");
        text(counter.name);
        json_.key("unit");
        text(counter.unit);
        json_.key("at").begin_array();
        for (std::size_t i = 0; i < counter.samples.size(); i += step) moment(counter.samples[i].at_ns);
        json_.end_array();
        // Of the samples that stand together as one, the largest: a peak is what people look for.
        json_.key("value").begin_array();
        for (std::size_t i = 0; i < counter.samples.size(); i += step) {
            double most = counter.samples[i].value;
            for (std::size_t k = i; k < std::min(i + step, counter.samples.size()); ++k)
                most = std::max(most, counter.samples[k].value);
            json_.number(most);
        }
        json_.end_array();
        json_.end_object();
    }
    json_.end_array();
    json_.end_line();
}

void ReportData::write_losses() {
    json_.key("losses").begin_array();
    for (const Loss& loss : timeline_.losses) {
        json_.begin_object();
        json_.key("at");
        moment(loss.at_ns);
        json_.key("what");
        text(loss.what);
        json_.key("count").number(loss.count);
        json_.end_object();
    }
    json_.end_array();
    json_.end_line();
}

void ReportData::write_left_out() {
    using output::count_text;
    const std::size_t all = timeline_.holds.size();
    const std::size_t told = cast_.holds().size();
    json_.key("left_out").begin_array();
    if (cast_.groups() < words_.groups.size()) {
        json_.text(
            fmt::format("Of {} groups the first {} are told apart; the holds of the others are put together "
                        "by owner and cause.",
                        count_text(words_.groups.size()), count_text(cast_.groups())));
    }
    if (told < all) {
        json_.text(
            fmt::format("This page shows {} of {} holds: of every group those that were held longest. "
                        "The groups count all.",
                        count_text(told), count_text(all)));
    }
    if (details_ < told) {
        json_.text(
            fmt::format("Wait chain, evidence and advice are here for {} of {} holds, of every group those "
                        "held longest; waitclose export --format ndjson has all.",
                        count_text(details_), count_text(told)));
    }
    if (gathered_threads_ > 0) {
        json_.text(fmt::format(
            "{} {} changed too often to be shown in full: a bar stands for what took the largest share of "
            "that time, and is as high as that share.",
            count_text(gathered_threads_), gathered_threads_ == 1 ? "thread" : "threads"));
    }
    json_.end_array();
    json_.end_line();
}

}  // namespace waitclose::timeline
