// SPDX-License-Identifier: BSD-2-Clause
// Loads and attaches every BPF program by itself and prints what the kernel's verifier made of it, as JSON: the
// instructions it processed and its time, or the words with which the kernel or libbpf refused it. Settings are constants
// to the verifier, so each program is loaded twice: with none, as plain `waitclose watch` does, and with all of them.
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <nlohmann/json.hpp>

#include "bpf/records.h"
#include "waitclose.skel.h"

namespace {

using json = nlohmann::ordered_json;

constexpr std::uint32_t trace_every_instruction = 1;
constexpr std::uint32_t statistics = 4;
constexpr std::size_t log_bytes = 16 << 20;
constexpr std::size_t lines_of_trace = 40;  // an error stands at the end of a trace

std::string said;  // by libbpf

__attribute__((format(printf, 2, 0))) int collect(libbpf_print_level level, const char* format,
                                                  va_list arguments) {
    if (level == LIBBPF_DEBUG) return 0;
    std::vector<char> line(4096);
    std::vsnprintf(line.data(), line.size(), format, arguments);
    said += line.data();
    return 0;
}

struct Destroy {
    void operator()(waitclose_bpf* skeleton) const { waitclose_bpf::destroy(skeleton); }
    void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};
using Skeleton = std::unique_ptr<waitclose_bpf, Destroy>;

std::vector<std::string> last_lines(const std::string& text, std::size_t count) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    if (lines.size() > count) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(count));
    return lines;
}

json number_after(const std::string& text, const std::string& words) {
    const std::size_t found = text.rfind(words);
    if (found == std::string::npos) return nullptr;
    return std::strtoll(text.c_str() + found + words.size(), nullptr, 10);
}

// One program only; without the maps that this kernel cannot make.
Skeleton open_with(const std::string& name, bool all_settings, const std::set<std::string>& impossible_maps) {
    Skeleton skeleton(waitclose_bpf::open());
    if (!skeleton) return skeleton;
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, skeleton->obj)
        bpf_program__set_autoload(program, name == bpf_program__name(program));
    bpf_map* map = nullptr;
    bpf_object__for_each_map(map, skeleton->obj)
        if (impossible_maps.contains(bpf_map__name(map))) bpf_map__set_autocreate(map, false);
    skeleton->rodata->tracing = true;
    if (all_settings) {
        auto& filter = const_cast<wc_filter&>(skeleton->rodata->filter);
        filter.netns = 1;
        filter.ipv6 = 0;
        filter.by_local_port = filter.by_remote_port = 1;
        skeleton->rodata->all_transitions = true;
        skeleton->rodata->want_peers = true;
    }
    return skeleton;
}

// The kernel's log of one load at this level; the error number through `error`.
std::string log_of(const std::string& name, bool all_settings, std::uint32_t level,
                   const std::set<std::string>& impossible_maps, int& error, Skeleton& skeleton) {
    skeleton = open_with(name, all_settings, impossible_maps);
    if (!skeleton) {
        error = errno;
        return "";
    }
    std::string log(log_bytes, '\0');
    bpf_program* program = bpf_object__find_program_by_name(skeleton->obj, name.c_str());
    bpf_program__set_log_level(program, level);
    bpf_program__set_log_buf(program, log.data(), log.size());
    said.clear();
    error = -waitclose_bpf::load(skeleton.get());
    log.resize(std::strlen(log.c_str()));
    return log;
}

json attach(bpf_program* program) {
    said.clear();
    const std::unique_ptr<bpf_link, Destroy> link(bpf_program__attach(program));
    if (link) return {{"works", true}};
    return {{"works", false}, {"error", std::strerror(errno)}, {"libbpf", last_lines(said, 5)}};
}

json examine(const std::string& name, bool all_settings, const std::set<std::string>& impossible_maps) {
    Skeleton skeleton;
    int error = 0;
    const std::string log = log_of(name, all_settings, statistics, impossible_maps, error, skeleton);
    json program{{"program", name},
                 {"settings", all_settings ? "all" : "none"},
                 {"section", skeleton ? bpf_program__section_name(
                                            bpf_object__find_program_by_name(skeleton->obj, name.c_str()))
                                      : ""},
                 {"loads", error == 0},
                 {"instructions", number_after(log, "processed ")},
                 {"states", number_after(log, "total_states ")},
                 {"microseconds", number_after(log, "verification time ")}};
    if (error == 0) {
        program["attaches"] =
            attach(bpf_object__find_program_by_name(skeleton->obj, name.c_str()));
        return program;
    }
    program["error"] = std::strerror(error);
    program["libbpf"] = last_lines(said, 12);
    Skeleton again;
    program["verifier"] =
        last_lines(log_of(name, all_settings, trace_every_instruction, impossible_maps, error, again), lines_of_trace);
    return program;
}

// Maps are made before programs are loaded, so one that cannot be made would hide what becomes of the programs.
json find_impossible_maps(std::set<std::string>& impossible) {
    json refused = json::array();
    for (;;) {
        Skeleton skeleton = open_with("", false, impossible);
        said.clear();
        const int error = skeleton ? -waitclose_bpf::load(skeleton.get()) : errno;
        if (error == 0) return refused;
        const std::string words = "map '";
        const std::size_t begin = said.find(words);
        const std::size_t end = begin == std::string::npos ? begin : said.find('\'', begin + words.size());
        const std::string name =
            end == std::string::npos
                ? ""
                : said.substr(begin + words.size(), end - begin - words.size());
        refused.push_back({{"map", name}, {"error", std::strerror(error)}, {"libbpf", last_lines(said, 8)}});
        if (name.empty() || !impossible.insert(name).second) return refused;
    }
}

}  // namespace

int main() {
    libbpf_set_print(collect);
    std::set<std::string> impossible;
    json document{{"maps_refused", find_impossible_maps(impossible)}, {"programs", json::array()}};
    const Skeleton all(waitclose_bpf::open());
    if (!all) {
        std::cerr << "the object cannot be opened: " << said;
        return 1;
    }
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, all->obj) for (const bool all_settings : {false, true})
        document["programs"].push_back(examine(bpf_program__name(program), all_settings, impossible));
    std::cout << document.dump(1) << '\n';
}
