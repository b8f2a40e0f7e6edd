// SPDX-License-Identifier: BSD-2-Clause
// speedscope's own format (https://www.speedscope.app/file-format-schema.json): first a sampled profile of
// held time, then an evented one of every thread, whose frames are what it did, in detail, and its stack.
#include <fmt/format.h>

#include <map>
#include <unordered_map>
#include <utility>

#include "timeline/format.h"
#include "timeline/held_time.h"
#include "timeline/json_text.h"
#include "timeline/labels.h"
#include "timeline/progress.h"

namespace waitclose::timeline {

namespace {

constexpr std::uint32_t kNotYet = UINT32_MAX;

/// The frames all profiles share: names, and the module of a function. Written last, when all are known.
class FrameList {
public:
    explicit FrameList(const Timeline& timeline)
        : timeline_(timeline),
          of_text_(timeline.strings.size() + 1, kNotYet),
          of_frame_(timeline.stacks.frames().size(), kNotYet) {}

    std::uint32_t of_owner(const HeldTime& kind) {
        return kind.has_owner ? of(kind.process) : add(kOwnerNotKnown, StringId::kNone);
    }

    std::uint32_t of(StringId text) {
        const auto index = static_cast<std::size_t>(text);
        if (index >= of_text_.size()) return add(kNotKnown, StringId::kNone);
        if (of_text_[index] == kNotYet) of_text_[index] = add(known(timeline_, text), StringId::kNone);
        return of_text_[index];
    }

    std::uint32_t of(Activity activity, StringId wait_class) {
        const auto key = std::pair(activity, wait_class);
        if (const auto found = of_activity_.find(key); found != of_activity_.end()) return found->second;
        return of_activity_[key] = add(slice_label(timeline_, activity, wait_class), StringId::kNone);
    }

    std::uint32_t of_frame(std::uint32_t index) {
        if (of_frame_[index] == kNotYet) {
            const Frame& frame = timeline_.stacks.frames()[index];
            of_frame_[index] = add(frame_label(timeline_, frame), frame.module);
        }
        return of_frame_[index];
    }

    void write(JsonText& json) const {
        json.key("shared").begin_object();
        json.key("frames").begin_array();
        for (const auto* entry : order_) {
            json.begin_object();
            json.key("name").text(entry->first);
            if (entry->second != StringId::kNone) json.key("file").text(timeline_.text(entry->second));
            json.end_object();
        }
        json.end_array();
        json.end_object();
    }

private:
    using Entry = std::pair<std::string, StringId>;

    std::uint32_t add(std::string_view name, StringId module) {
        const auto next = static_cast<std::uint32_t>(order_.size());
        const auto [entry, fresh] = ids_.emplace(Entry(name, module), next);
        if (fresh) order_.push_back(&entry->first);
        return entry->second;
    }

    const Timeline& timeline_;
    std::map<Entry, std::uint32_t> ids_;
    std::vector<const Entry*> order_;
    std::vector<std::uint32_t> of_text_;
    std::vector<std::uint32_t> of_frame_;
    std::map<std::pair<Activity, StringId>, std::uint32_t> of_activity_;
};

/// One thread as opening and closing frames, the times counted from the beginning of the window.
class ThreadProfile {
public:
    ThreadProfile(const Timeline& timeline, FrameList& frames, JsonText& json)
        : timeline_(timeline), frames_(frames), json_(json) {}

    void write(const Process& process, const Thread& thread) {
        const std::uint64_t from = since_begin(thread.from_ns);
        const std::uint64_t to = std::max(from, since_begin(thread.to_ns));
        json_.begin_object();
        json_.key("type").text("evented");
        json_.key("name").text(fmt::format("{} / {} [{}]", process_label(timeline_, process),
                                           known(timeline_, thread.comm), thread.tid));
        json_.key("unit").text("nanoseconds");
        json_.key("startValue").number(from);
        json_.key("endValue").number(to);
        json_.key("events").begin_array();
        at_ = from;
        last_ = to;
        std::uint64_t end = from;
        for (const Slice& slice : thread.slices) {
            const std::uint64_t begin = since_begin(slice.begin_ns);
            if (begin != end) close_to(0, end);
            path_of(slice);
            std::size_t same = 0;
            while (same < open_.size() && same < path_.size() && open_[same] == path_[same]) ++same;
            close_to(same, begin);
            for (std::size_t i = same; i < path_.size(); ++i) event("O", path_[i], begin);
            open_.swap(path_);
            end = since_begin(slice.end_ns);
        }
        close_to(0, end);
        json_.end_array();
        json_.end_object();
        json_.end_line();
    }

private:
    std::uint64_t since_begin(std::uint64_t at_ns) const { return length(timeline_.window.from_ns, at_ns); }

    void path_of(const Slice& slice) {
        path_.clear();
        path_.push_back(frames_.of(slice.activity, slice.wait_class));
        if (slice.detail != StringId::kNone) path_.push_back(frames_.of(slice.detail));
        for (const std::uint32_t frame : timeline_.stacks.frames_of(slice.stack)) {
            path_.push_back(frames_.of_frame(frame));
        }
    }

    void close_to(std::size_t depth, std::uint64_t at) {
        for (; open_.size() > depth; open_.pop_back()) event("C", open_.back(), at);
    }

    /// In the order of time whatever the slices are like: the format demands it.
    void event(std::string_view type, std::uint32_t frame, std::uint64_t at) {
        at_ = std::clamp(at, at_, last_);
        json_.begin_object();
        json_.key("type").text(type);
        json_.key("frame").number(frame);
        json_.key("at").number(at_);
        json_.end_object();
    }

    const Timeline& timeline_;
    FrameList& frames_;
    JsonText& json_;
    std::vector<std::uint32_t> open_;
    std::vector<std::uint32_t> path_;
    std::uint64_t at_ = 0;
    std::uint64_t last_ = 0;
};

/// In milliseconds, with the nanoseconds rounded to microseconds: sums of years stay exact in a double. Or a
/// count.
void write_weight(JsonText& json, bool count, std::uint64_t value) {
    if (count) {
        json.number(value);
    } else {
        json.thousandths(value);
    }
}

void write_held_time(const Timeline& timeline, Weight weight, FrameList& frames, JsonText& json) {
    const bool count = weight == Weight::kCount;
    std::vector<HeldTime> kinds = held_time(timeline);
    const auto value_of = [count](const HeldTime& kind) {
        return count ? kind.holds : (kind.held_ns + 500) / 1000;
    };
    std::uint64_t total = 0;
    for (const HeldTime& kind : kinds) total += value_of(kind);
    json.begin_object();
    json.key("type").text("sampled");
    json.key("name").text(count ? "holds" : "held time");
    json.key("unit").text(count ? "none" : "milliseconds");
    json.key("startValue").number(std::uint64_t{0});
    json.key("endValue");
    write_weight(json, count, total);
    json.key("samples").begin_array();
    for (const HeldTime& kind : kinds) {
        json.begin_array();
        json.number(frames.of_owner(kind));
        for (const StringId id : {kind.cause, kind.thread, kind.wait_class}) json.number(frames.of(id));
        for (const std::uint32_t frame : timeline.stacks.frames_of(kind.stack))
            json.number(frames.of_frame(frame));
        json.end_array();
    }
    json.end_array();
    json.key("weights").begin_array();
    for (const HeldTime& kind : kinds) write_weight(json, count, value_of(kind));
    json.end_array();
    json.end_object();
    json.end_line();
}

}  // namespace

void write_speedscope(const Timeline& timeline, const Options& options, output::Sink& sink) {
    Progress progress(timeline, options, true, false);
    JsonText json(sink);
    FrameList frames(timeline);
    json.begin_object();
    json.key("$schema").text("https://www.speedscope.app/file-format-schema.json");
    json.key("name").text(fmt::format("waitclose on {}", known(timeline, timeline.hostname)));
    if (timeline.program != StringId::kNone) json.key("exporter").text(timeline.text(timeline.program));
    json.key("activeProfileIndex").number(std::uint64_t{0});
    json.key("profiles").begin_array();
    write_held_time(timeline, options.weight, frames, json);
    ThreadProfile profile(timeline, frames, json);
    for (const Process& process : timeline.processes) {
        for (const Thread& thread : process.threads) {
            if (sink.ended()) return;
            if (thread.slices.empty()) continue;
            profile.write(process, thread);
            progress.add(thread.slices.size());
        }
    }
    json.end_array();
    frames.write(json);
    json.end_object();
    json.end_document();
}

}  // namespace waitclose::timeline
