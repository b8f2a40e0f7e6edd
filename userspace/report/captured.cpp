// SPDX-License-Identifier: BSD-2-Clause
#include "report/captured.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "diagnose/text.h"
#include "output/escape.h"
#include "output/format.h"
#include "output/json.h"
#include "output/labelled.h"
#include "output/layout.h"
#include "output/outlook.h"
#include "output/story.h"
#include "report/doings.h"
#include "report/sentences.h"
#include "timeline/labels.h"

namespace waitclose::report {

using nlohmann::ordered_json;
using output::count_of;
using output::count_text;
using output::duration_text;
using replay::Incident;
using replay::ThreadStory;
using timeline::StringId;

namespace {

constexpr std::size_t kThreadsTold = 20;
constexpr std::size_t kWaysTold = 4;
constexpr std::size_t kFramesTold = 12;
constexpr std::size_t kKernelFramesTold = 5;

std::string percent_text(std::uint64_t part, std::uint64_t whole) {
    const double share = whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
    return fmt::format("{:.1f} %", share);
}

std::string part_text(std::uint64_t ns, const ThreadStory& story) {
    return fmt::format("{} ({})", duration_text(ns), percent_text(ns, story.length_ns));
}

/// The innermost first.
std::vector<std::string> frames_of(const Incident& incident, timeline::StackId stack) {
    std::vector<std::string> names;
    const auto frames = incident.timeline.stacks.frames_of(stack);
    for (auto index = frames.rbegin(); index != frames.rend(); ++index)
        names.push_back(timeline::frame_label(incident.timeline, incident.timeline.stacks.frames()[*index]));
    return names;
}

/// "fdatasync < write_audit_log < main; in the kernel: io_schedule < ext4_sync_file"
std::string stack_text(const Incident& incident, timeline::StackId stack) {
    const auto frames = incident.timeline.stacks.frames_of(stack);
    const auto part = [&](bool kernel, std::size_t most) {
        std::string text;
        std::size_t count = 0;
        for (auto index = frames.rbegin(); index != frames.rend(); ++index) {
            timeline::Frame frame = incident.timeline.stacks.frames()[*index];
            if (frame.kernel != kernel || ++count > most) continue;
            frame.kernel = false;
            text += fmt::format("{}{}", text.empty() ? "" : " < ",
                                diagnose::function_text(timeline::frame_label(incident.timeline, frame)));
        }
        return text + (count > most ? fmt::format(" < {} more", count - most) : "");
    };
    const std::string program = part(false, kFramesTold);
    const std::string kernel = part(true, kKernelFramesTold);
    if (kernel.empty()) return program;
    return fmt::format("{}{}in the kernel: {}", program, program.empty() ? "" : "; ", kernel);
}

std::string title_of(const ThreadStory& story) {
    const std::string in =
        story.function.empty() ? "" : fmt::format(", mostly in {}", diagnose::function_text(story.function));
    return fmt::format("{} (pid {}, tid {}){}; followed for {}{}", story.comm, story.pid, story.tid, in,
                       duration_text(story.length_ns), story.ended ? ", until it ended" : "");
}

std::string sums_text(const ThreadStory& story) {
    std::string text =
        fmt::format("on a CPU {}, waiting for a CPU {}, blocked {}", part_text(story.on_cpu_ns, story),
                    part_text(story.runnable_ns, story), part_text(story.blocked_ns, story));
    if (story.unknown_ns > 0) text += fmt::format(", not known {}", part_text(story.unknown_ns, story));
    return text;
}

std::string class_text(const Incident& incident, const ThreadStory& story, const ThreadStory::Slept& one) {
    return fmt::format("{} {} in {}, the longest {}: {}", incident.timeline.text(one.what),
                       part_text(one.ns, story), count_of(one.times, "sleep", "sleeps"),
                       duration_text(one.longest_ns), incident.timeline.text(one.detail));
}

std::string ran_text(const ThreadStory& story) {
    std::string text = fmt::format("{} on a CPU: ", count_of(story.samples, "sample", "samples"));
    for (std::size_t i = 0; i < std::min(story.ran.size(), kWaysTold); ++i)
        text +=
            fmt::format("{}{} in {}", i == 0 ? "" : ", ", percent_text(story.ran[i].samples, story.samples),
                        diagnose::function_text(story.ran[i].function));
    return text + (story.ran.size() > kWaysTold ? ", and others" : "");
}

std::string wakers_text(const Incident& incident, const ThreadStory& story) {
    std::string text;
    for (std::size_t i = 0; i < std::min(story.wakers.size(), kWaysTold); ++i)
        text += fmt::format("{}{} {}", i == 0 ? "" : ", ", incident.timeline.text(story.wakers[i].who),
                            count_of(story.wakers[i].times, "time", "times"));
    return text + (story.wakers.size() > kWaysTold ? ", and others" : "");
}

ordered_json text_or_null(std::string_view text) {
    return text.empty() ? ordered_json(nullptr) : ordered_json(std::string(text));
}

ordered_json slept_json(const Incident& incident, const ThreadStory::Slept& one, bool with_stack) {
    ordered_json made{{"waits_for", std::string(incident.timeline.text(one.what))},
                      {"detail", text_or_null(incident.timeline.text(one.detail))},
                      {"ns", one.ns},
                      {"times", one.times},
                      {"longest_ns", one.longest_ns}};
    if (with_stack) {
        ordered_json frames = ordered_json::array();
        for (const std::string& name : frames_of(incident, one.stack)) frames.push_back(name);
        std::reverse(frames.begin(), frames.end());
        made["frames"] = one.stack == timeline::StackId::kNone ? ordered_json(nullptr) : std::move(frames);
    }
    return made;
}

ordered_json thread_json(const Incident& incident, const ThreadStory& story) {
    ordered_json made{{"pid", story.pid},
                      {"tid", story.tid},
                      {"comm", output::comm_json(story.comm)},
                      {"function", text_or_null(story.function)},
                      {"ended", story.ended},
                      {"length_ns", story.length_ns},
                      {"on_cpu_ns", story.on_cpu_ns},
                      {"waiting_ns", story.runnable_ns},
                      {"blocked_ns", story.blocked_ns},
                      {"unknown_ns", story.unknown_ns},
                      {"samples", story.samples},
                      {"blocked", ordered_json::array()},
                      {"off_cpu", ordered_json::array()},
                      {"on_cpu", ordered_json::array()},
                      {"woken_by", ordered_json::array()}};
    constexpr std::size_t kMost = 20;
    for (const auto& one : story.classes) made["blocked"].push_back(slept_json(incident, one, false));
    for (std::size_t i = 0; i < std::min(story.slept.size(), kMost); ++i)
        made["off_cpu"].push_back(slept_json(incident, story.slept[i], true));
    for (std::size_t i = 0; i < std::min(story.ran.size(), kMost); ++i)
        made["on_cpu"].push_back({{"function", story.ran[i].function}, {"samples", story.ran[i].samples}});
    for (std::size_t i = 0; i < std::min(story.wakers.size(), kMost); ++i)
        made["woken_by"].push_back({{"thread", std::string(incident.timeline.text(story.wakers[i].who))},
                                    {"times", story.wakers[i].times},
                                    {"ended_ns", story.wakers[i].ended_ns}});
    return made;
}

}  // namespace

namespace {

/// Of owners of whose threads none is named; what fills a page at most.
void write_doings(output::Sink& sink, const Incident& incident, const output::TextStyle& style) {
    for (const replay::OwnerDoings& owner : incident.doings) {
        const auto sentences = doing_sentences(incident, owner);
        if (sentences.empty() || sink.ended()) continue;
        sink.write("\n");
        for (std::size_t i = 0; i < std::min(sentences.size(), kThreadsTold); ++i)
            output::write_indented(sink, style, i == 0 ? 0 : 2, output::sentence(sentences[i], style));
        if (sentences.size() > kThreadsTold)
            output::write_indented(sink, style, 2, "and others (use --json)");
    }
}

}  // namespace

void write_threads(output::Sink& sink, const Incident& incident, const output::TextStyle& style) {
    if (!incident.activity) return;
    write_doings(sink, incident, style);
    if (incident.threads.empty()) return;
    const auto line = [&](std::size_t indent, const std::string& text) {
        output::write_indented(sink, style, indent, output::sentence(text, style));
    };
    sink.write("\n");
    line(0, fmt::format("What the threads did in the {} captured",
                        duration_text(incident.activity->to_ns - incident.activity->from_ns)));
    for (std::size_t i = 0; i < std::min(incident.threads.size(), kThreadsTold); ++i) {
        if (sink.ended()) return;
        const ThreadStory& story = incident.threads[i];
        line(2, title_of(story));
        line(4, sums_text(story));
        for (std::size_t k = 0; k < std::min(story.classes.size(), kWaysTold); ++k)
            line(4, class_text(incident, story, story.classes[k]));
        for (std::size_t k = 0; k < std::min(story.slept.size(), kWaysTold); ++k) {
            if (story.slept[k].stack == timeline::StackId::kNone) continue;
            line(6, fmt::format("{} {}: {}", incident.timeline.text(story.slept[k].what),
                                part_text(story.slept[k].ns, story),
                                stack_text(incident, story.slept[k].stack)));
        }
        if (story.samples > 0) line(4, ran_text(story));
        if (!story.wakers.empty()) line(4, "woken by " + wakers_text(incident, story));
    }
    if (incident.threads.size() > kThreadsTold)
        line(2, fmt::format("and {} more (use --json)", count_text(incident.threads.size() - kThreadsTold)));
}

ordered_json capture_json(const Incident& incident) {
    if (!incident.activity) return nullptr;
    const model::Activity& activity = *incident.activity;
    ordered_json threads = ordered_json::array();
    for (const ThreadStory& story : incident.threads) threads.push_back(thread_json(incident, story));
    return {{"begun_at", output::rfc3339(wall_ns(incident, activity.from_ns))},
            {"ended_at", output::rfc3339(wall_ns(incident, activity.to_ns))},
            {"length_ns", activity.to_ns - activity.from_ns},
            {"sample_period_ns",
             activity.sample_period_ns ? ordered_json(activity.sample_period_ns) : ordered_json(nullptr)},
            {"lost", activity.lost},
            {"lacks", activity.lacks},
            {"reason", reason_lines(incident)},
            {"threads_of_interest", doings_json(incident)},
            {"threads", std::move(threads)}};
}

std::vector<std::vector<std::string>> thread_rows(const Incident& incident) {
    if (!incident.activity || incident.threads.empty()) return {};
    std::vector<std::vector<std::string>> rows{{"Thread", "Mostly in", "On a CPU", "Waiting for a CPU",
                                                "Blocked", "For", "Where it slept longest", "Where it ran",
                                                "Woken by"}};
    for (const ThreadStory& story : incident.threads) {
        std::string blocked_for;
        for (std::size_t i = 0; i < std::min(story.classes.size(), kWaysTold); ++i)
            blocked_for +=
                fmt::format("{}{} {}", i == 0 ? "" : ", ", incident.timeline.text(story.classes[i].what),
                            part_text(story.classes[i].ns, story));
        if (!story.classes.empty())
            blocked_for += fmt::format(": {}", incident.timeline.text(story.classes.front().detail));
        rows.push_back({fmt::format("{} (pid {}, tid {})", story.comm, story.pid, story.tid),
                        story.function.empty() ? std::string(timeline::kNotKnown) : story.function,
                        part_text(story.on_cpu_ns, story), part_text(story.runnable_ns, story),
                        part_text(story.blocked_ns, story), blocked_for,
                        story.slept.empty() ? "" : stack_text(incident, story.slept.front().stack),
                        story.samples > 0 ? ran_text(story) : "", wakers_text(incident, story)});
    }
    return rows;
}

}  // namespace waitclose::report
