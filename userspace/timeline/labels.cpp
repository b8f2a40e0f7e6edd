// SPDX-License-Identifier: BSD-2-Clause
#include "timeline/labels.h"

#include <fmt/format.h>

namespace waitclose::timeline {

std::string_view known(const Timeline& timeline, StringId id) {
    return id == StringId::kNone ? kNotKnown : timeline.text(id);
}

std::string slice_label(const Timeline& timeline, Activity activity, StringId wait_class) {
    switch (activity) {
    case Activity::kRunning: return "running";
    case Activity::kRunnable: return "waiting for a CPU";
    case Activity::kBlocked: return fmt::format("blocked: {}", known(timeline, wait_class));
    case Activity::kUnknown: break;
    }
    return std::string(kNotKnown);
}

std::string process_label(const Timeline& timeline, const Process& process) {
    return fmt::format("{} [{}]", known(timeline, process.comm), process.pid);
}

std::string address_label(const Timeline& timeline, const Address& address) {
    const std::string_view host = known(timeline, address.host);
    const bool brackets = host.find(':') != std::string_view::npos;
    return fmt::format(fmt::runtime(brackets ? "[{}]:{}" : "{}:{}"), host, address.port);
}

std::string hold_label(const Timeline& timeline, const Hold& hold) {
    const std::string_view role = timeline.text(hold.role);
    const std::string_view arrow = role == "server" ? "←" : role == "client" ? "→" : "↔";
    return fmt::format("{} {} {}", address_label(timeline, hold.local), arrow,
                       address_label(timeline, hold.remote));
}

std::string frame_label(const Timeline& timeline, const Frame& frame) {
    std::string label;
    if (frame.function != StringId::kNone) {
        label = timeline.text(frame.function);
    } else if (frame.module != StringId::kNone && frame.offset) {
        label = fmt::format("{}+{:#x}", timeline.text(frame.module), *frame.offset);
    } else {
        label = known(timeline, frame.module);
    }
    if (frame.kernel) label += "_[k]";
    return label;
}

std::string phase_label(const Timeline& timeline, const Phase& phase, StringId cause) {
    const std::string_view name = known(timeline, phase.name);
    if (!phase.is_hold || cause == StringId::kNone) return std::string(name);
    return fmt::format("{}: {}", name, timeline.text(cause));
}

std::string_view owner_label(const Timeline& timeline, std::uint32_t owner) {
    const Process* process = timeline.process_at(owner);
    return process != nullptr ? known(timeline, process->comm) : kOwnerNotKnown;
}

std::string culprit_label(const Timeline& timeline, const Culprit& culprit) {
    const std::string_view comm = known(timeline, culprit.comm);
    if (!culprit.tid) return fmt::format("{} [{}], thread not known", comm, culprit.pid);
    return fmt::format("{} [{}]", comm, *culprit.tid);
}

std::string link_label(const Timeline& timeline, const Link& link) {
    const std::string where = link.function == StringId::kNone
                                  ? std::string()
                                  : fmt::format(", in {},", timeline.text(link.function));
    std::string label = fmt::format("{} [{}]{} waits for {}", known(timeline, link.comm), link.tid, where,
                                    known(timeline, link.waits_for));
    if (link.detail != StringId::kNone) label += fmt::format(": {}", timeline.text(link.detail));
    return label;
}

std::string evidence_label(const Timeline& timeline, const Evidence& evidence) {
    std::string label(known(timeline, evidence.fact));
    switch (evidence.value.kind) {
    case Value::Kind::kNone: break;
    case Value::Kind::kBoolean: label += evidence.value.number != 0 ? " = true" : " = false"; break;
    case Value::Kind::kNumber: label += fmt::format(" = {}", evidence.value.number); break;
    case Value::Kind::kText: label += fmt::format(" = {}", timeline.text(evidence.value.text)); break;
    }
    if (evidence.text != StringId::kNone) label += fmt::format(": {}", timeline.text(evidence.text));
    return label;
}

std::string counter_label(const Timeline& timeline, const Counter& counter) {
    const std::string_view name = known(timeline, counter.name);
    if (counter.unit == StringId::kNone) return std::string(name);
    return fmt::format("{} ({})", name, timeline.text(counter.unit));
}

std::string loss_label(const Timeline& timeline, const Loss& loss) {
    return fmt::format("lost: {}", known(timeline, loss.what));
}

}  // namespace waitclose::timeline
