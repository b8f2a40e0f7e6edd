// SPDX-License-Identifier: BSD-2-Clause
// Perfetto's trace format: a track for every process, with its threads and its held sockets beneath, one for
// every counter, and one for losses. Moments are CLOCK_BOOTTIME, Perfetto's own trace clock.
#include <map>
#include <utility>

#include "timeline/format.h"
#include "timeline/labels.h"
#include "timeline/parts.h"
#include "timeline/perfetto_packets.h"
#include "timeline/progress.h"
#include "timeline/walk.h"

namespace waitclose::timeline {

namespace {

using namespace perfetto;
using perfetto::Clock;

/// Adds debug annotations to an event. Their names must have been interned before the event was begun, so
/// they are all asked for when the writer starts.
struct AnnotationNames {
    explicit AnnotationNames(Packets& packets)
        : detail(packets.annotation("detail")),
          woken_by(packets.annotation("woken_by")),
          id(packets.annotation("id")),
          cause(packets.annotation("cause")),
          confidence(packets.annotation("confidence")),
          summary(packets.annotation("summary")),
          advice(packets.annotation("advice")),
          culprit(packets.annotation("culprit")),
          basis(packets.annotation("basis")),
          held_ns(packets.annotation("held_ns")),
          precision(packets.annotation("held_precision")),
          open(packets.annotation("open")),
          because(packets.annotation("because")),
          contributing(packets.annotation("contributing")),
          evidence(packets.annotation("evidence")),
          socket(packets.annotation("socket")),
          count(packets.annotation("count")) {}

    std::uint64_t detail, woken_by, id, cause, confidence, summary, advice, culprit, basis, held_ns,
        precision, open, because, contributing, evidence, socket, count;
};

class PerfettoWriter {
public:
    PerfettoWriter(const Timeline& timeline, const Options& options, output::Sink& sink)
        : timeline_(timeline),
          progress_(timeline, options, true, true),
          sink_(sink),
          packets_(timeline, sink),
          first_process_(kMachineTrack + 1) {
        begin();
        names_.emplace(packets_);
        thread_category_ = packets_.category("thread");
        hold_category_ = packets_.category("hold");
        loss_category_ = packets_.category("loss");
        std::uint64_t next = first_process_ + timeline.processes.size();
        for (const Process& process : timeline.processes) {
            first_thread_.push_back(next);
            next += process.threads.size();
        }
        first_hold_ = next;
        first_counter_ = first_hold_ + timeline.holds.size();
        next_track_ = first_counter_ + timeline.counters.size();
    }

    void run() {
        for (std::size_t i = 0; i < timeline_.processes.size(); ++i) {
            process(i);
            for (std::size_t j = 0; j < timeline_.processes[i].threads.size(); ++j) {
                if (sink_.ended()) return;
                thread(i, j);
            }
        }
        for (std::size_t i = 0; i < timeline_.holds.size() && !sink_.ended(); ++i) {
            hold(i);
            progress_.add(1);
        }
        for (std::size_t i = 0; i < timeline_.counters.size(); ++i) counter(i);
        losses();
    }

private:
    static constexpr std::uint64_t kMachineTrack = 1;  // losses

    /// Clocks, defaults and the machine; everything after refers to these.
    void begin() {
        packets_.packet(kIncrementalStateCleared, [](Message<TracePacket>& packet) {
            packet.add_bool(TracePacket::kFirstPacketOnSequence, true);
            Message<TracePacketDefaults> defaults(packet, TracePacket::kTracePacketDefaults);
            defaults.add_uint32(TracePacketDefaults::kTimestampClockId, kBoottime);
        });
        const Window& window = timeline_.window;
        packets_.packet(kNeedsIncrementalState, [&](Message<TracePacket>& packet) {
            Message<ClockSnapshot> snapshot(packet, TracePacket::kClockSnapshot);
            clock(snapshot, kBoottime, window.from_ns);
            if (window.wall_offset_ns) {
                clock(snapshot, kRealtime,
                      window.from_ns + static_cast<std::uint64_t>(*window.wall_offset_ns));
            }
            snapshot.add_uint32(ClockSnapshot::kPrimaryTraceClock, kBoottime);
        });
        packets_.packet(kNeedsIncrementalState, [&](Message<TracePacket>& packet) {
            Message<SystemInfo> system(packet, TracePacket::kSystemInfo);
            Message<Utsname> utsname(system, SystemInfo::kUtsname);
            utsname.add_string(Utsname::kSysname, "Linux");
            utsname.add_string(Utsname::kRelease, shown(timeline_.text(timeline_.kernel)));
        });
        descriptor([&](Message<TrackDescriptor>& track) {
            track.add_uint64(TrackDescriptor::kUuid, kMachineTrack);
            track.add_string(TrackDescriptor::kName, "waitclose: losses");
        });
    }

    static void clock(Message<ClockSnapshot>& snapshot, std::uint32_t id, std::uint64_t reading) {
        Message<Clock> clock(snapshot, ClockSnapshot::kClocks);
        clock.add_uint32(Clock::kClockId, id);
        clock.add_uint64(Clock::kTimestamp, reading);
    }

    template <typename Fill>
    void descriptor(Fill&& fill) {
        packets_.packet(kNeedsIncrementalState, [&](Message<TracePacket>& packet) {
            Message<TrackDescriptor> track(packet, TracePacket::kTrackDescriptor);
            fill(track);
        });
    }

    void process(std::size_t index) {
        const Process& process = timeline_.processes[index];
        descriptor([&](Message<TrackDescriptor>& track) {
            track.add_uint64(TrackDescriptor::kUuid, first_process_ + index);
            Message<ProcessDescriptor> about(track, TrackDescriptor::kProcess);
            about.add_int32(ProcessDescriptor::kPid, static_cast<std::int32_t>(process.pid));
            about.add_string(ProcessDescriptor::kProcessName, shown(known(timeline_, process.comm)));
            if (process.exe != StringId::kNone) {
                about.add_string(ProcessDescriptor::kCmdline, shown(timeline_.text(process.exe)));
            }
            for (const StringId label : {process.cgroup, process.container}) {
                if (label == StringId::kNone) continue;
                about.add_string(ProcessDescriptor::kProcessLabels, shown(timeline_.text(label)));
            }
            if (process.started_ns) {
                about.add_int64(ProcessDescriptor::kStartTimestampNs,
                                static_cast<std::int64_t>(*process.started_ns));
            }
        });
    }

    void thread(std::size_t process, std::size_t index) {
        const Thread& thread = timeline_.processes[process].threads[index];
        const std::uint64_t track = first_thread_[process] + index;
        descriptor([&](Message<TrackDescriptor>& about_track) {
            about_track.add_uint64(TrackDescriptor::kUuid, track);
            about_track.add_uint64(TrackDescriptor::kParentUuid, first_process_ + process);
            Message<ThreadDescriptor> about(about_track, TrackDescriptor::kThread);
            about.add_int32(ThreadDescriptor::kPid,
                            static_cast<std::int32_t>(timeline_.processes[process].pid));
            about.add_int32(ThreadDescriptor::kTid, static_cast<std::int32_t>(thread.tid));
            about.add_string(ThreadDescriptor::kThreadName, shown(known(timeline_, thread.comm)));
        });
        for (const Slice& slice : thread.slices) {
            const std::uint64_t name = slice_name(slice);
            const std::uint64_t stack = packets_.callstack(slice.stack);
            packets_.event(slice.begin_ns, EventType::kSliceBegin, track, [&](Message<TrackEvent>& event) {
                event.add_uint64(TrackEvent::kCategoryIids, thread_category_);
                event.add_uint64(TrackEvent::kNameIid, name);
                if (stack != 0) event.add_uint64(TrackEvent::kCallstackIid, stack);
                annotate(event, names_->detail, slice.detail);
                annotate(event, names_->woken_by, slice.waker);
            });
            packets_.event(std::max(slice.begin_ns, slice.end_ns), EventType::kSliceEnd, track,
                           [](Message<TrackEvent>&) {});
        }
        progress_.add(thread.slices.size());
    }

    std::uint64_t slice_name(const Slice& slice) {
        std::uint64_t& name = slice_names_[{slice.activity, slice.wait_class}];
        if (name == 0) name = packets_.event_name(slice_label(timeline_, slice.activity, slice.wait_class));
        return name;
    }

    void annotate(Message<TrackEvent>& event, std::uint64_t name, StringId text) {
        if (text != StringId::kNone) annotate(event, name, timeline_.text(text));
    }
    static void annotate(Message<TrackEvent>& event, std::uint64_t name, std::string_view text) {
        Message<DebugAnnotation> annotation(event, TrackEvent::kDebugAnnotations);
        annotation.add_uint64(DebugAnnotation::kNameIid, name);
        annotation.add_string(DebugAnnotation::kStringValue, shown(text));
    }

    /// The track of the process; for none of them one that says so.
    std::uint64_t track_of(std::uint32_t owner) {
        if (timeline_.process_at(owner) != nullptr) return first_process_ + owner;
        if (no_owner_ == 0) {
            no_owner_ = next_track_++;
            descriptor([&](Message<TrackDescriptor>& about) {
                about.add_uint64(TrackDescriptor::kUuid, no_owner_);
                about.add_string(TrackDescriptor::kName, std::string(kOwnerNotKnown));
            });
        }
        return no_owner_;
    }

    void hold(std::size_t index) {
        const Hold& hold = timeline_.holds[index];
        if (hold.phases.empty()) return;
        const std::string title = hold_label(timeline_, hold);
        each_part(hold, [&](const Part& part, const std::vector<Phase>& phases) {
            if (!phases.empty()) this->part(index, part, phases, title);
        });
        if (hold.first_touch)
            deed("first touch", *hold.first_touch, title, index,
                 timeline_.thread_at(closer(hold)) != nullptr);
        if (hold.closed) deed("close", *hold.closed, title, index, false);
    }

    void part(std::size_t index, const Part& part, const std::vector<Phase>& phases,
              const std::string& title) {
        const Hold& hold = timeline_.holds[index];
        const std::uint64_t parent = track_of(part.owner);
        const std::uint64_t track = part.number == 0 ? first_hold_ + index : next_track_++;
        descriptor([&](Message<TrackDescriptor>& about) {
            about.add_uint64(TrackDescriptor::kUuid, track);
            about.add_uint64(TrackDescriptor::kParentUuid, parent);
            about.add_string(TrackDescriptor::kName, shown(title));
            about.add_enum(TrackDescriptor::kSiblingMergeBehavior, kMergeNone);
        });
        const bool flows = !hold.tenures.empty() || timeline_.thread_at(toucher(hold)) != nullptr ||
                           timeline_.thread_at(closer(hold)) != nullptr;
        const Phase* about_hold = &phases.front();
        for (const Phase& phase : phases) {
            if (phase.is_hold) about_hold = &phase;
        }
        walk_phases(
            phases,
            [&](const Phase& phase, std::uint64_t at_ns) {
                const std::uint64_t name = packets_.event_name(phase_label(timeline_, phase, part.cause));
                packets_.event(at_ns, EventType::kSliceBegin, track, [&](Message<TrackEvent>& event) {
                    event.add_uint64(TrackEvent::kCategoryIids, hold_category_);
                    event.add_uint64(TrackEvent::kNameIid, name);
                    if (&phase != about_hold) return;
                    if (flows) event.add_fixed64(TrackEvent::kFlowIds, index + 1);
                    if (part.is_owners)
                        diagnosis(event, hold);
                    else
                        annotate(event, names_->id, hold.id);
                });
            },
            [&](std::uint64_t at_ns) {
                packets_.event(at_ns, EventType::kSliceEnd, track, [](Message<TrackEvent>&) {});
            });
    }

    static ThreadRef toucher(const Hold& hold) {
        return hold.first_touch ? hold.first_touch->where : ThreadRef{};
    }
    static ThreadRef closer(const Hold& hold) { return hold.closed ? hold.closed->where : ThreadRef{}; }

    /// On the track of the thread that did it.
    void deed(std::string_view what, const Deed& deed, const std::string& title, std::size_t hold,
              bool more_follows) {
        if (timeline_.thread_at(deed.where) == nullptr) return;
        const std::uint64_t track = first_thread_[deed.where.process] + deed.where.thread;
        const std::uint64_t name = packets_.event_name(what);
        packets_.event(deed.at_ns, EventType::kInstant, track, [&](Message<TrackEvent>& event) {
            event.add_uint64(TrackEvent::kCategoryIids, hold_category_);
            event.add_uint64(TrackEvent::kNameIid, name);
            event.add_fixed64(more_follows ? TrackEvent::kFlowIds : TrackEvent::kTerminatingFlowIds,
                              hold + 1);
            annotate(event, names_->socket, title);
        });
    }

    void diagnosis(Message<TrackEvent>& event, const Hold& hold) {
        const Diagnosis& diagnosis = hold.diagnosis;
        annotate(event, names_->id, hold.id);
        annotate(event, names_->cause, diagnosis.cause);
        annotate(event, names_->confidence, diagnosis.confidence);
        annotate(event, names_->summary, diagnosis.summary);
        annotate(event, names_->advice, diagnosis.advice);
        if (diagnosis.culprit) {
            annotate(event, names_->culprit, culprit_label(timeline_, *diagnosis.culprit));
            annotate(event, names_->basis, diagnosis.culprit->basis);
        }
        if (hold.held_ns) number(event, names_->held_ns, *hold.held_ns);
        annotate(event, names_->precision, hold.precision);
        {
            Message<DebugAnnotation> open(event, TrackEvent::kDebugAnnotations);
            open.add_uint64(DebugAnnotation::kNameIid, names_->open);
            open.add_bool(DebugAnnotation::kBoolValue, hold.open);
        }
        list(event, names_->because, diagnosis.because,
             [&](const Link& link) { return link_label(timeline_, link); });
        list(event, names_->contributing, diagnosis.contributing,
             [&](StringId cause) { return timeline_.text(cause); });
        list(event, names_->evidence, diagnosis.evidence,
             [&](const Evidence& fact) { return evidence_label(timeline_, fact); });
    }

    static void number(Message<TrackEvent>& event, std::uint64_t name, std::uint64_t value) {
        Message<DebugAnnotation> annotation(event, TrackEvent::kDebugAnnotations);
        annotation.add_uint64(DebugAnnotation::kNameIid, name);
        annotation.add_uint64(DebugAnnotation::kUintValue, value);
    }

    template <typename Items, typename Label>
    static void list(Message<TrackEvent>& event, std::uint64_t name, const Items& items, Label&& label) {
        if (items.empty()) return;
        Message<DebugAnnotation> annotation(event, TrackEvent::kDebugAnnotations);
        annotation.add_uint64(DebugAnnotation::kNameIid, name);
        for (const auto& item : items) {
            Message<DebugAnnotation> value(annotation, DebugAnnotation::kArrayValues);
            value.add_string(DebugAnnotation::kStringValue, shown(label(item)));
        }
    }

    void counter(std::size_t index) {
        const Counter& counter = timeline_.counters[index];
        const std::uint64_t track = first_counter_ + index;
        descriptor([&](Message<TrackDescriptor>& about) {
            about.add_uint64(TrackDescriptor::kUuid, track);
            if (timeline_.process_at(counter.process) != nullptr) {
                about.add_uint64(TrackDescriptor::kParentUuid, first_process_ + counter.process);
            }
            about.add_string(TrackDescriptor::kName, shown(counter_label(timeline_, counter)));
            Message<CounterDescriptor> kind(about, TrackDescriptor::kCounter);
            kind.add_enum(CounterDescriptor::kUnit, kUnitUnspecified);
        });
        for (const Counter::Sample& sample : counter.samples) {
            packets_.event(sample.at_ns, EventType::kCounter, track, [&](Message<TrackEvent>& event) {
                event.add_double(TrackEvent::kDoubleCounterValue, sample.value);
            });
        }
    }

    void losses() {
        for (const Loss& loss : timeline_.losses) {
            const std::uint64_t name = packets_.event_name(loss_label(timeline_, loss));
            packets_.event(loss.at_ns, EventType::kInstant, kMachineTrack, [&](Message<TrackEvent>& event) {
                event.add_uint64(TrackEvent::kCategoryIids, loss_category_);
                event.add_uint64(TrackEvent::kNameIid, name);
                number(event, names_->count, loss.count);
            });
        }
    }

    const Timeline& timeline_;
    Progress progress_;
    output::Sink& sink_;
    Packets packets_;
    std::uint64_t first_process_;  // uuids of tracks: numbers one after the other, which are short to write
    std::vector<std::uint64_t> first_thread_;
    std::uint64_t first_hold_ = 0;
    std::uint64_t first_counter_ = 0;
    std::uint64_t next_track_ = 0;  // of those that are not counted beforehand
    std::uint64_t no_owner_ = 0;    // the track of holds whose owner is not known; 0: none has been met
    std::optional<AnnotationNames> names_;
    std::uint64_t thread_category_ = 0;
    std::uint64_t hold_category_ = 0;
    std::uint64_t loss_category_ = 0;
    std::map<std::pair<Activity, StringId>, std::uint64_t> slice_names_;
};

}  // namespace

void write_perfetto(const Timeline& timeline, const Options& options, output::Sink& sink) {
    PerfettoWriter(timeline, options, sink).run();
}

}  // namespace waitclose::timeline
