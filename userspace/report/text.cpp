// SPDX-License-Identifier: BSD-2-Clause
#include "report/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "diagnose/telling.h"
#include "output/escape.h"
#include "output/format.h"
#include "output/headline.h"
#include "output/labelled.h"
#include "output/labels.h"
#include "output/layout.h"
#include "output/outlook.h"
#include "output/story.h"
#include "output/table.h"
#include "replay/endings.h"
#include "replay/words.h"
#include "report/captured.h"
#include "report/caveats.h"
#include "report/sentences.h"
#include "report/verdict.h"

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

constexpr std::size_t kUnseenShown = 5;
constexpr std::size_t kEvidenceShown = 8;
constexpr std::size_t kEvidenceLines = 4;

class Writer {
public:
    Writer(Sink& sink, const Incident& incident, const TextStyle& style)
        : sink_(sink), incident_(incident), style_(style) {}

    void write(std::size_t most) {
        write_reason();
        write_header();
        write_caveats();
        write_table();
        write_stories(most);
        write_threads(sink_, incident_, style_);
    }

private:
    void labelled(std::string_view label, std::string_view text, Paint how = Paint::kPlain) {
        write_labelled(sink_, style_, label, sentence(text, style_), how);
    }

    std::string clock(std::uint64_t at_ns) const { return clock_text(wall_ns(incident_, at_ns)); }

    /// Of a capture: three lines that say it all, each on one line however long it is.
    void write_reason() {
        constexpr std::size_t kLongestLine = 600;
        const auto lines = reason_lines(incident_);
        for (std::size_t i = 0; i < std::min(lines.size(), kReasonLabels.size()); ++i) {
            const std::string text = sentence(lines[i], style_);
            sink_.write(paint(style_, Paint::kDim, output::pad(kReasonLabels.at(i), output::kLabelWidth)) +
                        paint(style_, Paint::kBold, output::fit(text, kLongestLine, style_.charset)) + "\n");
        }
        if (!lines.empty()) sink_.write("\n");
    }

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
    }

    void write_caveats() {
        for (const Caveat& caveat : caveats(incident_)) {
            if (caveat.kind == "cut-off") continue;  // it is said already, in its place
            labelled(caveat.label, caveat.text, caveat.warns ? Paint::kWarning : Paint::kPlain);
            if (caveat.kind == "no-look") write_unseen();
        }
    }

    void write_unseen() {
        const std::size_t shown = std::min(kUnseenShown, incident_.unseen.size());
        for (std::size_t i = 0; i < shown; ++i) {
            const Fact& fact = incident_.holds[incident_.unseen[i]];
            write_indented(
                sink_, style_, output::kLabelWidth,
                fmt::format("{}{}  {}  held {}{}, {}", clock(fact.since_ns),
                            fact.since_at_least ? " or earlier" : "",
                            output::connection_text(fact.role, fact.family, fact.local, fact.remote, style_),
                            sign_of(fact.is_at_least()), duration_text(fact.held_ns()),
                            sentence(replay::ended_text(fact), style_)));
        }
        if (incident_.unseen.size() > shown)
            write_indented(
                sink_, style_, output::kLabelWidth,
                fmt::format("{} and {} more", ellipsis(style_), count_text(incident_.unseen.size() - shown)));
    }

    std::string owner_cell(const Group& group) const {
        return printable(holders_text(incident_, group), style_.charset);
    }

    /// Where one says it all, its story does.
    void write_table() {
        if (incident_.groups.size() < 2) return;
        using output::Align;
        using output::Cut;
        std::size_t cause = 0;
        for (const Group& group : incident_.groups)
            cause = std::max(cause, cause_text(group.cause, group.confidence).size());
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
            table.add({count_text(group.holds), count_text(group.open),
                       held_cell(group.longest_ns, group.longest_at_least),
                       held_cell(group.typical_ns, group.typical_at_least),
                       or_earlier(group) + clock(group.first_ns).substr(0, 8), owner_cell(group),
                       cause_text(group.cause, group.confidence),
                       std::string(diagnose::id_of(group.confidence)),
                       output::place_text(group.local_port, group.remote, style_)});
        }
        table.finish();
    }

    std::string sign_of(bool at_least) const {
        return at_least ? std::string(output::at_least(style_)) + " " : std::string();
    }

    std::string or_earlier(const Group& group) const {
        if (!group.first_or_earlier) return {};
        return style_.ascii() ? "<=" : "\u2264";
    }

    std::string held_cell(std::uint64_t held_ns, bool at_least) const {
        return output::held_cell(held_ns, at_least ? model::Precision::kAtLeast : model::Precision::kExact,
                                 style_);
    }

    Headline headline_of(const Group& group) const {
        const char* word = group.holds == 1 ? "held" : "longest";
        return {
            count_text(group.holds),
            owner_cell(group),
            cause_text(group.cause, group.confidence),
            std::string(diagnose::id_of(group.confidence)),
            output::place_text(group.local_port, group.remote, style_),
            fmt::format("{} {}{}", word, sign_of(group.longest_at_least), duration_text(group.longest_ns)),
            fmt::format("{} {}", word, held_cell(group.longest_ns, group.longest_at_least)),
            diagnose::is_perhaps(group.cause, group.confidence) ? Paint::kPlain
                                                                : output::paint_of(group.cause)};
    }

    std::string sentence_of(const Group& group, const output::HeadlineLayout& layout) const {
        std::string text;
        if (layout.place == 0) text = output::place_words(group.local_port, group.remote, style_);
        const auto add = [&](const char* word) {
            text += fmt::format("{}{}", text.empty() ? "" : ", ", word);
        };
        if (group.holds > 1) add("longest");
        if (diagnose::is_perhaps(group.cause, incident_.holds[group.longest].confidence)) add("perhaps");
        if (!text.empty()) text += ": ";
        return text +
               sentence(incident_.timeline.text(incident_.timeline.holds[group.longest].diagnosis.summary),
                        style_);
    }

    /// "41 of 182 still open, half held no longer than 1.2 s; the first began at 20:00:01.123, ..."
    std::string figures_of(const Group& group) const {
        std::string text;
        const Fact& longest = incident_.holds[group.longest];
        if (group.holds == 1)  // how it ended its sentence tells
            text = begin_text(incident_, group.first_ns, group.first_or_earlier) +
                   (group.open ? ", open at the end" : "");
        else
            text = fmt::format("{} of {} still open, {}; the first {}", count_text(group.open),
                               count_text(group.holds), typical_text(group),
                               begin_text(incident_, group.first_ns, group.first_or_earlier));
        text += fmt::format("; diagnosed so since {}, here as of {}", clock(group.first_diagnosed_ns),
                            clock(longest.told_ns));
        // The group is as sure as the least sure of its holds; what is shown is the longest one's.
        if (const std::string mixed = confidence_text(group); mixed != diagnose::id_of(group.confidence))
            text += fmt::format("; {}, this one {}", mixed, diagnose::id_of(longest.confidence));
        return text;
    }

    /// "12 were closed by programs, and 3 ended with their processes. Closed by: java (4121) 12"
    std::string endings_of(const Group& group) const {
        const std::string closers = closers_text(group);
        return sentence(endings_text(group.endings) + (closers.empty() ? "" : "; by thread: " + closers),
                        style_);
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
            write_indented(sink_, style_, indent, sentence_of(group, layout));
            output::write_behind(sink_, style_, indent, diagnosis);
            write_indented(sink_, style_, indent, figures_of(group));
            if (group.holds > 1 && group.open < group.holds)
                write_indented(sink_, style_, indent, endings_of(group));
            if (group.culprits > 1) write_indented(sink_, style_, indent, culprits_of(group));
            if (group.fds.full_in_ns)
                write_indented(sink_, style_, indent, "at the last look " + output::outlook_text(group.fds));
            write_evidence(indent, diagnosis);
            advice.write(sink_, style_, indent, diagnosis.advice);
        }
        if (incident_.groups.size() > shown)
            sink_.write(fmt::format("\n{} and {} (use --json)\n", ellipsis(style_),
                                    count_of(incident_.groups.size() - shown, "more group", "more groups")));
    }

    Sink& sink_;
    const Incident& incident_;
    TextStyle style_;
};

}  // namespace

void write_text(Sink& sink, const Incident& incident, const TextStyle& style, std::size_t most) {
    Writer(sink, incident, style).write(most);
}

}  // namespace waitclose::report
