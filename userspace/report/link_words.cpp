// SPDX-License-Identifier: BSD-2-Clause
#include "report/link_words.h"

#include <algorithm>

#include <fmt/format.h>

#include "diagnose/text.h"
#include "diagnose/wait.h"
#include "output/format.h"
#include "timeline/labels.h"

namespace waitclose::report {

using output::duration_text;
using replay::Incident;
using replay::ThreadStory;
using timeline::Link;
using timeline::StringId;

std::string percent_text(std::uint64_t part, std::uint64_t whole) {
    if (whole == 0) return "0 %";
    return fmt::format("{:.0f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

const ThreadStory* story_of(const Incident& incident, std::uint32_t pid, std::uint32_t tid) {
    const auto found = std::ranges::find_if(
        incident.threads, [&](const ThreadStory& one) { return one.pid == pid && one.tid == tid; });
    return found == incident.threads.end() ? nullptr : &*found;
}

namespace {

std::string process_name(const Incident& incident, std::uint32_t pid) {
    const auto found = std::ranges::find(incident.timeline.processes, pid, &timeline::Process::pid);
    return found == incident.timeline.processes.end() ? std::string()
                                                      : std::string(incident.timeline.text(found->comm));
}

/// "orders+0x30db": where a program without symbols slept longest; empty where that is not known.
std::string nameless_place(const Incident& incident, const ThreadStory& story) {
    const timeline::Timeline& timeline = incident.timeline;
    const auto process = std::ranges::find(timeline.processes, story.pid, &timeline::Process::pid);
    if (process == timeline.processes.end() || process->exe == StringId::kNone || story.slept.empty())
        return {};
    const auto frames = timeline.stacks.frames_of(story.slept.front().stack);
    for (auto index = frames.rbegin(); index != frames.rend(); ++index) {
        const timeline::Frame& frame = timeline.stacks.frames()[*index];
        if (frame.kernel || frame.module != process->exe || !frame.offset) continue;
        const std::string_view path = timeline.text(frame.module);
        return fmt::format("{}+{:#x}", path.substr(path.rfind('/') + 1), *frame.offset);
    }
    return {};
}

}  // namespace

std::string who_text(const Incident& incident, std::uint32_t pid, std::uint32_t tid, StringId comm) {
    const std::string name(incident.timeline.text(comm));
    const std::string process = process_name(incident, pid);
    const std::string of = process.empty() || process == name ? "" : " of " + process;
    return fmt::format("{}{} (pid {}, tid {})", name, of, pid, tid);
}

std::string function_of(const Incident& incident, const Link* link, const ThreadStory* story) {
    if (link && link->function != StringId::kNone)
        return diagnose::function_text(incident.timeline.text(link->function));
    if (story == nullptr) return {};
    return story->function.empty() ? nameless_place(incident, *story)
                                   : diagnose::function_text(story->function);
}

std::string in_text(const std::string& function) {
    return function.empty() ? ", in a function that is not known," : fmt::format(", in {},", function);
}

std::string waits_text(const Incident& incident, const Link& link) {
    const std::string_view what = incident.timeline.text(link.waits_for);
    if (what == "nothing") return "runs";
    return fmt::format("{}{}: {}", diagnose::phrase_of(what),
                       link.for_ns ? " for " + duration_text(*link.for_ns) : "",
                       incident.timeline.text(link.detail));
}

std::string resource_of(std::string_view what) {
    if (what == "disk") return "the disk";
    if (what == "lock") return "a lock";
    if (what == "downstream") return "another service";
    if (what == "pipe") return "another process";
    if (what == "sleep") return "a pause of its own";
    if (what == "memory") return "memory";
    if (what == "child") return "a child process";
    if (what == "event-loop") return "its next event";
    return what == "nothing" ? "the CPU" : "the kernel";
}

std::string next_text(const Incident& incident, const Link& link) {
    return fmt::format("; which is with {}{} which {}", who_text(incident, link.pid, link.tid, link.comm),
                       in_text(function_of(incident, &link, story_of(incident, link.pid, link.tid))),
                       waits_text(incident, link));
}

}  // namespace waitclose::report
