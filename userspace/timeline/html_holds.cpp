// SPDX-License-Identifier: BSD-2-Clause
// The holds in the data of the HTML report, and why they lasted.
#include <fmt/format.h>

#include "model/wording.h"
#include "timeline/html_data.h"
#include "timeline/labels.h"

namespace waitclose::timeline {

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
    column("earlier", [&](std::uint32_t i) { json_.number(std::uint32_t{holds[i].since_or_earlier}); });
    column("later", [&](std::uint32_t i) { json_.number(std::uint32_t{holds[i].ended_or_later}); });
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
        index(culprit && culprit->tid ? cast_.thread_of(holds[i], culprit->pid, *culprit->tid, culprit->comm)
                                      : std::nullopt);
    });
    column("closer", [&](std::uint32_t i) { index(cast_.closer_of(holds[i])); });
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
    column("shares", [&](std::uint32_t i) { write_shares(holds[i]); });
}

/// What it did, its stack, and how long, one after the other; null where no capture followed the culprit.
void ReportData::write_shares(const Hold& hold) {
    if (hold.shares.empty() || !hold.tenures.empty()) {
        json_.null();
        return;
    }
    json_.begin_array();
    for (const Share& share : hold.shares) {
        const std::string_view doing = timeline_.text(share.doing);
        json_.number(texts_.of(doing == "waiting for a CPU" ? "cpu"
                               : doing == "not watched"     ? "unwatched"
                                                            : doing));
        const auto id = static_cast<std::uint32_t>(share.stack);
        json_.number(id <= timeline_.stacks.size() ? id : 0);
        json_.number(difference(0, share.ns));
    }
    json_.end_array();
}

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
    write_chain(hold);
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
    for (const Tenure& tenure : hold.tenures) {
        const Process* owner = timeline_.process_at(tenure.owner);
        json_.number(texts_.of(
            fmt::format("{} had it for {}",
                        owner != nullptr ? process_label(timeline_, *owner) : std::string(kOwnerNotKnown),
                        model::duration_text(length(tenure.begin_ns, tenure.end_ns)))));
    }
    if (hold.peer) {
        json_.number(
            texts_.of(fmt::format("the other end: {} ({}), fd {}, on this machine",
                                  known(timeline_, hold.peer->comm), hold.peer->pid, hold.peer->fd)));
    }
    json_.end_array();
    json_.end_object();
}

void ReportData::write_chain(const Hold& hold) {
    json_.key("because").begin_array();
    for (const Link& link : hold.diagnosis.because) {
        json_.begin_object();
        json_.key("pid").number(link.pid);
        json_.key("tid").number(link.tid);
        json_.key("thread");
        index(cast_.thread_of(hold, link.pid, link.tid, link.comm));
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
        json_.key("function");
        text(link.function);
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

}  // namespace waitclose::timeline
