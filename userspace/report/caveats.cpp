// SPDX-License-Identifier: BSD-2-Clause
#include "report/caveats.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>

#include "output/format.h"
#include "output/labelled.h"
#include "report/sentences.h"

namespace waitclose::report {

using output::clock_text;
using output::count_of;
using output::count_text;
using output::duration_text;
using replay::Incident;

namespace {

constexpr std::size_t kGapsTold = 3;
constexpr std::size_t kPortsTold = 5;
constexpr std::size_t kMostWords = 400;

std::vector<std::string_view> split(std::string_view text) {
    std::vector<std::string_view> words;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        if (end > 0) words.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return words;
}

/// Of a command line those options that select sockets. All of it where none is found.
std::string selecting(std::string_view arguments) {
    constexpr std::array<std::string_view, 9> kWithValue{
        "-p", "--pid", "--comm", "-L", "--localport", "-D", "--remoteport", "--netns", "--cgroup"};
    std::string found;
    const auto add = [&](std::string_view word) {
        found += found.empty() ? "" : " ";
        found += word;
    };
    const std::vector<std::string_view> words = split(arguments);
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string_view word = words[i];
        const bool has_value = std::ranges::find(kWithValue, word) != kWithValue.end();
        const bool joined = std::ranges::any_of(kWithValue, [&](std::string_view option) {
            const bool is_long = option.size() > 2;
            return word.size() > option.size() && word.starts_with(option) &&
                   (!is_long ? word[1] != '-' : word[option.size()] == '=');
        });
        if (word == "-4" || word == "-6" || joined || has_value) add(word);
        if (has_value && i + 1 < words.size()) add(words[++i]);
    }
    if (found.empty()) found = arguments;
    if (found.size() > kMostWords) found = found.substr(0, kMostWords) + "...";
    return found;
}

class Collector {
public:
    explicit Collector(const Incident& incident) : incident_(incident) {}

    std::vector<Caveat> collect() {
        add_selection();
        add_ending();
        for (std::string& loss : loss_sentences(incident_)) add("lost", "Lost", std::move(loss), true);
        add_hooks();
        add_blind_spots();
        add_lacks();
        add_gaps();
        add_left_out();
        add_short();
        add_unseen();
        return std::move(found_);
    }

private:
    void add(std::string_view kind, std::string_view label, std::string text, bool warns = false) {
        found_.push_back({kind, label, std::move(text), warns});
    }

    void add_selection() {
        if (incident_.about.selects)
            add("selection", "Only",
                fmt::format("what {} selects was recorded: nothing is known of other connections.",
                            recorded_text(incident_)),
                true);
        if (!incident_.asked.empty())
            add("selection", "Only",
                fmt::format("what {} selects is told, of what was recorded.", incident_.asked), true);
    }

    void add_ending() {
        const auto& about = incident_.about;
        if (about.ending == store::Ending::kAsked || about.ending == store::Ending::kDuration) return;
        add("cut-off", "Ended", fmt::format("{}.", ending_text(about)), true);
    }

    void add_hooks() {
        const auto& missing = incident_.about.probes.missing;
        if (missing.empty()) return;
        add("hooks-missing", "Unseen",
            fmt::format("{}: no hook served {} where this was recorded.", fmt::join(missing, ", "),
                        missing.size() == 1 ? "it" : "them"),
            true);
    }

    void add_blind_spots() {
        if (incident_.nested)
            add("pid-namespace", "Unseen",
                "processes outside the PID namespace that this was recorded in, and what they hold, were not "
                "seen.",
                true);
        if (const std::uint64_t unreachable = incident_.unreachable)
            add("network-namespaces", "Unseen",
                fmt::format("up to {} were not seen, in network namespaces that could not be entered.",
                            count_of(unreachable, "held socket", "held sockets")),
                true);
    }

    /// Of a capture.
    void add_lacks() {
        if (!incident_.activity) return;
        for (const std::string& lack : incident_.activity->lacks) add("capture-lacks", "Lacks", lack, true);
        if (const std::uint64_t lost = incident_.activity->lost)
            add("capture-lost", "Lost",
                fmt::format("{} of what threads did had no room in the buffers: that time is not known.",
                            count_of(lost, "event", "events")),
                true);
    }

    void add_gaps() {
        const auto& gaps = incident_.gaps;
        for (std::size_t i = 0; i < std::min(gaps.size(), kGapsTold); ++i)
            add("gap", "Gap",
                fmt::format("nobody looked for {} from {} (usually {} pass between looks): why something was "
                            "held then is known from before and after only.",
                            duration_text(gaps[i].length_ns()),
                            clock_text(wall_ns(incident_, gaps[i].from_ns)),
                            duration_text(incident_.usual_gap_ns)),
                true);
        if (gaps.size() > kGapsTold)
            add("gap", "Gap",
                fmt::format(
                    "there {} more such {}.",
                    gaps.size() == kGapsTold + 1 ? "was 1" : fmt::format("were {}", gaps.size() - kGapsTold),
                    gaps.size() == kGapsTold + 1 ? "time" : "times"),
                true);
    }

    void add_left_out() {
        if (const auto clauses = left_out_clauses(incident_); !clauses.empty())
            add("left-out", "Also", fmt::format("not told of here: {}.", fmt::join(clauses, "; ")));
        if (const std::uint64_t dropped = incident_.about.dropped_holds)
            add("not-recorded", "Also",
                fmt::format(
                    "{} not in the recording: shorter than the {} that it was to keep, or nobody knew "
                    "whose.",
                    count_of(dropped, "hold is", "holds are"), duration_text(incident_.about.min_held_ns)));
    }

    /// Holds that are none of anybody's business, by the port of a listener; the others are clients'.
    void add_short() {
        const std::string least = duration_text(incident_.min_held_ns);
        if (const std::uint64_t young = incident_.young)
            add("young", "Short",
                fmt::format("{} open at the end, but not yet for {} (--min-held): counted only.",
                            count_of(young, "hold was", "holds were"), least));
        if (const std::uint64_t others = incident_.short_whose_unknown)
            add("short", "Short",
                fmt::format("{} less than {} (--min-held) and ended before a look saw whose {}: not counted "
                            "here.",
                            count_of(others, "hold lasted", "holds lasted"), least,
                            others == 1 ? "it was" : "they were"));
        const replay::Brief& brief = incident_.brief;
        if (brief.holds == 0) return;
        std::string text = fmt::format("{} less than {} (--min-held) and {} only counted",
                                       count_of(brief.holds, "hold lasted", "holds lasted"), least,
                                       brief.holds == 1 ? "is" : "are");
        if (brief.holds > 1)
            text +=
                fmt::format(", half of them no longer than {}", duration_text(incident_.brief_typical_ns));
        add("short", "Short", text + ports_text() + ".");
    }

    std::string ports_text() const {
        std::vector<std::pair<std::uint16_t, std::uint64_t>> ports;
        for (const auto& [port, brief] : incident_.brief_by_port)
            if (incident_.listening.contains(port)) ports.emplace_back(port, brief.holds);
        std::ranges::stable_sort(ports, std::greater<>(), &std::pair<std::uint16_t, std::uint64_t>::second);
        ports.resize(std::min(ports.size(), kPortsTold));
        std::string text;
        for (const auto& [port, holds] : ports)
            text += fmt::format("{} {} on port {}", text.empty() ? ":" : ",", count_text(holds), port);
        return text;
    }

    void add_unseen() {
        const std::uint64_t unseen = incident_.unseen.size();
        if (unseen == 0) return;
        std::string text = fmt::format("no look saw {} that ended before one was due, so why is not known",
                                       count_of(unseen, "hold", "holds"));
        // Nothing can be said of causes then: it is no way to record.
        const bool too_small = incident_.about.ending == store::Ending::kSize && incident_.groups.empty();
        if (too_small)
            text += fmt::format(
                "; the recording was full after {}: give it more room (--max-size), or less to "
                "keep (a port, a process, no --all-transitions, a longer --min-held)",
                duration_text(length_ns(incident_)));
        add("no-look", "Unseen", text + ".", too_small);
    }

    const Incident& incident_;
    std::vector<Caveat> found_;
};

}  // namespace

std::vector<Caveat> caveats(const Incident& incident) {
    return Collector(incident).collect();
}

std::string recorded_text(const Incident& incident) {
    return incident.about.selects ? selecting(incident.about.arguments) : std::string();
}

std::string scope_text(const Incident& incident, bool several) {
    std::vector<std::string> parts;
    if (incident.about.selects) parts.push_back(fmt::format("recorded (with {})", recorded_text(incident)));
    if (!incident.asked.empty()) parts.push_back(fmt::format("asked for (with {})", incident.asked));
    if (parts.empty()) return {};
    return fmt::format(" that {} {}", several ? "were" : "was", fmt::join(parts, " and "));
}

std::vector<std::string> left_out_clauses(const Incident& incident) {
    std::vector<std::string> found;
    if (incident.left_out > 0)
        found.push_back(fmt::format(
            "{} not what the options ask for{}", count_of(incident.left_out, "hold was", "holds were"),
            incident.asked.empty() ? std::string() : fmt::format(" ({})", incident.asked)));
    if (incident.not_selected > 0)
        found.push_back(fmt::format("{} held by processes that the recorder was not asked for",
                                    count_of(incident.not_selected, "hold was", "holds were")));
    if (incident.whose_unknown > 0)
        found.push_back(fmt::format("of {} it is not known whose, as no look saw {}",
                                    count_of(incident.whose_unknown, "hold", "holds"),
                                    incident.whose_unknown == 1 ? "it" : "them"));
    if (incident.open_unseen > 0)
        found.push_back(fmt::format("{} still open at the end that no look had seen",
                                    count_of(incident.open_unseen, "hold was", "holds were")));
    return found;
}

}  // namespace waitclose::report
