// SPDX-License-Identifier: BSD-2-Clause
#include "report/json.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "output/format.h"
#include "output/json.h"
#include "output/snapshot_json.h"
#include "report/captured.h"
#include "report/caveats.h"
#include "report/sentences.h"
#include "report/verdict.h"
#include "timeline/format.h"

namespace waitclose::report {

using nlohmann::ordered_json;
using output::rfc3339;
using replay::Ended;
using replay::Fact;
using replay::Group;
using replay::Incident;

namespace {

ordered_json text_or_null(std::string_view text) {
    return text.empty() ? ordered_json(nullptr) : ordered_json(std::string(text));
}

const char* word_of(store::Ending ending) {
    switch (ending) {
    case store::Ending::kAsked: return "signal";
    case store::Ending::kDuration: return "duration";
    case store::Ending::kSize: return "size";
    case store::Ending::kFailed: return "failure";
    case store::Ending::kNot: break;
    }
    return "cut-off";
}

ordered_json precision(bool at_least) {
    return model::name_of(at_least ? model::Precision::kAtLeast : model::Precision::kExact);
}

ordered_json losses_json(const Incident& incident) {
    ordered_json when = ordered_json::array();
    for (const timeline::Loss& loss : incident.timeline.losses)
        when.push_back({{"at", rfc3339(wall_ns(incident, loss.at_ns))},
                        {"what", std::string(incident.timeline.text(loss.what))},
                        {"count", loss.count}});
    return {{"ring", incident.losses.ring},
            {"storage", incident.losses.storage},
            {"reconciled", incident.losses.reconciled},
            {"when", std::move(when)}};
}

ordered_json ended_json(const replay::Endings& endings) {
    ordered_json made = ordered_json::object();
    for (const Ended how : {Ended::kClosed, Ended::kExit, Ended::kError, Ended::kKernel})
        made[std::string(ended_word(how))] = endings.of(how);
    made["missed"] = endings.of(Ended::kMissed);
    return made;
}

ordered_json holds_json(const Incident& incident) {
    std::uint64_t longest_ns = 0;
    for (const Fact& fact : incident.holds) longest_ns = std::max(longest_ns, fact.held_ns());
    const bool at_least = std::ranges::any_of(incident.holds, &Fact::is_at_least);
    const bool any = incident.most_open > 0;
    return {{"sockets", incident.holds.size()},
            {"open", incident.endings.of(Ended::kNot)},
            {"ended", ended_json(incident.endings)},
            {"oldest_held_ns", incident.holds.empty() ? ordered_json(nullptr) : ordered_json(longest_ns)},
            {"oldest_held_precision", incident.holds.empty() ? ordered_json(nullptr) : precision(at_least)},
            {"most_open", incident.most_open},
            {"most_open_at",
             any ? ordered_json(rfc3339(wall_ns(incident, incident.most_open_ns))) : ordered_json(nullptr)},
            {"asked", text_or_null(incident.asked)},
            {"young", incident.young},
            {"left_out", incident.left_out},
            {"not_selected", incident.not_selected},
            {"whose_unknown", incident.whose_unknown},
            {"short_whose_unknown", incident.short_whose_unknown},
            {"open_unseen", incident.open_unseen}};
}

ordered_json brief_json(const Incident& incident) {
    ordered_json ports = ordered_json::array();
    std::uint64_t others = 0;  // local ports without a listener: this side opened the connections
    for (const auto& [port, brief] : incident.brief_by_port) {
        if (incident.listening.contains(port))
            ports.push_back({{"local_port", port},
                             {"sockets", brief.holds},
                             {"held_ns", brief.held_ns},
                             {"oldest_held_ns", brief.longest_ns}});
        else
            others += brief.holds;
    }
    return {{"sockets", incident.brief.holds},
            {"held_ns", incident.brief.held_ns},
            {"oldest_held_ns", incident.brief.longest_ns},
            {"typical_held_ns", incident.brief_typical_ns},
            {"ports", std::move(ports)},
            {"other_ports", others}};
}

ordered_json owner_json(const Incident& incident, const Group& group) {
    const timeline::Process* owner = incident.timeline.process_at(group.owner);
    if (owner == nullptr) return nullptr;
    return {{"pid", owner->pid},
            {"comm", text_or_null(incident.timeline.text(owner->comm))},
            {"exe", text_or_null(incident.timeline.text(owner->exe))}};
}

ordered_json people_json(const std::vector<replay::TopCulprit>& people) {
    ordered_json top = ordered_json::array();
    for (const replay::TopCulprit& one : people)
        top.push_back({{"pid", one.pid},
                       {"tid", one.tid},
                       {"comm", output::comm_json(one.comm)},
                       {"sockets", one.holds}});
    return top;
}

ordered_json by_confidence_json(const Group& group) {
    ordered_json made = ordered_json::object();
    for (std::size_t i = 0; i < group.by_confidence.size(); ++i)
        made[std::string(diagnose::id_of(static_cast<diagnose::Confidence>(i)))] = group.by_confidence.at(i);
    return made;
}

ordered_json gaps_json(const Incident& incident) {
    ordered_json gaps = ordered_json::array();
    for (const replay::Gap& gap : incident.gaps)
        gaps.push_back({{"from", rfc3339(wall_ns(incident, gap.from_ns))},
                        {"to", rfc3339(wall_ns(incident, gap.to_ns))},
                        {"length_ns", gap.length_ns()}});
    return gaps;
}

ordered_json group_json(const Incident& incident, const Group& group) {
    const auto id = [&](std::uint32_t hold) { return output::id_text(incident.holds[hold].key); };
    return {{"owner", owner_json(incident, group)},
            {"cause", diagnose::id_of(group.cause)},
            {"confidence", diagnose::id_of(group.confidence)},
            {"local_port", group.local_port ? ordered_json(*group.local_port) : ordered_json(nullptr)},
            {"remote", group.remote ? ordered_json(*group.remote) : ordered_json(nullptr)},
            {"by_confidence", by_confidence_json(group)},
            {"sockets", group.holds},
            {"begun", group.begun},
            {"open", group.open},
            {"ended", ended_json(group.endings)},
            {"closers", group.closers},
            {"top_closers", people_json(group.top_closers)},
            {"oldest_held_ns", group.longest_ns},
            {"oldest_held_precision", precision(group.longest_at_least)},
            {"typical_held_ns", group.typical_ns},
            {"typical_held_precision", precision(group.typical_at_least)},
            {"held_ns", group.held_ns},
            {"held_precision", precision(group.held_at_least)},
            {"first_at", rfc3339(wall_ns(incident, group.first_ns))},
            {"first_at_precision", group.first_or_earlier ? "at-latest" : "exact"},
            {"diagnosed_at", rfc3339(wall_ns(incident, group.first_diagnosed_ns))},
            {"culprits", group.culprits},
            {"top_culprits", people_json(group.top_culprits)},
            {"members", {{"oldest", id(group.longest)}, {"typical", id(group.typical)}}},
            {"fds", group.owner == timeline::kNowhere ? ordered_json(nullptr) : output::fds_json(group.fds)}};
}

ordered_json unseen_json(const Incident& incident, const Fact& fact) {
    ordered_json closer = nullptr;
    if (fact.closer)
        closer = {{"pid", fact.closer->pid},
                  {"tid", fact.closer->tid},
                  {"comm", output::comm_json(fact.closer->comm_text())}};
    return {{"id", output::id_text(fact.key)},
            {"local", output::endpoint_json(fact.family, fact.local)},
            {"remote", output::endpoint_json(fact.family, fact.remote)},
            {"held_ns", fact.held_ns()},
            {"held_since", rfc3339(wall_ns(incident, fact.since_ns))},
            {"held_precision", model::name_of(fact.precision)},
            {"ended_by", text_or_null(ended_word(fact.ended))},
            {"closer", std::move(closer)}};
}

/// Which of "groups" the summary is about.
ordered_json headline_json(const Incident& incident) {
    const Group* told = headline_of(incident);
    return told == nullptr ? ordered_json(nullptr) : ordered_json(told - incident.groups.data());
}

const char* separator(bool first) {
    return first ? "\n" : ",\n";
}

}  // namespace

ordered_json caveats_json(const Incident& incident) {
    ordered_json all = ordered_json::array();
    for (const Caveat& caveat : caveats(incident))
        all.push_back({{"kind", caveat.kind}, {"text", caveat.text}, {"warns", caveat.warns}});
    return all;
}

ordered_json recording_json(const Incident& incident) {
    const store::About& about = incident.about;
    return {{"program", text_or_null(about.program)},
            {"arguments", text_or_null(about.arguments)},
            {"host", output::host_json({about.hostname, about.kernel, about.boot_id})},
            {"probes", output::probes_json(about.probes)},
            {"begun_at", rfc3339(wall_ns(incident, incident.window().from_ns))},
            {"ended_at", rfc3339(wall_ns(incident, incident.window().to_ns))},
            {"length_ns", length_ns(incident)},
            {"ended_by", word_of(about.ending)},
            {"failure", text_or_null(about.failure)},
            {"looks", incident.looks},
            {"gaps", gaps_json(incident)},
            {"all_transitions", about.all_transitions},
            {"min_held_ns", about.min_held_ns},
            {"selects", about.selects},
            {"dropped_holds", about.dropped_holds},
            {"losses", losses_json(incident)}};
}

void write_json(output::Sink& sink, const Incident& incident) {
    std::string head = output::dump({{"schema", kReportSchema},
                                     {"recording", recording_json(incident)},
                                     {"summary", sentences(incident)},
                                     {"headline", headline_json(incident)},
                                     {"caveats", caveats_json(incident)},
                                     {"holds", holds_json(incident)},
                                     {"brief", brief_json(incident)},
                                     {"capture", capture_json(incident)}});
    head.pop_back();  // the object goes on
    sink.write(head + ",\n\"groups\":[");
    for (std::size_t i = 0; i < incident.groups.size() && !sink.ended(); ++i) {
        const Group& group = incident.groups[i];
        std::string text = output::dump(group_json(incident, group));
        text.pop_back();
        sink.write(separator(i == 0) + text + ",\"longest\":");
        timeline::write_hold(incident.timeline, incident.timeline.holds[group.longest], sink);
        sink.write("}");
    }
    sink.write("],\n\"unseen\":[");
    for (std::size_t i = 0; i < incident.unseen.size() && !sink.ended(); ++i)
        sink.write(separator(i == 0) +
                   output::dump(unseen_json(incident, incident.holds[incident.unseen[i]])));
    sink.write("]}\n");
}

}  // namespace waitclose::report
