// SPDX-License-Identifier: BSD-2-Clause
// The trace-event format of chrome://tracing. Times are microseconds with three decimals, counted from the
// earliest moment of the timeline, so that a reader's doubles keep the nanoseconds. Held sockets overlap, so
// they are asynchronous events; a flow can only start and end on a thread's lane, so the FINs of a process
// have one of their own.
#include <fmt/format.h>

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "timeline/chrome_ids.h"
#include "timeline/format.h"
#include "timeline/json_text.h"
#include "timeline/labels.h"
#include "timeline/parts.h"
#include "timeline/progress.h"
#include "timeline/walk.h"
#include "timeline/wall_clock.h"

namespace waitclose::timeline {

namespace {

constexpr std::uint32_t kFinLane = ChromeIds::kFinLane;
constexpr std::uint32_t kNoOwner = ChromeIds::kNoOwner;

/// Frames as a tree by their callers, which is how the format wants stacks: id → name and parent.
class FrameTree {
public:
    explicit FrameTree(const StackTable& stacks) : leaves_(stacks.size() + 1, kRoot) {
        for (std::size_t id = 1; id <= stacks.size(); ++id) {
            std::uint32_t at = kRoot;
            for (const std::uint32_t frame : stacks.frames_of(static_cast<StackId>(id))) {
                const auto next = static_cast<std::uint32_t>(nodes_.size() + 1);
                const auto [node, fresh] = ids_.emplace(std::pair(at, frame), next);
                if (fresh) nodes_.push_back({at, frame});
                at = node->second;
            }
            leaves_[id] = at;
        }
    }

    /// The node of the innermost frame; 0 for no stack.
    std::uint32_t leaf(StackId id) const {
        const auto index = static_cast<std::size_t>(id);
        return index < leaves_.size() ? leaves_[index] : kRoot;
    }

    void write(const Timeline& timeline, JsonText& json) const {
        json.key("stackFrames").begin_object();
        for (std::size_t id = 1; id <= nodes_.size(); ++id) {
            const Node& node = nodes_[id - 1];
            const Frame& frame = timeline.stacks.frames()[node.frame];
            json.key(std::to_string(id)).begin_object();
            json.key("name").text(frame_label(timeline, frame));
            json.key("category").text(known(timeline, frame.module));
            if (node.parent != kRoot) json.key("parent").text(std::to_string(node.parent));
            json.end_object();
        }
        json.end_object();
    }

private:
    static constexpr std::uint32_t kRoot = 0;
    struct Node {
        std::uint32_t parent;
        std::uint32_t frame;
    };
    std::vector<Node> nodes_;
    std::vector<std::uint32_t> leaves_;
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> ids_;
};

class ChromeWriter {
public:
    ChromeWriter(const Timeline& timeline, const Options& options, output::Sink& sink)
        : timeline_(timeline),
          progress_(timeline, options, true, true),
          sink_(sink),
          json_(sink),
          tree_(timeline.stacks),
          ids_(timeline),
          origin_ns_(timeline.window.from_ns) {
        for (const Hold& hold : timeline.holds) {
            if (!hold.phases.empty()) origin_ns_ = std::min(origin_ns_, hold.phases.front().begin_ns);
            if (hold.since_ns) origin_ns_ = std::min(origin_ns_, *hold.since_ns);
        }
    }

    void run() {
        json_.begin_object();
        json_.key("displayTimeUnit").text("ns");
        about();
        json_.key("traceEvents").begin_array();
        for (std::uint32_t one = 0; one < timeline_.processes.size(); ++one) {
            if (sink_.ended()) return;
            process(one);
        }
        lanes_of_no_thread();
        for (std::size_t i = 0; i < timeline_.holds.size() && !sink_.ended(); ++i) {
            hold(timeline_.holds[i], i + 1);
            progress_.add(1);
        }
        for (const Counter& one : timeline_.counters) counter(one);
        for (const Loss& one : timeline_.losses) loss(one);
        json_.end_array();
        tree_.write(timeline_, json_);
        json_.end_object();
        json_.end_document();
    }

private:
    /// {"ph", "pid", "tid", "ts" …: what every event has; the caller goes on, and calls end().
    void event(std::string_view phase, std::uint32_t pid, std::uint32_t tid, std::uint64_t at_ns,
               std::string_view name, std::string_view category) {
        json_.begin_object();
        json_.key("ph").text(phase);
        json_.key("pid").number(pid);
        json_.key("tid").number(tid);
        json_.key("ts").thousandths(length(origin_ns_, at_ns));
        json_.key("name").text(name);
        json_.key("cat").text(category);
    }
    void end() {
        json_.end_object();
        json_.end_line();
    }

    void text(std::string_view key, StringId id) {
        if (id != StringId::kNone) json_.key(key).text(timeline_.text(id));
    }

    void about() {
        json_.key("otherData").begin_object();
        text("hostname", timeline_.hostname);
        text("kernel", timeline_.kernel);
        text("recorded_by", timeline_.program);
        WallClock clock(timeline_.window.wall_offset_ns);
        json_.key("zero_is_boottime_ns").text(std::to_string(origin_ns_));
        if (const std::string_view wall = clock.text(origin_ns_); !wall.empty())
            json_.key("zero_is").text(wall);
        json_.end_object();
    }

    void name_of(std::string_view what, std::uint32_t pid, std::uint32_t tid, std::string_view name) {
        event("M", pid, tid, origin_ns_, what, "__metadata");
        json_.key("args").begin_object();
        json_.key(what == "process_labels" ? "labels" : "name").text(name);
        json_.end_object();
        end();
    }

    /// With the id that it had, where its track has another one.
    static std::string name(std::string_view comm, std::uint32_t id, std::uint32_t track) {
        return id == track ? std::string(comm) : fmt::format("{} ({}, given again)", comm, id);
    }

    void process(std::uint32_t index) {
        const Process& process = timeline_.processes[index];
        const std::uint32_t pid = ids_.pid(index);
        name_of("process_name", pid, pid, name(known(timeline_, process.comm), process.pid, pid));
        if (process.cgroup != StringId::kNone)
            name_of("process_labels", pid, pid, timeline_.text(process.cgroup));
        for (std::uint32_t i = 0; i < process.threads.size(); ++i) {
            if (sink_.ended()) return;
            const Thread& one = process.threads[i];
            const std::uint32_t tid = ids_.tid(index, i);
            name_of("thread_name", pid, tid, name(known(timeline_, one.comm), one.tid, tid));
            for (const Slice& slice : one.slices) this->slice(pid, tid, slice);
            progress_.add(one.slices.size());
        }
    }

    const std::string& label(const Slice& slice) {
        std::string& label = labels_[{slice.activity, slice.wait_class}];
        if (label.empty()) label = slice_label(timeline_, slice.activity, slice.wait_class);
        return label;
    }

    /// A beginning and an end, not a beginning and a length: begin + length, added up in a reader's doubles,
    /// may lie after the beginning of the next slice.
    void slice(std::uint32_t pid, std::uint32_t tid, const Slice& slice) {
        const std::string& name = label(slice);
        event("B", pid, tid, slice.begin_ns, name, "thread");
        if (const std::uint32_t leaf = tree_.leaf(slice.stack)) json_.key("sf").number(leaf);
        detail(slice);
        end();
        event("E", pid, tid, std::max(slice.begin_ns, slice.end_ns), name, "thread");
        detail(slice);  // some readers find what ends by all it has
        end();
    }

    void detail(const Slice& slice) {
        if (slice.detail == StringId::kNone && slice.waker == StringId::kNone) return;
        json_.key("args").begin_object();
        text("detail", slice.detail);
        text("woken_by", slice.waker);
        json_.end_object();
    }

    std::uint32_t pid_of(std::uint32_t owner) const {
        return timeline_.process_at(owner) != nullptr ? ids_.pid(owner) : kNoOwner;
    }

    void lanes_of_no_thread() {
        std::set<std::uint32_t> pids;
        for (const Hold& hold : timeline_.holds) {
            pids.insert(pid_of(hold.tenures.empty() ? hold.owner : hold.tenures.front().owner));
            for (const Tenure& tenure : hold.tenures) pids.insert(pid_of(tenure.owner));
        }
        for (const std::uint32_t pid : pids) name_of("thread_name", pid, kFinLane, "FIN received");
        if (pids.contains(kNoOwner)) name_of("process_name", kNoOwner, kNoOwner, kOwnerNotKnown);
        if (!timeline_.counters.empty() || !timeline_.losses.empty())
            name_of("process_name", 0, 0, "machine");
    }

    void hold(const Hold& hold, std::size_t number) {
        if (hold.phases.empty()) return;
        const std::string title = hold_label(timeline_, hold);
        std::optional<std::uint32_t> first_pid;
        each_part(hold, [&](const Part& part, const std::vector<Phase>& phases) {
            if (phases.empty()) return;
            if (!first_pid) first_pid = pid_of(part.owner);
            const std::string id = part.number == 0 ? fmt::format("hold-{}", number)
                                                    : fmt::format("hold-{}.{}", number, part.number + 1);
            this->part(hold, part, phases, title, id);
        });
        if (first_pid) flow(hold, *first_pid, title, number);
    }

    void part(const Hold& hold, const Part& part, const std::vector<Phase>& phases, const std::string& title,
              const std::string& id) {
        const auto async = [&](std::string_view phase, std::uint64_t at_ns, std::string_view name) {
            event(phase, pid_of(part.owner), kFinLane, at_ns, name, "hold");
            json_.key("id").text(id);
        };
        // The socket's lane is called by its first event: the socket itself.
        std::uint64_t last = 0;
        for (const Phase& phase : phases) last = std::max(last, phase.end_ns);
        async("b", phases.front().begin_ns, title);
        if (part.is_owners) hold_args(hold);
        end();
        std::vector<std::string> names;
        walk_phases(
            phases,
            [&](const Phase& phase, std::uint64_t at_ns) {
                names.push_back(phase_label(timeline_, phase, part.cause));
                async("b", at_ns, names.back());
                end();
            },
            [&](std::uint64_t at_ns) {
                async("e", at_ns, names.back());
                names.pop_back();
                end();
            });
        async("e", last, title);
        end();
    }

    void flow(const Hold& hold, std::uint32_t pid, const std::string& title, std::size_t number) {
        const Thread* toucher = hold.first_touch ? timeline_.thread_at(hold.first_touch->where) : nullptr;
        const Thread* closer = hold.closed ? timeline_.thread_at(hold.closed->where) : nullptr;
        if (!hold.since_ns || (toucher == nullptr && closer == nullptr)) return;
        event("X", pid, kFinLane, *hold.since_ns, "FIN " + title, "hold");
        json_.key("dur").thousandths(0);
        end();
        step("s", pid, kFinLane, *hold.since_ns, number);
        if (toucher != nullptr)
            deed("first touch ", *hold.first_touch, title, closer != nullptr ? "t" : "f", number);
        if (closer != nullptr) deed("close ", *hold.closed, title, "f", number);
    }

    void deed(const char* what, const Deed& deed, const std::string& title, std::string_view phase,
              std::size_t number) {
        const std::uint32_t pid = ids_.pid(deed.where.process);
        const std::uint32_t tid = ids_.tid(deed.where.process, deed.where.thread);
        event("i", pid, tid, deed.at_ns, what + title, "hold");
        json_.key("s").text("t");
        end();
        step(phase, pid, tid, deed.at_ns, number);
    }

    void step(std::string_view phase, std::uint32_t pid, std::uint32_t tid, std::uint64_t at_ns,
              std::size_t number) {
        event(phase, pid, tid, at_ns, "FIN to close", "hold");
        json_.key("id").number(number);
        if (phase == "f") json_.key("bp").text("e");
        end();
    }

    void hold_args(const Hold& hold) {
        const Diagnosis& diagnosis = hold.diagnosis;
        json_.key("args").begin_object();
        text("id", hold.id);
        text("cause", diagnosis.cause);
        text("confidence", diagnosis.confidence);
        text("summary", diagnosis.summary);
        text("advice", diagnosis.advice);
        if (diagnosis.culprit) {
            json_.key("culprit").text(culprit_label(timeline_, *diagnosis.culprit));
            text("basis", diagnosis.culprit->basis);
        }
        json_.key("held_ns").maybe(hold.held_ns);
        text("held_precision", hold.precision);
        json_.key("open").boolean(hold.open);
        if (!diagnosis.because.empty()) {
            json_.key("because").begin_array();
            for (const Link& link : diagnosis.because) json_.text(link_label(timeline_, link));
            json_.end_array();
        }
        if (!diagnosis.contributing.empty()) {
            json_.key("contributing").begin_array();
            for (const StringId cause : diagnosis.contributing) json_.text(timeline_.text(cause));
            json_.end_array();
        }
        if (!diagnosis.evidence.empty()) {
            json_.key("evidence").begin_array();
            for (const Evidence& fact : diagnosis.evidence) json_.text(evidence_label(timeline_, fact));
            json_.end_array();
        }
        json_.end_object();
    }

    void counter(const Counter& counter) {
        const bool is_of_process = timeline_.process_at(counter.process) != nullptr;
        const std::uint32_t pid = is_of_process ? ids_.pid(counter.process) : 0;
        const std::string name = counter_label(timeline_, counter);
        for (const Counter::Sample& sample : counter.samples) {
            event("C", pid, 0, sample.at_ns, name, "counter");
            json_.key("args").begin_object();
            json_.key("value").number(sample.value);
            json_.end_object();
            end();
        }
    }

    void loss(const Loss& loss) {
        event("i", 0, 0, loss.at_ns, loss_label(timeline_, loss), "loss");
        json_.key("s").text("g");
        json_.key("args").begin_object();
        json_.key("count").number(loss.count);
        json_.end_object();
        end();
    }

    const Timeline& timeline_;
    Progress progress_;
    output::Sink& sink_;
    JsonText json_;
    FrameTree tree_;
    ChromeIds ids_;
    std::uint64_t origin_ns_;
    std::map<std::pair<Activity, StringId>, std::string> labels_;
};

}  // namespace

void write_chrome(const Timeline& timeline, const Options& options, output::Sink& sink) {
    ChromeWriter(timeline, options, sink).run();
}

}  // namespace waitclose::timeline
