// SPDX-License-Identifier: BSD-2-Clause
#include "report/sentences.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "output/format.h"
#include "output/labelled.h"

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

std::uint64_t count_open(const Incident& incident) {
    return count_ended(incident, Ended::kNot);
}

std::string nothing_text(const Incident& incident) {
    std::string text =
        fmt::format("In {} no connection of {}", duration_text(length_ns(incident)), host_text(incident));
    if (!incident.asked.empty())
        text += fmt::format(" that the options ask for ({})", incident.asked);
    else if (incident.about.selects)
        text += " that was asked for when it was recorded";
    text += " stayed in CLOSE_WAIT";
    const bool some = incident.brief.holds + incident.young + incident.about.dropped_holds > 0;
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
    std::string text = fmt::format("In {}, {} of {} stayed in CLOSE_WAIT", duration_text(length_ns(incident)),
                                   count_of(holds, "connection", "connections"), host_text(incident));
    if (incident.most_open > 1) text += fmt::format(", up to {} at one time", count_text(incident.most_open));
    text += fmt::format(", {}for {}{}", holds == 1 ? "" : "the longest ",
                        longest.precision == model::Precision::kAtLeast ? "at least " : "",
                        duration_text(longest.held_ns()));
    const std::uint64_t open = count_open(incident);
    if (holds == 1) return text + (open ? "; it was still open at the end." : ".");
    if (open == holds) return text + "; all were still open at the end.";
    return text + fmt::format("; {} still open at the end.",
                              open == 0 ? "none was"
                                        : fmt::format("{} {}", count_text(open), open == 1 ? "was" : "were"));
}

/// Nobody had accepted it: it ends when the listener is closed, or its process ends.
bool went_with_listener(const replay::Fact& fact) {
    return fact.ended == Ended::kKernel && fact.queued;
}

std::string place_text(const Group& group) {
    if (group.remote) return fmt::format(", connected to {},", *group.remote);
    return group.local_port ? fmt::format(" on port {}", *group.local_port) : std::string();
}

std::string who_text(const Incident& incident) {
    if (incident.groups.empty()) return "Nobody looked while they lasted, so why they did is not known.";
    const Group& group = incident.groups.front();
    const std::size_t holds = incident.holds.size();
    const std::string share = group.holds == holds ? (holds == 1 ? "It was" : "All of them were")
                                                   : fmt::format("{} of them {}", count_text(group.holds),
                                                                 group.holds == 1 ? "was" : "were");
    const auto& diagnosis = incident.timeline.holds[group.longest].diagnosis;
    const std::string others = incident.groups.size() > 1
                                   ? fmt::format(" (and {} beside this one)",
                                                 count_of(incident.groups.size() - 1, "group", "groups"))
                                   : std::string();
    return fmt::format("{} held by {}{} because of {} ({}), as of {}: {}{}.", share,
                       owner_text(incident, group.owner), place_text(group), diagnose::id_of(group.cause),
                       confidence_text(group),
                       clock_text(wall_ns(incident, incident.holds[group.longest].told_ns)),
                       incident.timeline.text(diagnosis.summary), others);
}

std::string how_text(const Incident& incident) {
    std::vector<std::string> parts;
    const auto add_count = [&](std::uint64_t count, const char* one, const char* many) {
        if (count > 0) parts.push_back(fmt::format("{} {}", count_text(count), count == 1 ? one : many));
    };
    const auto add = [&](Ended ended, const char* one, const char* many) {
        add_count(count_ended(incident, ended), one, many);
    };
    add(Ended::kClosed, "was closed by a program", "were closed by programs");
    add(Ended::kExit, "ended with its process", "ended with their processes");
    add(Ended::kError, "ended by a reset or a timeout", "ended by resets or timeouts");
    const auto with_listener =
        static_cast<std::uint64_t>(std::ranges::count_if(incident.holds, went_with_listener));
    add_count(with_listener, "went with its listener", "went with their listener");
    add_count(count_ended(incident, Ended::kKernel) - with_listener, "was ended by the kernel",
              "were ended by the kernel");
    add(Ended::kMissed, "was found gone", "were found gone");
    if (const std::uint64_t open = count_open(incident))
        parts.push_back(fmt::format("{} {} still held: CLOSE_WAIT has no timeout of its own",
                                    count_text(open), open == 1 ? "is" : "are"));
    if (parts.size() < 2) return fmt::format("In the end {}.", fmt::join(parts, ""));
    const std::string last = parts.back();
    parts.pop_back();
    return fmt::format("In the end {}, and {}.", fmt::join(parts, ", "), last);
}

}  // namespace

std::int64_t wall_ns(const Incident& incident, std::uint64_t at_ns) {
    // A recording may hold any number: no overflow is undefined this way.
    return static_cast<std::int64_t>(at_ns + static_cast<std::uint64_t>(incident.about.wall_offset_ns));
}

std::uint64_t length_ns(const Incident& incident) {
    return incident.window().to_ns - incident.window().from_ns;
}

std::uint64_t count_ended(const Incident& incident, Ended ended) {
    return static_cast<std::uint64_t>(std::ranges::count(incident.holds, ended, &replay::Fact::ended));
}

std::string owner_text(const Incident& incident, std::uint32_t process) {
    const timeline::Process* owner = incident.timeline.process_at(process);
    if (owner == nullptr) return "nobody who could be named";
    return fmt::format("{} ({})", incident.timeline.text(owner->comm), owner->pid);
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

std::string ended_text(const replay::Fact& fact) {
    const auto thread = [&] {
        return fmt::format("thread {} ({}) of process {}", fact.closer->comm_text(), fact.closer->tid,
                           fact.closer->pid);
    };
    switch (fact.ended) {
    case Ended::kNot: return "open at the end";
    case Ended::kClosed: return fact.closer ? "closed by " + thread() : "closed, by whom was not seen";
    case Ended::kExit:
        return fact.closer ? fmt::format("ended when process {} ({}) exited", fact.closer->comm_text(),
                                         fact.closer->pid)
                           : "ended when its process exited";
    case Ended::kError:
        return fact.error ? fmt::format("ended by an error: {}", std::strerror(fact.error))
                          : "ended by an error";
    case Ended::kKernel:
        return went_with_listener(fact) ? "went with its listener, which was closed, or whose process ended"
                                        : "ended by the kernel";
    case Ended::kMissed: break;
    }
    return "its end was missed; a census found it gone";
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
        found.push_back(fmt::format("whose {} were is not known, as no look saw them",
                                    count_of(incident.whose_unknown, "hold", "holds")));
    if (incident.open_unseen > 0)
        found.push_back(fmt::format("{} still open that no look had seen",
                                    count_of(incident.open_unseen, "hold was", "holds were")));
    return found;
}

std::vector<std::string> gap_sentences(const Incident& incident) {
    constexpr std::size_t kMost = 3;
    std::vector<std::string> found;
    for (const replay::Gap& gap : incident.gaps) {
        if (found.size() == kMost) {
            found.push_back(fmt::format("There were {} more such times.", incident.gaps.size() - kMost));
            break;
        }
        found.push_back(
            fmt::format("Nobody looked for {} from {} (usually {} pass between looks): why "
                        "something was held then is known from before and after only.",
                        duration_text(gap.length_ns()), clock_text(wall_ns(incident, gap.from_ns)),
                        duration_text(incident.usual_gap_ns)));
    }
    return found;
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
