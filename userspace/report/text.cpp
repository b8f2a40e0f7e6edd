// SPDX-License-Identifier: BSD-2-Clause
#include "report/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "output/escape.h"
#include "output/format.h"
#include "output/headline.h"
#include "output/labelled.h"
#include "output/labels.h"
#include "output/layout.h"
#include "output/outlook.h"
#include "output/story.h"
#include "output/table.h"
#include "replay/words.h"
#include "report/sentences.h"

namespace waitclose::report {

using output::clock_text;
using output::count_of;
using output::count_text;
using output::duration_text;
using output::Headline;
using output::Paint;
using output::printable;
using output::sentence;
using output::Sink;
using output::TextStyle;
using output::write_indented;
using output::write_labelled;
using replay::Fact;
using replay::Group;
using replay::Incident;

namespace {

constexpr std::size_t kPortsShown = 5;
constexpr std::size_t kUnseenShown = 5;
constexpr std::size_t kEvidenceShown = 8;
constexpr std::size_t kEvidenceLines = 4;

class Writer {
public:
    Writer(Sink& sink, const Incident& incident, std::uint64_t min_held_ns, const TextStyle& style)
        : sink_(sink), incident_(incident), min_held_ns_(min_held_ns), style_(style) {}

    void write(std::size_t most) {
        write_header();
        write_brief();
        write_unseen();
        write_table();
        write_stories(most);
    }

private:
    void labelled(std::string_view label, std::string_view text, Paint how = Paint::kPlain) {
        write_labelled(sink_, style_, label, sentence(text, style_), how);
    }

    std::string clock(std::uint64_t at_ns) const { return clock_text(wall_ns(incident_, at_ns)); }

    void write_header() {
        const store::About& about = incident_.about;
        const std::string title =
            fmt::format("waitclose report on {}, {}, Linux {}", about.hostname,
                        output::date_time_text(wall_ns(incident_, incident_.window().from_ns)), about.kernel);
        sink_.write(paint(style_, Paint::kDim,
                          output::fit(printable(title, style_.charset), style_.width, style_.charset)) +
                    "\n");
        labelled("Time", fmt::format("{} to {}, {}; {}; recorded by {}", clock(incident_.window().from_ns),
                                     clock(incident_.window().to_ns), duration_text(length_ns(incident_)),
                                     count_of(incident_.looks, "look", "looks"), about.program));
        const bool whole = about.ending == store::Ending::kAsked || about.ending == store::Ending::kDuration;
        labelled("Ended", ending_text(about), whole ? Paint::kPlain : Paint::kWarning);
        static constexpr std::array kLabels{"What", "Why", "End"};
        const auto told = sentences(incident_);
        for (std::size_t i = 0; i < std::min(told.size(), kLabels.size()); ++i)
            labelled(kLabels.at(i), told[i], Paint::kBold);
        for (const std::string& loss : loss_sentences(incident_)) labelled("Lost", loss, Paint::kWarning);
        if (!about.probes.missing.empty())
            labelled("Unseen",
                     fmt::format("{} (no hook served it where this was recorded)",
                                 fmt::join(about.probes.missing, ", ")),
                     Paint::kWarning);
        if (about.selects) labelled("Only", "some sockets were recorded: " + about.arguments);
        for (const std::string& gap : gap_sentences(incident_)) labelled("Gap", gap, Paint::kWarning);
        if (const auto clauses = left_out_clauses(incident_); !clauses.empty() && !incident_.holds.empty())
            labelled("Also", fmt::format("not told of here: {}", fmt::join(clauses, ", ")));
    }

    /// Holds that are none of anybody's business, by the port of a listener; the others are clients'.
    void write_brief() {
        const replay::Brief& brief = incident_.brief;
        if (const std::uint64_t dropped = incident_.about.dropped_holds)
            labelled("Brief",
                     fmt::format("{} ended within the {} that were asked for, or {} not asked for: not "
                                 "in the recording",
                                 count_of(dropped, "hold", "holds"),
                                 duration_text(incident_.about.min_held_ns), dropped == 1 ? "was" : "were"));
        if (incident_.young > 0)
            labelled("Brief",
                     fmt::format("{} open at the end, held for less than {} (see --min-held) by then",
                                 count_of(incident_.young, "hold was", "holds were"),
                                 duration_text(min_held_ns_)));
        if (brief.holds == 0) return;
        std::string text = fmt::format("{} ended in less than {} (see --min-held), half of them within {}",
                                       count_of(brief.holds, "hold", "holds"), duration_text(min_held_ns_),
                                       duration_text(incident_.brief_typical_ns));
        std::vector<std::pair<std::uint16_t, std::uint64_t>> ports;
        for (const auto& [port, of_port] : incident_.brief_by_port)
            if (incident_.listening.contains(port)) ports.emplace_back(port, of_port.holds);
        std::ranges::stable_sort(ports, std::greater<>(), &std::pair<std::uint16_t, std::uint64_t>::second);
        ports.resize(std::min(ports.size(), kPortsShown));
        for (std::size_t i = 0; i < ports.size(); ++i)
            text +=
                fmt::format("{} port {} {}", i == 0 ? ":" : ",", ports[i].first, count_text(ports[i].second));
        labelled("Brief", text);
    }

    void write_unseen() {
        if (incident_.unseen.empty()) return;
        labelled("No look", fmt::format("saw {} that ended before one was due, so why is not known:",
                                        count_of(incident_.unseen.size(), "hold", "holds")));
        const std::size_t shown = std::min(kUnseenShown, incident_.unseen.size());
        for (std::size_t i = 0; i < shown; ++i) {
            const Fact& fact = incident_.holds[incident_.unseen[i]];
            write_indented(
                sink_, style_, output::kLabelWidth,
                fmt::format("{}  {}  held {}, {}", clock(fact.since_ns),
                            output::connection_text(fact.role, fact.family, fact.local, fact.remote, style_),
                            duration_text(fact.held_ns()), sentence(ended_text(fact), style_)));
        }
        if (incident_.unseen.size() > shown)
            write_indented(
                sink_, style_, output::kLabelWidth,
                fmt::format("{} and {} more", ellipsis(style_), count_text(incident_.unseen.size() - shown)));
    }

    std::string owner_cell(const Group& group) const {
        return printable(owner_text(incident_, group.owner), style_.charset);
    }

    /// Where one says it all, its story does.
    void write_table() {
        if (incident_.groups.size() < 2) return;
        using output::Align;
        using output::Cut;
        std::size_t cause = 0;
        for (const Group& group : incident_.groups)
            cause = std::max(cause, diagnose::id_of(group.cause).size());
        sink_.write("\n");
        output::Table table(
            sink_,
            {{"HOLDS", Align::kRight, Cut::kEnd, 5, Paint::kBold},
             {"OPEN", Align::kRight, Cut::kEnd, 4},
             {"LONGEST", Align::kRight, Cut::kEnd, 7},
             {.title = "TYPICAL", .align = Align::kRight, .least = 7, .dispensable = 2},
             {.title = "FIRST", .align = Align::kLeft, .least = 8, .dispensable = 1},
             {.title = "OWNER", .align = Align::kLeft, .least = 8, .whole = true},
             {"CAUSE", Align::kLeft, Cut::kEnd, cause, Paint::kAlarm},
             {"CONFID.", Align::kLeft, Cut::kEnd, 8},
             {.title = "WHERE", .align = Align::kLeft, .cut = Cut::kStart, .least = 6, .whole = true}},
            style_);
        for (const Group& group : incident_.groups) {
            if (sink_.ended()) return;
            table.add({count_text(group.holds), count_text(group.open), held_cell(group.longest, group),
                       output::short_duration_text(group.typical_ns), clock(group.first_ns).substr(0, 8),
                       owner_cell(group), std::string(diagnose::id_of(group.cause)),
                       std::string(diagnose::id_of(group.confidence)),
                       output::place_text(group.local_port, group.remote, style_)});
        }
        table.finish();
    }

    std::string held_cell(std::uint32_t hold, const Group& group) const {
        return output::held_cell(group.longest_ns, incident_.holds[hold].precision, style_);
    }

    Headline headline_of(const Group& group) const {
        const model::Precision precision = incident_.holds[group.longest].precision;
        const char* word = group.holds == 1 ? "held" : "longest";
        const std::string sign = precision == model::Precision::kAtLeast
                                     ? std::string(output::at_least(style_)) + " "
                                     : std::string();
        return {count_text(group.holds),
                owner_cell(group),
                std::string(diagnose::id_of(group.cause)),
                std::string(diagnose::id_of(group.confidence)),
                output::place_text(group.local_port, group.remote, style_),
                fmt::format("{} {}{}", word, sign, duration_text(group.longest_ns)),
                fmt::format("{} {}", word, held_cell(group.longest, group)),
                output::paint_of(group.cause)};
    }

    std::string sentence_of(const Group& group, const diagnose::Diagnosis& diagnosis,
                            const output::HeadlineLayout& layout) const {
        std::string text;
        if (layout.place == 0) text = output::place_words(group.local_port, group.remote, style_);
        if (group.holds > 1) text += text.empty() ? "longest" : ", longest";
        if (!text.empty()) text += ": ";
        return text + sentence(diagnosis.summary, style_);
    }

    /// "41 of 182 still open, half held no longer than 1.2 s; the first began at 20:00:01.123, ..."
    std::string figures_of(const Group& group) const {
        std::string text;
        const Fact& longest = incident_.holds[group.longest];
        if (group.holds == 1)
            text =
                fmt::format("began at {}, {}", clock(group.first_ns), sentence(ended_text(longest), style_));
        else
            text = fmt::format("{} of {} still open, half held no longer than {}; the first began at {}",
                               count_text(group.open), count_text(group.holds),
                               duration_text(group.typical_ns), clock(group.first_ns));
        text += fmt::format("; diagnosed so since {}, here as of {}", clock(group.first_diagnosed_ns),
                            clock(longest.told_ns));
        // The group is as sure as the least sure of its holds; what is shown is the longest one's.
        if (const std::string mixed = confidence_text(group); mixed != diagnose::id_of(group.confidence))
            text += fmt::format("; {}, this one {}", mixed, diagnose::id_of(longest.confidence));
        return text;
    }

    static const char* or_before(const Fact& fact) {
        return fact.precision == model::Precision::kAtLeast && fact.is_open() ? " or before" : "";
    }

    std::string culprits_of(const Group& group) const {
        std::string text = fmt::format("{} threads are named: ", count_text(group.culprits));
        for (std::size_t i = 0; i < group.top_culprits.size(); ++i) {
            const replay::TopCulprit& one = group.top_culprits[i];
            text += fmt::format("{}{} {}", i == 0 ? "" : ", ",
                                output::process_text(one.comm, one.tid, style_), count_text(one.holds));
        }
        return text + (group.culprits > group.top_culprits.size() ? ", and others" : "");
    }

    void write_evidence(std::size_t indent, const diagnose::Diagnosis& diagnosis) {
        const std::size_t shown = std::min(kEvidenceShown, diagnosis.evidence.size());
        for (std::size_t i = 0; i < shown; ++i)
            write_item(indent, sentence(diagnosis.evidence[i].text, style_));
        if (diagnosis.evidence.size() > shown)
            write_item(indent, fmt::format("and {} more (use --json)", diagnosis.evidence.size() - shown));
    }

    void write_item(std::size_t indent, std::string_view text) {
        std::string head = std::string(indent, ' ') + "- ";
        for (const std::string& line :
             output::wrap(text, style_.width - head.size(), kEvidenceLines, style_.charset)) {
            sink_.write(head + line + "\n");
            head.assign(head.size(), ' ');
        }
    }

    void write_stories(std::size_t most) {
        const std::size_t shown = std::min(incident_.groups.size(), most);
        std::vector<Headline> lines;
        for (std::size_t i = 0; i < shown; ++i) lines.push_back(headline_of(incident_.groups[i]));
        const output::HeadlineLayout layout = output::layout_of(lines, style_.width);
        const std::size_t indent = layout.indent();
        output::Advice advice;
        for (std::size_t i = 0; i < shown; ++i) {
            const Group& group = incident_.groups[i];
            const auto diagnosis =
                replay::restored(incident_.timeline.holds[group.longest].diagnosis, incident_.timeline);
            sink_.write("\n" + headline_text(lines[i], layout, style_) + "\n");
            write_indented(sink_, style_, indent, sentence_of(group, diagnosis, layout));
            output::write_behind(sink_, style_, indent, diagnosis);
            write_indented(sink_, style_, indent, figures_of(group));
            if (group.culprits > 1) write_indented(sink_, style_, indent, culprits_of(group));
            if (group.fds.holds_per_s) write_indented(sink_, style_, indent, output::outlook_text(group.fds));
            write_evidence(indent, diagnosis);
            advice.write(sink_, style_, indent, diagnosis.advice);
        }
        if (incident_.groups.size() > shown)
            sink_.write(fmt::format("\n{} and {} (use --json)\n", ellipsis(style_),
                                    count_of(incident_.groups.size() - shown, "more group", "more groups")));
    }

    Sink& sink_;
    const Incident& incident_;
    std::uint64_t min_held_ns_;
    TextStyle style_;
};

}  // namespace

void write_text(Sink& sink, const Incident& incident, std::uint64_t min_held_ns, const TextStyle& style,
                std::size_t most) {
    Writer(sink, incident, min_held_ns, style).write(most);
}

}  // namespace waitclose::report
