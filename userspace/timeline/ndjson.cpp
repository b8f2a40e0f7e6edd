// SPDX-License-Identifier: BSD-2-Clause
// The holds, one object a line: the socket object of the JSON contract, in its order, and what a recording
// knows beyond it: "open", "wait_class", "closer", "frames", "owner" and who had it when, "held_by".
#include "timeline/format.h"
#include "timeline/json_text.h"
#include "timeline/labels.h"
#include "timeline/progress.h"
#include "timeline/wall_clock.h"

namespace waitclose::timeline {

namespace {

class HoldWriter {
public:
    HoldWriter(const Timeline& timeline, output::Sink& sink)
        : timeline_(timeline),
          json_(sink),
          since_(timeline.window.wall_offset_ns),
          started_(timeline.window.wall_offset_ns) {}

    void write(const Hold& hold) {
        json_.begin_object();
        text("id", hold.id);
        json_.key("netns").maybe(hold.netns);
        json_.key("cookie");
        if (hold.cookie) {
            json_.text(std::to_string(*hold.cookie));
        } else {
            json_.null();
        }
        text("family", hold.family);
        address("local", hold.local);
        address("remote", hold.remote);
        text("role", hold.role);
        json_.key("accepted").maybe(hold.accepted);
        json_.key("eof_read").maybe(hold.eof_read);
        json_.key("received_bytes").maybe(hold.received_bytes);
        json_.key("unread_bytes").maybe(hold.unread_bytes);
        json_.key("unsent_bytes").maybe(hold.unsent_bytes);
        json_.key("held_ns").maybe(hold.held_ns);
        moment("held_since", since_, hold.since_ns);
        text("held_precision", hold.precision);
        holders(hold);
        peer(hold);
        // Of these a timeline knows nothing; what they mean for the hold is in its evidence and advice.
        json_.key("keepalive").null();
        json_.key("watched_by").null();
        json_.key("opened_at").null();
        culprit(hold);
        cause(hold.diagnosis);
        json_.key("open").boolean(hold.open);
        text("wait_class", hold.wait_class);
        closer(hold);
        frames(hold);
        json_.key("owner");
        process(hold.owner);
        held_by(hold);
        json_.end_object();
        json_.end_document();
    }

private:
    void text(std::string_view key, StringId id) {
        json_.key(key);
        if (id == StringId::kNone) {
            json_.null();
        } else {
            json_.text(timeline_.text(id));
        }
    }

    void moment(std::string_view key, WallClock& clock, const std::optional<std::uint64_t>& at_ns) {
        json_.key(key);
        const std::string_view wall = at_ns ? clock.text(*at_ns) : std::string_view();
        if (wall.empty()) {
            json_.null();
        } else {
            json_.text(wall);
        }
    }

    void address(std::string_view key, const Address& address) {
        json_.key(key).begin_object();
        text("address", address.host);
        json_.key("port").number(address.port);
        json_.end_object();
    }

    void holders(const Hold& hold) {
        json_.key("holders").begin_array();
        for (const Holder& holder : hold.holders) {
            json_.begin_object();
            json_.key("pid").number(holder.pid);
            json_.key("fd").number(holder.fd);
            text("comm", holder.comm);
            text("exe", holder.exe);
            json_.key("close_on_exec").maybe(holder.close_on_exec);
            text("cgroup", holder.cgroup);
            text("container", holder.container);
            moment("started_at", started_, holder.started_ns);
            json_.end_object();
        }
        json_.end_array();
    }

    void peer(const Hold& hold) {
        json_.key("peer").begin_object();
        json_.key("local_holder");
        if (hold.peer) {
            json_.begin_object();
            json_.key("pid").number(hold.peer->pid);
            json_.key("fd").number(hold.peer->fd);
            text("comm", hold.peer->comm);
            json_.end_object();
        } else {
            json_.null();
        }
        json_.end_object();
    }

    void culprit(const Hold& hold) {
        json_.key("culprit");
        const auto& culprit = hold.diagnosis.culprit;
        if (!culprit) {
            json_.null();
            return;
        }
        json_.begin_object();
        json_.key("pid").number(culprit->pid);
        json_.key("tid").maybe(culprit->tid);
        text("comm", culprit->comm);
        text("basis", culprit->basis);
        json_.end_object();
    }

    void cause(const Diagnosis& diagnosis) {
        json_.key("cause");
        if (diagnosis.cause == StringId::kNone) {
            json_.null();
            return;
        }
        json_.begin_object();
        text("id", diagnosis.cause);
        text("confidence", diagnosis.confidence);
        text("summary", diagnosis.summary);
        because(diagnosis);
        json_.key("contributing").begin_array();
        for (const StringId id : diagnosis.contributing) json_.text(timeline_.text(id));
        json_.end_array();
        json_.key("evidence").begin_array();
        for (const Evidence& fact : diagnosis.evidence) {
            json_.begin_object();
            text("fact", fact.fact);
            value("value", fact.value);
            text("text", fact.text);
            json_.end_object();
        }
        json_.end_array();
        text("advice", diagnosis.advice);
        json_.end_object();
    }

    void because(const Diagnosis& diagnosis) {
        json_.key("because").begin_array();
        for (const Link& link : diagnosis.because) {
            json_.begin_object();
            json_.key("pid").number(link.pid);
            json_.key("tid").number(link.tid);
            text("comm", link.comm);
            text("waits_for", link.waits_for);
            json_.key("for_ns").maybe(link.for_ns);
            text("detail", link.detail);
            json_.key("on");
            if (link.on) {
                json_.begin_object();
                json_.key("pid").number(link.on->pid);
                json_.key("tid").number(link.on->tid);
                json_.end_object();
            } else {
                json_.null();
            }
            text("function", link.function);
            json_.end_object();
        }
        json_.end_array();
    }

    void value(std::string_view key, const Value& value) {
        switch (value.kind) {
        case Value::Kind::kNone: json_.key(key).null(); return;
        case Value::Kind::kBoolean: json_.key(key).boolean(value.number != 0); return;
        case Value::Kind::kNumber: json_.key(key).number(value.number); return;
        case Value::Kind::kText: text(key, value.text); return;
        }
    }

    void closer(const Hold& hold) {
        json_.key("closer");
        if (!hold.closed) {
            json_.null();
            return;
        }
        json_.begin_object();
        json_.key("pid").number(hold.closed->pid);
        json_.key("tid").number(hold.closed->tid);
        text("comm", hold.closed->comm);
        json_.end_object();
    }

    /// The culprit's stack, the outermost function first.
    void frames(const Hold& hold) {
        json_.key("frames");
        if (hold.stack == StackId::kNone) {
            json_.null();
            return;
        }
        json_.begin_array();
        for (const std::uint32_t frame : timeline_.stacks.frames_of(hold.stack)) {
            json_.text(frame_label(timeline_, timeline_.stacks.frames()[frame]));
        }
        json_.end_array();
    }

    /// Null where it is not known.
    void process(std::uint32_t index) {
        const Process* process = timeline_.process_at(index);
        if (process == nullptr) {
            json_.null();
            return;
        }
        json_.begin_object();
        json_.key("pid").number(process->pid);
        text("comm", process->comm);
        json_.end_object();
    }

    /// Of a hold that was passed on: who had it one after the other, and for how long. Else null: its owner.
    void held_by(const Hold& hold) {
        json_.key("held_by");
        if (hold.tenures.empty()) {
            json_.null();
            return;
        }
        json_.begin_array();
        for (const Tenure& tenure : hold.tenures) {
            json_.begin_object();
            json_.key("owner");
            process(tenure.owner);
            moment("since", since_, tenure.begin_ns);
            json_.key("held_ns").number(length(tenure.begin_ns, tenure.end_ns));
            text("cause", tenure.cause);
            json_.end_object();
        }
        json_.end_array();
    }

    const Timeline& timeline_;
    JsonText json_;
    WallClock since_;  // each mostly stays within the second it had last
    WallClock started_;
};

}  // namespace

void write_hold(const Timeline& timeline, const Hold& hold, output::Sink& sink) {
    HoldWriter(timeline, sink).write(hold);
}

void write_ndjson(const Timeline& timeline, const Options& options, output::Sink& sink) {
    Progress progress(timeline, options, false, true);
    HoldWriter writer(timeline, sink);
    for (const Hold& hold : timeline.holds) {
        if (sink.ended()) return;
        writer.write(hold);
        progress.add(1);
    }
}

}  // namespace waitclose::timeline
