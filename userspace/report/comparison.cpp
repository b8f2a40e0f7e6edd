// SPDX-License-Identifier: BSD-2-Clause
#include "report/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "output/escape.h"
#include "output/format.h"
#include "output/headline.h"
#include "output/json.h"
#include "output/labelled.h"
#include "output/labels.h"
#include "output/table.h"
#include "replay/comparison.h"
#include "report/json.h"
#include "report/sentences.h"

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

std::string reserve_text(replay::Reserve reserve, const Recording& before, const Recording& after) {
    const auto is_short = [](const Recording& recording) {
        return fmt::format("{} is only {} long: how many a minute it had says little.", recording.name,
                           output::duration_text(length_ns(recording.incident)));
    };
    switch (reserve) {
    case replay::Reserve::kBeforeShort: return is_short(before);
    case replay::Reserve::kAfterShort: return is_short(after);
    case replay::Reserve::kWrongOrder: break;
    }
    return fmt::format("{} began before {}: what is called new was there first. Name the earlier one first.",
                       after.name, before.name);
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
    for (const Compared& one : groups) cause = std::max(cause, diagnose::id_of(one.cause).size());
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
            table.add({std::string(id_of(change)), owner_cell(one, style),
                       std::string(diagnose::id_of(one.cause)),
                       output::place_text(one.local_port, one.remote, style),
                       both(one, style, [](const Figures& of) { return rate_text(of.per_minute); }),
                       both(one, style, [](const Figures& of) { return count_text(of.holds); }),
                       both(one, style,
                            [](const Figures& of) { return output::short_duration_text(of.typical_ns); }),
                       both(one, style, [&](const Figures& of) {
                           const auto precision =
                               of.longest_at_least ? model::Precision::kAtLeast : model::Precision::kExact;
                           return output::held_cell(of.longest_ns, precision, style);
                       })});
        }
        table.finish();
    }
}

ordered_json figures_json(const std::optional<Figures>& figures) {
    if (!figures) return nullptr;
    return {{"sockets", figures->holds},
            {"begun", figures->begun},
            {"open", figures->open},
            {"per_minute", std::round(figures->per_minute * 100) / 100},
            {"held_ns", figures->held_ns},
            {"oldest_held_ns", figures->longest_ns},
            {"oldest_held_precision", model::name_of(figures->longest_at_least ? model::Precision::kAtLeast
                                                                               : model::Precision::kExact)},
            {"typical_held_ns", figures->typical_ns},
            {"processes", figures->processes}};
}

ordered_json compared_json(const Compared& one) {
    ordered_json owner = nullptr;
    if (!one.comm.empty())
        owner = {{"comm", one.comm},
                 {"exe", one.exe.empty() ? ordered_json(nullptr) : ordered_json(one.exe)}};
    return {{"change", id_of(one.change)},
            {"owner", std::move(owner)},
            {"cause", diagnose::id_of(one.cause)},
            {"local_port", one.local_port ? ordered_json(*one.local_port) : ordered_json(nullptr)},
            {"remote", one.remote ? ordered_json(*one.remote) : ordered_json(nullptr)},
            {"before", figures_json(one.before)},
            {"after", figures_json(one.after)}};
}

ordered_json head_json(const Recording& recording) {
    ordered_json head = recording_json(recording.incident);
    head["file"] = recording.name;
    head["summary"] = sentences(recording.incident);
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
        for (const std::string& loss : loss_sentences(recording->incident))
            labelled("Lost", recording->name + ": " + loss, Paint::kWarning);
    for (const replay::Reserve reserve : replay::reserves(before.incident, after.incident))
        labelled("Mind", reserve_text(reserve, before, after), Paint::kWarning);
    labelled("Changed", summary_text(groups), Paint::kBold);
    write_table(sink, groups, style);
}

void write_comparison_json(output::Sink& sink, const Recording& before, const Recording& after) {
    ordered_json warnings = ordered_json::array();
    for (const replay::Reserve reserve : replay::reserves(before.incident, after.incident))
        warnings.push_back(reserve_text(reserve, before, after));
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
