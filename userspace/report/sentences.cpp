// SPDX-License-Identifier: BSD-2-Clause
#include "report/sentences.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "diagnose/telling.h"
#include "output/format.h"
#include "output/labelled.h"
#include "report/caveats.h"
#include "report/verdict.h"

namespace waitclose::report {

using output::clock_text;
using output::count_of;
using output::count_text;
using output::duration_text;
using replay::Ended;
using replay::Group;
using replay::Incident;

namespace {

std::string host_text(const Incident& incident) {
    return incident.about.hostname.empty() ? "this machine" : incident.about.hostname;
}

std::string nothing_text(const Incident& incident) {
    std::string text = fmt::format("In {} no connection of {}{}", duration_text(length_ns(incident)),
                                   host_text(incident), scope_text(incident, false));
    text += " stayed in CLOSE_WAIT";
    const bool some =
        incident.brief.holds + incident.young + incident.short_whose_unknown + incident.about.dropped_holds >
        0;
    if (!some) return text + (left_out_clauses(incident).empty() ? " at all." : ", as far as is told here.");
    text += " for long";
    if (incident.brief.holds > 0)
        text +=
            fmt::format(": {} ended, the longest after {}", count_of(incident.brief.holds, "hold", "holds"),
                        duration_text(incident.brief.longest_ns));
    if (incident.young > 0)
        text += fmt::format("; {} still open at the end, held for less than was asked about by then",
                            count_of(incident.young, "was", "were"));
    return text + ".";
}

std::string what_text(const Incident& incident) {
    const auto& longest = *std::ranges::max_element(incident.holds, {}, &replay::Fact::held_ns);
    const std::size_t holds = incident.holds.size();
    std::string text = fmt::format(
        "In {}, {} of {}{} stayed in CLOSE_WAIT", duration_text(length_ns(incident)),
        count_of(holds, "connection", "connections"), host_text(incident), scope_text(incident, holds > 1));
    if (incident.most_open > 1) text += fmt::format(", up to {} at one time", count_text(incident.most_open));
    text += fmt::format(", {}for {}{}", holds == 1 ? "" : "the longest ",
                        std::ranges::any_of(incident.holds, &replay::Fact::is_at_least) ? "at least " : "",
                        duration_text(longest.held_ns()));
    const std::uint64_t open = incident.endings.of(Ended::kNot);
    if (holds == 1) return text + (open ? "; it was still open at the end." : ".");
    if (open == holds) return text + "; all were still open at the end.";
    return text + fmt::format("; {} still open at the end.",
                              open == 0 ? "none was"
                                        : fmt::format("{} {}", count_text(open), open == 1 ? "was" : "were"));
}

std::string place_text(const Group& group) {
    if (group.remote) return fmt::format(", connected to {},", *group.remote);
    return group.local_port ? fmt::format(" on port {}", *group.local_port) : std::string();
}

/// "10 of them were", "All of them were", "It was"
std::string share_text(const Incident& incident, const Group& group) {
    const std::size_t holds = incident.holds.size();
    if (group.holds == holds) return holds == 1 ? "It was" : "All of them were";
    return fmt::format("{} of them {}", count_text(group.holds), group.holds == 1 ? "was" : "were");
}

std::string group_text(const Incident& incident, const Group& group) {
    const std::string cause(diagnose::id_of(group.cause));
    const std::string because = group.cause == diagnose::Cause::kUnknown ? " (unknown)"
                                : diagnose::is_perhaps(group.cause, group.confidence)
                                    ? ", perhaps because of " + cause
                                    : " because of " + cause;
    const std::string sure =
        group.cause == diagnose::Cause::kUnknown ? "" : fmt::format(" ({})", confidence_text(group));
    return fmt::format("{} held by {}{}{}{}, as of {}: {}", share_text(incident, group),
                       holders_text(incident, group), place_text(group), because, sure,
                       clock_text(wall_ns(incident, incident.holds[group.longest].told_ns)),
                       incident.timeline.text(incident.timeline.holds[group.longest].diagnosis.summary));
}

/// " (and 2 groups beside this one)", or which one is larger:
/// " (and 2 groups beside this one, of which the largest has 10 holds: ...)"
std::string others_text(const Incident& incident, const Group& told) {
    if (incident.groups.size() < 2) return {};
    const Group& largest = incident.groups.front();
    const std::string others = count_of(incident.groups.size() - 1, "group", "groups");
    if (&largest == &told) return fmt::format(" (and {} beside this one)", others);
    const std::string cause =
        largest.cause == diagnose::Cause::kUnknown
            ? "their cause is unknown"
            : cause_text(largest.cause, largest.confidence) + " of " + holders_text(incident, largest);
    return fmt::format(" (and {} beside this one{} {}: {})", others,
                       incident.groups.size() == 2 ? ", with" : ", the largest with",
                       count_of(largest.holds, "hold", "holds"), cause);
}

std::string who_text(const Incident& incident) {
    if (incident.groups.empty()) return "Nobody looked while they lasted, so why they did is not known.";
    if (const Group* told = headline_of(incident))
        return group_text(incident, *told) + others_text(incident, *told) + ".";
    const Group& largest = incident.groups.front();
    const char* why = largest.cause == diagnose::Cause::kUnknown
                          ? "Why is not known, and nobody is blamed"
                          : "That is no program's fault, as far as is known";
    return fmt::format("{}: {}{}.", why, group_text(incident, largest), others_text(incident, largest));
}

std::string listed(std::vector<std::string> parts) {
    if (parts.size() < 2) return fmt::format("{}", fmt::join(parts, ""));
    const std::string last = parts.back();
    parts.pop_back();
    return fmt::format("{}, and {}", fmt::join(parts, ", "), last);
}

std::vector<std::string> endings_parts(const replay::Endings& endings) {
    std::vector<std::string> parts;
    const auto add = [&](std::uint64_t count, const char* one, const char* many) {
        if (count > 0) parts.push_back(fmt::format("{} {}", count_text(count), count == 1 ? one : many));
    };
    add(endings.of(Ended::kClosed) - endings.shut_down, "was closed by a program", "were closed by programs");
    add(endings.shut_down, "was shut down by a program", "were shut down by programs");
    add(endings.of(Ended::kExit), "ended with its process", "ended with their processes");
    add(endings.of(Ended::kError), "ended by a reset or a timeout", "ended by resets or timeouts");
    add(endings.with_listener, "went with its listener", "went with their listener");
    add(endings.of(Ended::kKernel) - endings.with_listener, "was ended by the kernel",
        "were ended by the kernel");
    add(endings.of(Ended::kMissed), "was found gone", "were found gone");
    return parts;
}

std::string how_text(const Incident& incident) {
    std::vector<std::string> parts = endings_parts(incident.endings);
    if (const std::uint64_t open = incident.endings.of(Ended::kNot))
        parts.push_back(fmt::format("{} {} still held: CLOSE_WAIT has no timeout of its own",
                                    count_text(open), open == 1 ? "is" : "are"));
    return fmt::format("In the end {}.", listed(std::move(parts)));
}

}  // namespace

std::int64_t wall_ns(const Incident& incident, std::uint64_t at_ns) {
    // A recording may hold any number: no overflow is undefined this way.
    return static_cast<std::int64_t>(at_ns + static_cast<std::uint64_t>(incident.about.wall_offset_ns));
}

std::uint64_t length_ns(const Incident& incident) {
    return incident.window().to_ns - incident.window().from_ns;
}

std::string endings_text(const replay::Endings& endings) {
    return listed(endings_parts(endings));
}

std::string closers_text(const Group& group) {
    if (group.top_closers.empty()) return {};
    std::string text;
    for (const replay::TopCulprit& one : group.top_closers)
        text +=
            fmt::format("{}{} ({}) {}", text.empty() ? "" : ", ", one.comm, one.tid, count_text(one.holds));
    return text + (group.closers > group.top_closers.size() ? ", and others" : "");
}

std::string begin_text(const Incident& incident, std::uint64_t since_ns, bool or_earlier) {
    return fmt::format("began at {}{}", clock_text(wall_ns(incident, since_ns)),
                       or_earlier ? " or earlier" : "");
}

std::string typical_text(const Group& group) {
    const std::string typical = duration_text(group.typical_ns);
    return group.typical_at_least ? fmt::format("half held for {} or longer", typical)
                                  : fmt::format("half held no longer than {}", typical);
}

std::string owner_text(const Incident& incident, std::uint32_t process) {
    const timeline::Process* owner = incident.timeline.process_at(process);
    if (owner == nullptr) return "nobody who could be named";
    return fmt::format("{} ({})", incident.timeline.text(owner->comm), owner->pid);
}

std::string holders_text(const Incident& incident, const Group& group) {
    if (incident.timeline.process_at(group.owner) != nullptr) return owner_text(incident, group.owner);
    constexpr std::size_t kNamed = 2;
    std::set<std::pair<std::uint32_t, std::string_view>> known;
    const std::uint32_t index =
        group.longest < incident.group_of.size() ? incident.group_of[group.longest] : timeline::kNowhere;
    for (std::size_t hold = 0; hold < incident.group_of.size(); ++hold)
        if (incident.group_of[hold] == index)
            for (const timeline::Holder& holder : incident.timeline.holds[hold].holders)
                known.emplace(holder.pid, incident.timeline.text(holder.comm));
    if (known.empty()) return owner_text(incident, group.owner);
    std::vector<std::string> names;
    for (const auto& [pid, comm] : known) {
        if (names.size() == kNamed) break;
        names.push_back(fmt::format("{} (pid {})", comm, pid));
    }
    return fmt::format("{}{}", fmt::join(names, known.size() > kNamed ? ", " : " and "),
                       known.size() > kNamed ? fmt::format(", and {} more", known.size() - kNamed) : "");
}

std::string_view ended_word(Ended ended) {
    switch (ended) {
    case Ended::kClosed: return "program";
    case Ended::kExit: return "exit";
    case Ended::kError: return "error";
    case Ended::kKernel: return "kernel";
    case Ended::kMissed:
    case Ended::kNot: break;
    }
    return {};
}

std::string ending_text(const store::About& about) {
    switch (about.ending) {
    case store::Ending::kAsked: return "when it was told to (SIGINT, SIGTERM or SIGHUP)";
    case store::Ending::kDuration: return "when its --duration was over";
    case store::Ending::kSize: return "when its --max-size was reached: what happened later is not in it";
    case store::Ending::kFailed:
        return about.failure.empty() ? "because something could not be done"
                                     : fmt::format("because of a failure: {}", about.failure);
    case store::Ending::kNot: break;
    }
    return "without saying how: it was cut off, or is still being written, and what happened later is not in "
           "it (keep FILE, FILE-wal and FILE-shm together)";
}

std::string confidence_text(const Group& group) {
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < group.by_confidence.size(); ++i)
        if (const std::uint64_t count = group.by_confidence.at(i))
            parts.push_back(fmt::format("{} {}", count_text(count),
                                        diagnose::id_of(static_cast<diagnose::Confidence>(i))));
    if (parts.size() < 2) return std::string(diagnose::id_of(group.confidence));
    return fmt::format("{}", fmt::join(parts, ", "));
}

std::vector<std::string> loss_sentences(const Incident& incident) {
    std::vector<std::string> found;
    const auto& losses = incident.timeline.losses;
    const auto add = [&](std::string_view what, std::uint64_t count, const std::string& text) {
        if (count == 0) return;
        std::string when;
        const auto is_such = [&](const timeline::Loss& loss) {
            return incident.timeline.text(loss.what) == what;
        };
        if (const auto first = std::ranges::find_if(losses, is_such); first != losses.end())
            when = fmt::format(", first noticed at {}", clock_text(wall_ns(incident, first->at_ns)));
        found.push_back(text + when + ".");
    };
    add("ring", incident.losses.ring,
        count_of(incident.losses.ring, "event was", "events were") + " dropped by the ring buffer");
    add("storage", incident.losses.storage,
        count_of(incident.losses.storage, "note", "notes") + " of who did what found no memory");
    add("reconciled", incident.losses.reconciled,
        count_of(incident.losses.reconciled, "hold", "holds") +
            " began or ended unnoticed, and a census put that right");
    return found;
}

std::vector<std::string> sentences(const Incident& incident) {
    if (incident.holds.empty()) {
        std::vector<std::string> found{nothing_text(incident)};
        const auto clauses = left_out_clauses(incident);
        if (!clauses.empty())
            found.push_back(fmt::format("This is no all-clear: {}.", fmt::join(clauses, ", ")));
        else
            found.emplace_back("No program forgot a close() for as long as it was asked about.");
        return found;
    }
    return {what_text(incident), who_text(incident), how_text(incident)};
}

}  // namespace waitclose::report
