// SPDX-License-Identifier: BSD-2-Clause
// Prints as JSON what the kernel's verifier makes of every BPF program: the instructions it processed and its
// time, or the words of its refusal. Settings are constants to the verifier, so each program is loaded twice:
// with none, as plain `waitclose watch` does, and with all of them.
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <bpf/libbpf.h>
#include <nlohmann/json.hpp>

#include "bpf/records.h"
#include "kernel/facts.h"
#include "kernel/log.h"
#include "kernel/plan.h"
#include "waitclose.skel.h"

namespace {

using json = nlohmann::ordered_json;
using namespace waitclose::kernel;

constexpr std::uint32_t trace_every_instruction = 1;
constexpr std::uint32_t statistics = 4;
constexpr std::size_t trace_bytes = 16 << 20;
constexpr std::size_t statistics_bytes = 64 << 10;
constexpr std::size_t lines_of_trace = 40;  // an error stands at the end of a trace
constexpr std::size_t lines_of_libbpf = 12;
constexpr const char* has_never_cookies = "on_classic_transition";
constexpr std::uint32_t largest_map =
    4096;  // entries; of no meaning to the verifier, and allocating them takes time

struct Destroy {
    void operator()(waitclose_bpf* skeleton) const { waitclose_bpf::destroy(skeleton); }
};
using Skeleton = std::unique_ptr<waitclose_bpf, Destroy>;

using Names = std::set<std::string>;
using Logs = std::map<std::string, std::string>;  // the verifier's words, by program

struct Settings {
    bool all = false;
    bool own_identities = false;  // in place of the cookies that not every program can ask for
};

std::vector<std::string> last_lines(std::string_view text, std::size_t count) {
    std::vector<std::string> lines;
    std::istringstream stream{std::string(text)};
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    if (lines.size() > count) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(count));
    return lines;
}

json number_after(const std::string& text, const std::string& words) {
    const std::size_t found = text.rfind(words);
    if (found == std::string::npos) return nullptr;
    return std::strtoll(text.c_str() + found + words.size(), nullptr, 10);
}

/// Why a program has nothing to attach to here; nothing when it has.
std::optional<std::string> why_not(const Facts& facts, const std::string& program) {
    for (const Need& need : all_needs())
        for (const Alternative& hook : need.alternatives)
            for (const AttachPoint& point : hook.points) {
                if (point.program != program) continue;
                if (!facts.has(point)) return "this kernel has no " + std::string(point.target);
                return facts.why_not(hook);
            }
    return "no hook uses it";
}

Skeleton open_with(const Names& programs, const Settings& settings) {
    Skeleton skeleton(waitclose_bpf::open());
    if (!skeleton) return skeleton;
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, skeleton->obj)
        bpf_program__set_autoload(program, programs.contains(bpf_program__name(program)));
    bpf_map* map = nullptr;
    bpf_object__for_each_map(map, skeleton->obj) if (bpf_map__max_entries(map) > largest_map)
        bpf_map__set_max_entries(map, largest_map);
    skeleton->rodata->tracing = true;
    skeleton->rodata->own_identities = settings.own_identities;
    if (settings.all) {
        auto& filter = const_cast<wc_filter&>(skeleton->rodata->filter);
        filter.netns = 1;
        filter.ipv6 = 0;
        filter.by_local_port = filter.by_remote_port = 1;
        skeleton->rodata->all_transitions = true;
        skeleton->rodata->want_peers = true;
        skeleton->rodata->opening_stacks = true;
    }
    return skeleton;
}

struct Attempt {
    int error = 0;       // its number
    std::string libbpf;  // what it said
    Logs logs;
};

Attempt load(const Names& programs, const Settings& settings, std::uint32_t level, std::size_t log_bytes) {
    const LogCapture capture;
    const Skeleton skeleton = open_with(programs, settings);
    if (!skeleton) return {errno, std::string(capture.text()), {}};
    Attempt attempt;
    for (const std::string& name : programs) {
        std::string& log = attempt.logs[name];
        log.assign(log_bytes, '\0');
        bpf_program* program = bpf_object__find_program_by_name(skeleton->obj, name.c_str());
        bpf_program__set_log_level(program, level);
        bpf_program__set_log_buf(program, log.data(), log.size());
    }
    attempt.error = -waitclose_bpf::load(skeleton.get());
    attempt.libbpf = capture.text();
    for (auto& [name, log] : attempt.logs) log.resize(std::strlen(log.c_str()));
    return attempt;
}

json figures(const std::string& log) {
    return {{"instructions", number_after(log, "processed ")},
            {"states", number_after(log, "total_states ")},
            {"microseconds", number_after(log, "verification time ")}};
}

/// Loads the program once more, for the reason.
json refusal(const std::string& program, const Settings& settings) {
    Attempt attempt = load({program}, settings, trace_every_instruction, trace_bytes);
    const std::vector<std::string> trace = last_lines(attempt.logs[program], lines_of_trace);
    const std::vector<std::string> said = last_lines(attempt.libbpf, lines_of_libbpf);
    std::string reason = said.empty() ? std::strerror(attempt.error) : telling_line(said.front());
    for (const std::string& line : trace)
        if (!line.starts_with("processed ")) reason = line;
    return {
        {"refused", reason}, {"error", std::strerror(attempt.error)}, {"libbpf", said}, {"verifier", trace}};
}

/// The programs of which libbpf says that it could not load them; all of them when it was none: a map, say.
Names refused_among(const Names& programs, const std::string& libbpf) {
    for (const std::string& name : programs)
        if (libbpf.find("prog '" + name + "': failed to load") != std::string::npos) return {name};
    return programs;
}

/// libbpf gives up at the first program that is refused, so that one is left out, and the others are tried
/// again.
void examine(Names programs, const Settings& settings, std::map<std::string, json>& results) {
    while (!programs.empty()) {
        const Attempt attempt = load(programs, settings, statistics, statistics_bytes);
        if (attempt.error == 0) {
            for (const std::string& name : programs) results[name] = figures(attempt.logs.at(name));
            return;
        }
        for (const std::string& name : refused_among(programs, attempt.libbpf)) {
            results[name] = refusal(name, settings);
            programs.erase(name);
        }
    }
}

}  // namespace

int main() {
    const Facts facts = Facts::of_this_kernel();
    const Skeleton object(waitclose_bpf::open());
    if (!object) {
        std::cerr << "the object cannot be opened: " << std::strerror(errno) << '\n';
        return 1;
    }
    std::vector<std::string> names;
    std::map<std::string, std::string> no_hook;
    Names with_cookies, without_cookies;
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, object->obj) {
        const std::string& name = names.emplace_back(bpf_program__name(program));
        if (const auto reason = why_not(facts, name))
            no_hook[name] = *reason;
        else
            (facts.gives_cookies() && name != has_never_cookies ? with_cookies : without_cookies)
                .insert(name);
    }
    std::map<std::string, json> unfiltered, filtered;
    for (const bool all : {false, true}) {
        examine(with_cookies, {all, false}, all ? filtered : unfiltered);
        examine(without_cookies, {all, true}, all ? filtered : unfiltered);
    }
    json programs = json::array();
    for (const std::string& name : names) {
        if (no_hook.contains(name))
            programs.push_back({{"program", name}, {"no_hook", no_hook[name]}});
        else
            programs.push_back(
                {{"program", name}, {"unfiltered", unfiltered[name]}, {"filtered", filtered[name]}});
    }
    std::cout << json{{"programs", programs}}.dump(1, ' ', false, json::error_handler_t::replace) << '\n';
}
