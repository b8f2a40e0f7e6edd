// SPDX-License-Identifier: BSD-2-Clause
#include "replay/words.h"

#include <type_traits>

namespace waitclose::replay {

using timeline::StringId;

namespace {

timeline::Value interned(const std::variant<bool, std::int64_t, std::string>& value,
                         timeline::StringTable& strings) {
    return std::visit(
        [&](const auto& one) {
            if constexpr (std::is_same_v<std::decay_t<decltype(one)>, std::string>)
                return timeline::Value::of(strings.add(one));
            else
                return timeline::Value::of(one);
        },
        value);
}

/// The enumerator whose id it is; the last one for a foreign id.
template <typename Enum>
Enum by_id(std::string_view id, Enum last) {
    for (int i = 0; i < static_cast<int>(last); ++i)
        if (diagnose::id_of(static_cast<Enum>(i)) == id) return static_cast<Enum>(i);
    return last;
}

std::variant<bool, std::int64_t, std::string> restored(const timeline::Value& value,
                                                       const timeline::Timeline& timeline) {
    switch (value.kind) {
    case timeline::Value::Kind::kBoolean: return value.number != 0;
    case timeline::Value::Kind::kNumber: return value.number;
    case timeline::Value::Kind::kText:
    case timeline::Value::Kind::kNone: break;
    }
    return std::string(timeline.text(value.text));
}

diagnose::Link restored(const timeline::Link& link, const timeline::Timeline& timeline) {
    diagnose::Link made;
    made.pid = link.pid;
    made.tid = link.tid;
    made.comm = timeline.text(link.comm);
    made.waits_for = timeline.text(link.waits_for);
    made.for_ns = link.for_ns;
    made.detail = timeline.text(link.detail);
    made.function = timeline.text(link.function);
    if (link.on) made.on = diagnose::ThreadId{link.on->pid, link.on->tid};
    return made;
}

}  // namespace

timeline::Link interned(const diagnose::Link& link, timeline::StringTable& strings) {
    timeline::Link made{link.pid,
                        link.tid,
                        strings.add(link.comm),
                        strings.add(link.waits_for),
                        strings.add(link.detail),
                        link.for_ns,
                        std::nullopt};
    if (!link.function.empty()) made.function = strings.add(link.function);
    if (link.on) made.on = timeline::Link::Other{link.on->pid, link.on->tid};
    return made;
}

timeline::Diagnosis interned(const diagnose::Diagnosis& diagnosis, timeline::StringTable& strings) {
    timeline::Diagnosis made;
    if (const auto& culprit = diagnosis.culprit)
        made.culprit = timeline::Culprit{culprit->pid, culprit->tid, strings.add(culprit->comm),
                                         strings.add(diagnose::id_of(culprit->basis))};
    made.cause = strings.add(diagnose::id_of(diagnosis.cause));
    made.confidence = strings.add(diagnose::id_of(diagnosis.confidence));
    made.summary = strings.add(diagnosis.summary);
    made.advice = strings.add(diagnosis.advice);
    made.because.reserve(diagnosis.because.size());
    for (const diagnose::Link& link : diagnosis.because) made.because.push_back(interned(link, strings));
    for (const std::string& id : diagnosis.contributing) made.contributing.push_back(strings.add(id));
    made.evidence.reserve(diagnosis.evidence.size());
    for (const diagnose::Evidence& one : diagnosis.evidence)
        made.evidence.push_back({strings.add(one.fact), interned(one.value, strings), strings.add(one.text)});
    return made;
}

diagnose::Diagnosis restored(const timeline::Diagnosis& diagnosis, const timeline::Timeline& timeline) {
    diagnose::Diagnosis made;
    made.cause = by_id(timeline.text(diagnosis.cause), diagnose::Cause::kUnknown);
    made.confidence = by_id(timeline.text(diagnosis.confidence), diagnose::Confidence::kPossible);
    if (const auto& culprit = diagnosis.culprit)
        made.culprit =
            diagnose::Culprit{culprit->pid, culprit->tid, std::string(timeline.text(culprit->comm)),
                              by_id(timeline.text(culprit->basis), diagnose::Basis::kProcess)};
    made.summary = timeline.text(diagnosis.summary);
    made.advice = timeline.text(diagnosis.advice);
    for (const timeline::Link& link : diagnosis.because) made.because.push_back(restored(link, timeline));
    for (const StringId id : diagnosis.contributing) made.contributing.emplace_back(timeline.text(id));
    for (const timeline::Evidence& one : diagnosis.evidence)
        made.evidence.push_back({std::string(timeline.text(one.fact)), restored(one.value, timeline),
                                 std::string(timeline.text(one.text))});
    return made;
}

}  // namespace waitclose::replay
