// SPDX-License-Identifier: BSD-2-Clause
#include "report/comparison.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

#include "output/escape.h"
#include "output/format.h"
#include "output/headline.h"
#include "output/json.h"
#include "output/labelled.h"
#include "output/labels.h"
#include "output/layout.h"
#include "output/table.h"
#include "replay/comparison.h"
#include "report/caveats.h"
#include "report/json.h"
#include "report/sentences.h"
#include "report/verdict.h"

namespace waitclose::report {

using nlohmann::ordered_json;
using output::count_of;
using output::count_text;
using output::Paint;
using output::printable;
using output::TextStyle;
using replay::Change;
using replay::Compared;
using replay::Figures;

namespace {

std::string recording_text(const Recording& recording) {
    const replay::Incident& incident = recording.incident;
    return fmt::format("{}: {} on {}, from {} for {}", recording.name,
                       count_of(incident.holds.size(), "hold", "holds"),
                       incident.about.hostname.empty() ? "this machine" : incident.about.hostname,
                       output::date_time_text(wall_ns(incident, incident.window().from_ns)),
                       output::duration_text(length_ns(incident)));
}

std::string machine_text(const Recording& recording) {
    const std::string& name = recording.incident.about.hostname;
    return name.empty() ? "a machine without a name" : name;
}

std::string reserve_text(replay::Reserve reserve, const Recording& before, const Recording& after) {
    using replay::Reserve;
    const auto is_short = [](const Recording& recording) {
        return fmt::format("{} is only {} long: how many a minute it had says little.", recording.name,
                           output::duration_text(length_ns(recording.incident)));
    };
    switch (reserve) {
    case Reserve::kSameRecording: return "Both are the same recording: nothing can have changed.";
    case Reserve::kOtherMachine:
        return fmt::format(
            "They come from different machines, {} and {}: new and gone may mean there and here.",
            machine_text(before), machine_text(after));
    case Reserve::kOtherBoot: return fmt::format("{} was started again between them.", machine_text(before));
    case Reserve::kOverlap: {
        const auto& [one, other] = std::pair(before.incident.window(), after.incident.window());
        const std::uint64_t both_ns = std::min(one.to_ns, other.to_ns) - std::max(one.from_ns, other.from_ns);
        return fmt::format(
            "They overlap by {}: {} in both.", output::duration_text(both_ns),
            count_of(replay::shared_holds(before.incident, after.incident), "hold is", "holds are"));
    }
    case Reserve::kBeforeShort: return is_short(before);
    case Reserve::kAfterShort: return is_short(after);
    case Reserve::kWrongOrder: break;
    }
    return fmt::format("{} began before {}: what is called new was there first. Name the earlier one first.",
                       after.name, before.name);
}

/// All that has to be known before the two are compared.
std::vector<std::string> reserve_texts(const Recording& before, const Recording& after) {
    std::vector<std::string> found;
    for (const replay::Reserve reserve : replay::reserves(before.incident, after.incident))
        found.push_back(reserve_text(reserve, before, after));
    const std::string selects = recorded_text(before.incident);
    const std::string selects_after = recorded_text(after.incident);
    if (selects != selects_after) {
        const auto or_all = [](const std::string& text) { return text.empty() ? "everything" : text; };
        found.push_back(fmt::format("They did not record the same: {} in {}, {} in {}.", or_all(selects),
                                    before.name, or_all(selects_after), after.name));
    }
    return found;
}

std::string owner_and_place(const Compared& one) {
    std::string text = one.comm.empty() ? "What nobody holds" : one.comm;
    if (one.remote) return text + fmt::format(", connected to {},", *one.remote);
    return one.local_port ? text + fmt::format(" on port {}", *one.local_port) : text;
}

/// "java on port 8080: the cause changed from eof-ignored to handler-blocked."; empty where it did not.
std::string cause_change_text(const Compared& one) {
    const auto cause = diagnose::id_of(one.cause);
    if (one.cause_before)
        return fmt::format("{}: the cause changed from {} to {}.", owner_and_place(one),
                           diagnose::id_of(*one.cause_before), cause);
    if (!one.cause_beside) return {};
    const auto beside = diagnose::id_of(*one.cause_beside);
    return one.before
               ? fmt::format("{}: {} is gone, {} is not.", owner_and_place(one), cause, beside)
               : fmt::format("{}: {} is new, {} was there before.", owner_and_place(one), cause, beside);
}

std::vector<std::string> cause_changes(const std::vector<Compared>& groups) {
    constexpr std::size_t kMost = 10;
    std::vector<std::string> found;
    for (const Compared& one : groups) {
        std::string text = cause_change_text(one);
        if (!text.empty() && found.size() < kMost) found.push_back(std::move(text));
    }
    return found;
}

/// Of the later side, else of the only one.
std::string cause_cell(const Compared& one, const TextStyle& style) {
    const auto said = [](diagnose::Cause cause, const std::optional<Figures>& figures) {
        return cause_text(cause, figures->confidence);
    };
    if (!one.cause_before) return said(one.cause, one.after ? one.after : one.before);
    return fmt::format("{} {} {}", said(*one.cause_before, one.before), output::arrow(style),
                       said(one.cause, one.after));
}

/// "2 groups are new, 1 has grown"
std::string summary_text(const std::vector<Compared>& groups) {
    std::string text;
    const auto add = [&](Change change, const char* one, const char* many) {
        const auto count = std::ranges::count(groups, change, &Compared::change);
        if (count == 0) return;
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ",
                            count_of(static_cast<std::uint64_t>(count), "group", "groups"),
                            count == 1 ? one : many);
    };
    add(Change::kNew, "is new", "are new");
    add(Change::kGrown, "has grown", "have grown");
    add(Change::kShrunk, "has shrunk", "have shrunk");
    add(Change::kGone, "is gone", "are gone");
    add(Change::kSame, "is about the same", "are about the same");
    return text.empty() ? "No look saw a hold in either of them." : text + ".";
}

std::string rate_text(double per_minute) {
    return per_minute < 10 ? fmt::format("{:.1f}", per_minute)
                           : count_text(static_cast<std::uint64_t>(std::llround(per_minute)));
}

/// "3 -> 17", "-> 17" of what is new, "3 ->" of what is gone.
template <typename Text>
std::string both(const Compared& one, const TextStyle& style, Text text) {
    const auto side = [&](const std::optional<Figures>& figures) {
        return figures ? text(*figures) : std::string("-");
    };
    return fmt::format("{} {} {}", side(one.before), output::arrow(style), side(one.after));
}

Paint paint_of(Change change) {
    switch (change) {
    case Change::kNew: return Paint::kAlarm;
    case Change::kGrown: return Paint::kWarning;
    case Change::kShrunk:
    case Change::kGone: return Paint::kBold;
    case Change::kSame: break;
    }
    return Paint::kDim;
}

std::string owner_cell(const Compared& one, const TextStyle& style) {
    return one.comm.empty() ? "-" : printable(one.comm, style.charset);
}

void write_table(output::Sink& sink, const std::vector<Compared>& groups, const TextStyle& style) {
    using output::Align;
    using output::Cut;
    std::size_t cause = 0;
    for (const Compared& one : groups) cause = std::max(cause, output::display_width(cause_cell(one, style)));
    const auto held = [&](std::uint64_t ns, bool at_least) {
        return output::held_cell(ns, at_least ? model::Precision::kAtLeast : model::Precision::kExact, style);
    };
    // A table paints by the column; what changed is painted by its kind, so there is one table a kind.
    const auto table_of = [&](Change change) {
        return output::Table(sink,
                             {{"CHANGE", Align::kLeft, Cut::kEnd, 6, paint_of(change)},
                              {"OWNER", Align::kLeft, Cut::kEnd, 8},
                              {"CAUSE", Align::kLeft, Cut::kEnd, cause},
                              {"WHERE", Align::kLeft, Cut::kStart, 9},
                              {"A MINUTE", Align::kLeft, Cut::kEnd, 11, Paint::kBold},
                              {"HOLDS", Align::kLeft, Cut::kEnd, 9},
                              {"TYPICAL", Align::kLeft, Cut::kEnd, 9},
                              {"LONGEST", Align::kLeft, Cut::kEnd, 9}},
                             style);
    };
    for (const Change change :
         {Change::kNew, Change::kGrown, Change::kShrunk, Change::kGone, Change::kSame}) {
        auto table = table_of(change);
        if (std::ranges::find(groups, change, &Compared::change) != groups.end()) sink.write("\n");
        for (const Compared& one : groups) {
            if (one.change != change) continue;
            table.add({std::string(id_of(change)), owner_cell(one, style), cause_cell(one, style),
                       output::place_text(one.local_port, one.remote, style),
                       both(one, style, [](const Figures& of) { return rate_text(of.per_minute); }),
                       both(one, style, [](const Figures& of) { return count_text(of.holds); }),
                       both(one, style,
                            [&](const Figures& of) { return held(of.typical_ns, of.typical_at_least); }),
                       both(one, style,
                            [&](const Figures& of) { return held(of.longest_ns, of.longest_at_least); })});
        }
        table.finish();
    }
}

ordered_json figures_json(const std::optional<Figures>& figures) {
    if (!figures) return nullptr;
    return {{"sockets", figures->holds},
            {"begun", figures->begun},
            {"open", figures->open},
            {"confidence", diagnose::id_of(figures->confidence)},
            {"per_minute", std::round(figures->per_minute * 100) / 100},
            {"held_ns", figures->held_ns},
            {"oldest_held_ns", figures->longest_ns},
            {"oldest_held_precision", model::name_of(figures->longest_at_least ? model::Precision::kAtLeast
                                                                               : model::Precision::kExact)},
            {"typical_held_ns", figures->typical_ns},
            {"typical_held_precision", model::name_of(figures->typical_at_least ? model::Precision::kAtLeast
                                                                                : model::Precision::kExact)},
            {"processes", figures->processes}};
}

ordered_json cause_or_null(const std::optional<diagnose::Cause>& cause) {
    return cause ? ordered_json(diagnose::id_of(*cause)) : ordered_json(nullptr);
}

ordered_json compared_json(const Compared& one) {
    ordered_json owner = nullptr;
    if (!one.comm.empty())
        owner = {{"comm", one.comm},
                 {"exe", one.exe.empty() ? ordered_json(nullptr) : ordered_json(one.exe)}};
    return {{"change", id_of(one.change)},
            {"owner", std::move(owner)},
            {"cause", diagnose::id_of(one.cause)},
            {"cause_before", cause_or_null(one.cause_before)},
            {"cause_beside", cause_or_null(one.cause_beside)},
            {"local_port", one.local_port ? ordered_json(*one.local_port) : ordered_json(nullptr)},
            {"remote", one.remote ? ordered_json(*one.remote) : ordered_json(nullptr)},
            {"before", figures_json(one.before)},
            {"after", figures_json(one.after)}};
}

ordered_json head_json(const Recording& recording) {
    ordered_json head = recording_json(recording.incident);
    head["file"] = recording.name;
    head["summary"] = sentences(recording.incident);
    head["caveats"] = caveats_json(recording.incident);
    return head;
}

}  // namespace

void write_comparison_text(output::Sink& sink, const Recording& before, const Recording& after,
                           const TextStyle& style) {
    const auto groups = replay::compare(before.incident, after.incident);
    const auto labelled = [&](std::string_view label, const std::string& text, Paint how = Paint::kPlain) {
        write_labelled(sink, style, label, printable(text, style.charset), how);
    };
    labelled("Before", recording_text(before));
    labelled("After", recording_text(after));
    for (const Recording* recording : {&before, &after})
        for (const Caveat& caveat : caveats(recording->incident))
            if (caveat.warns && caveat.kind != "gap")  // that bears on why, not on how many
                labelled(caveat.label, recording->name + ": " + caveat.text, Paint::kWarning);
    for (const std::string& reserve : reserve_texts(before, after))
        labelled("Mind", reserve, Paint::kWarning);
    labelled("Changed", summary_text(groups), Paint::kBold);
    for (const std::string& change : cause_changes(groups)) labelled("Cause", change);
    write_table(sink, groups, style);
}

void write_comparison_json(output::Sink& sink, const Recording& before, const Recording& after) {
    ordered_json warnings = ordered_json::array();
    for (std::string& reserve : reserve_texts(before, after)) warnings.push_back(std::move(reserve));
    ordered_json groups = ordered_json::array();
    for (const Compared& one : replay::compare(before.incident, after.incident))
        groups.push_back(compared_json(one));
    sink.write(output::dump({{"schema", kComparisonSchema},
                             {"before", head_json(before)},
                             {"after", head_json(after)},
                             {"warnings", std::move(warnings)},
                             {"groups", std::move(groups)}}) +
               "\n");
}

}  // namespace waitclose::report
