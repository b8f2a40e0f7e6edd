// SPDX-License-Identifier: BSD-2-Clause
#include "timeline/html_data.h"

#include <fmt/format.h>

#include <algorithm>

#include "output/format.h"
#include "timeline/labels.h"
#include "timeline/stretches.h"

namespace waitclose::timeline {

namespace {

/// What a number of JavaScript holds exactly.
constexpr std::int64_t kFarthest = std::int64_t{1} << 53;

/// b - a, cut to what a page can tell.
std::int64_t difference(std::uint64_t a, std::uint64_t b) {
    const std::uint64_t apart = b > a ? b - a : a - b;
    const auto cut = static_cast<std::int64_t>(std::min(apart, static_cast<std::uint64_t>(kFarthest)));
    return b > a ? cut : -cut;
}

}  // namespace

ReportData::ReportData(const Timeline& timeline, const ReportWords& words, const ReportLimits& limits,
                       const Options& options, output::Sink& sink)
    : timeline_(timeline),
      words_(words),
      limits_(limits),
      sink_(sink),
      json_(sink),
      cast_(timeline, words, limits.holds),
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
    write_processes();
    write_groups();
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
    if (window.wall_offset_ns) {
        json_.text(fmt::to_string(
            static_cast<std::int64_t>(window.from_ns + static_cast<std::uint64_t>(*window.wall_offset_ns))));
    } else {
        json_.null();
    }
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
    for (const ReportGroup& group : words_.groups) {
        json_.begin_object();
        json_.key("process").number(
            timeline_.process_at(group.process) != nullptr ? static_cast<std::int64_t>(group.process) : -1);
        json_.key("cause").number(texts_.of(group.cause));
        json_.key("confidence").number(texts_.of(group.confidence));
        json_.key("where").number(texts_.of(group.where));
        json_.key("summary").number(texts_.of(group.summary));
        json_.key("sockets").number(group.sockets);
        json_.key("oldest_held_ns")
            .number(std::min(group.oldest_held_ns, static_cast<std::uint64_t>(kFarthest)));
        json_.end_object();
    }
    json_.end_array();
    json_.end_line();
}

// ---- threads
// ------------------------------------------------------------------------------------------------

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

/// Those with a part in a hold get the larger part of what a page can carry.
void ReportData::write_threads() {
    std::size_t tracks[2] = {0, 0};
    std::size_t slices = 0;
    for (const ReportCast::Thread& thread : cast_.threads()) {
        if (thread.track == nullptr) continue;
        ++tracks[thread.involved ? 1 : 0];
        slices += thread.track->slices.size();
    }
    const bool all = slices <= limits_.slices;
    const auto most = [&](bool involved) {
        if (all) return slices;
        const std::size_t shared = limits_.slices / (tracks[0] != 0 && tracks[1] != 0 ? 2 : 1);
        return std::max<std::size_t>(shared / std::max<std::size_t>(1, tracks[involved ? 1 : 0]), 1);
    };
    json_.key("threads").begin_array();
    for (const ReportCast::Thread& thread : cast_.threads()) {
        if (sink_.ended()) return;
        write_thread(thread, most(thread.involved));
        if (thread.track != nullptr) progress_.add(thread.track->slices.size());
    }
    json_.end_array();
    json_.end_line();
}

void ReportData::write_thread(const ReportCast::Thread& thread, std::size_t most_slices) {
    const std::vector<Slice> slices =
        thread.track != nullptr ? stretches(*thread.track, most_slices) : std::vector<Slice>();
    if (thread.track != nullptr && thread.track->slices.size() > most_slices) ++gathered_threads_;
    json_.begin_object();
    json_.key("process");
    index(thread.process);
    json_.key("tid").number(thread.tid);
    json_.key("comm");
    text(thread.comm);
    // A gap before each slice, and its length: smaller than its moments.
    std::uint64_t at = timeline_.window.from_ns;
    json_.key("gap").begin_array();
    for (const Slice& slice : slices) {
        json_.number(difference(at, slice.begin_ns));
        at = slice.end_ns;
    }
    json_.end_array();
    json_.key("length").begin_array();
    for (const Slice& slice : slices) json_.number(difference(slice.begin_ns, slice.end_ns));
    json_.end_array();
    json_.key("state").begin_array();
    for (const Slice& slice : slices) json_.number(state_of(slice));
    json_.end_array();
    json_.key("text").begin_array();
    for (const Slice& slice : slices) text(slice.detail);
    json_.end_array();
    json_.end_object();
    json_.end_line();
}

// ---- holds
// --------------------------------------------------------------------------------------------------

void ReportData::column(std::string_view name, const std::function<void(std::uint32_t hold)>& value) {
    json_.key(name).begin_array();
    for (const std::uint32_t hold : cast_.holds()) value(hold);
    json_.end_array();
    json_.end_line();
}

void ReportData::write_holds() {
    json_.key("holds").begin_object();
    write_span_of_holds();
    write_story_of_holds();
    json_.end_object();
    json_.end_line();
    progress_.add(timeline_.holds.size());
}

void ReportData::write_span_of_holds() {
    const auto& holds = timeline_.holds;
    column("id", [&](std::uint32_t i) { json_.text(output::printable(timeline_.text(holds[i].id))); });
    column("begin", [&](std::uint32_t i) {
        if (holds[i].since_ns && holds[i].held_ns) {
            moment(*holds[i].since_ns);
        } else {
            json_.null();
        }
    });
    column("held", [&](std::uint32_t i) { json_.number(difference(0, holds[i].held_ns.value_or(0))); });
    column("open", [&](std::uint32_t i) { json_.number(std::uint32_t{holds[i].open}); });
    column("exact", [&](std::uint32_t i) {
        json_.number(std::uint32_t{timeline_.text(holds[i].precision) == "exact"});
    });
    // The first read or write since the FIN: from then on, the program could have known.
    column("touched", [&](std::uint32_t i) {
        if (holds[i].first_touch) {
            moment(holds[i].first_touch->at_ns);
        } else {
            json_.null();
        }
    });
}

void ReportData::write_story_of_holds() {
    const auto& holds = timeline_.holds;
    column("process", [&](std::uint32_t i) { index(cast_.process_of(holds[i])); });
    column("thread", [&](std::uint32_t i) {
        const auto& culprit = holds[i].diagnosis.culprit;
        index(culprit && culprit->tid ? cast_.thread_of(culprit->pid, *culprit->tid) : std::nullopt);
    });
    column("closer", [&](std::uint32_t i) {
        const auto& closed = holds[i].closed;
        index(closed ? cast_.thread_of(closed->pid, closed->tid) : std::nullopt);
    });
    column("group", [&](std::uint32_t i) { index(cast_.group_of(i)); });
    column("cause", [&](std::uint32_t i) { text(holds[i].diagnosis.cause); });
    column("confidence", [&](std::uint32_t i) { text(holds[i].diagnosis.confidence); });
    column("wait", [&](std::uint32_t i) { text(holds[i].wait_class); });
    column("role", [&](std::uint32_t i) { text(holds[i].role); });
    column("local",
           [&](std::uint32_t i) { json_.number(texts_.of(address_label(timeline_, holds[i].local))); });
    column("remote",
           [&](std::uint32_t i) { json_.number(texts_.of(address_label(timeline_, holds[i].remote))); });
    column("stack", [&](std::uint32_t i) {
        const auto id = static_cast<std::uint32_t>(holds[i].stack);
        json_.number(id <= timeline_.stacks.size() ? id : 0);
    });
}

// ---- why
// ----------------------------------------------------------------------------------------------------

void ReportData::write_details() {
    const std::size_t before = texts_.bytes();
    json_.key("details").begin_array();
    for (const std::uint32_t hold : cast_.holds()) {
        if (details_ >= limits_.details || texts_.bytes() - before > limits_.detail_bytes) break;
        write_detail(timeline_.holds[hold]);
        ++details_;
    }
    json_.end_array();
    json_.end_line();
}

void ReportData::write_detail(const Hold& hold) {
    const Diagnosis& diagnosis = hold.diagnosis;
    json_.begin_object();
    json_.key("summary");
    text(diagnosis.summary);
    json_.key("advice");
    text(diagnosis.advice);
    json_.key("basis");
    text(diagnosis.culprit ? diagnosis.culprit->basis : StringId::kNone);
    write_chain(diagnosis.because);
    json_.key("contributing").begin_array();
    for (const StringId id : diagnosis.contributing) text(id);
    json_.end_array();
    json_.key("evidence").begin_array();
    for (const Evidence& evidence : diagnosis.evidence) {
        json_.number(evidence.text == StringId::kNone ? texts_.of(evidence_label(timeline_, evidence))
                                                      : texts_.of(timeline_, evidence.text));
    }
    json_.end_array();
    json_.key("holders").begin_array();
    for (const Holder& holder : hold.holders) {
        std::string line =
            fmt::format("{} ({}), fd {}", known(timeline_, holder.comm), holder.pid, holder.fd);
        for (const StringId id : {holder.exe, holder.cgroup, holder.container}) {
            if (id != StringId::kNone) line += fmt::format(", {}", timeline_.text(id));
        }
        json_.number(texts_.of(line));
    }
    if (hold.peer) {
        json_.number(
            texts_.of(fmt::format("the other end: {} ({}), fd {}, on this machine",
                                  known(timeline_, hold.peer->comm), hold.peer->pid, hold.peer->fd)));
    }
    json_.end_array();
    json_.end_object();
}

void ReportData::write_chain(const std::vector<Link>& because) {
    json_.key("because").begin_array();
    for (const Link& link : because) {
        json_.begin_object();
        json_.key("pid").number(link.pid);
        json_.key("tid").number(link.tid);
        json_.key("thread");
        index(cast_.thread_of(link.pid, link.tid));
        json_.key("comm");
        text(link.comm);
        json_.key("waits_for");
        text(link.waits_for);
        json_.key("for_ns");
        if (link.for_ns) {
            json_.number(difference(0, *link.for_ns));
        } else {
            json_.null();
        }
        json_.key("detail");
        text(link.detail);
        json_.end_object();
    }
    json_.end_array();
}

void ReportData::write_stacks() {
    json_.key("stacks").begin_array();
    for (std::uint32_t id = 0; id <= timeline_.stacks.size(); ++id) {
        json_.begin_array();
        for (const std::uint32_t frame : timeline_.stacks.frames_of(StackId{id})) {
            json_.number(texts_.of(frame_label(timeline_, timeline_.stacks.frames()[frame])));
        }
        json_.end_array();
    }
    json_.end_array();
    json_.end_line();
}

// ---- the rest
// -----------------------------------------------------------------------------------------------

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
        json_.text(
            fmt::format("Of {} {} that changed often the timeline shows what filled most of each moment, not "
                        "every change.",
                        count_text(gathered_threads_), gathered_threads_ == 1 ? "thread" : "threads"));
    }
    json_.end_array();
    json_.end_line();
}

}  // namespace waitclose::timeline
