// SPDX-License-Identifier: BSD-2-Clause
#include "symbols/java.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system/directory.h"
#include "system/program_output.h"
#include "system/text.h"

namespace waitclose::symbols {
namespace {

constexpr std::size_t kMostThreads = 16384;
constexpr std::size_t kDeepest = 256;
constexpr std::size_t kLongestName = 1024;
constexpr int kTries = 3;
constexpr std::size_t kStandingBytes = 16384;

std::optional<std::uint32_t> native_id(std::string_view line) {
    const auto at = line.rfind(" nid=");
    if (at == std::string_view::npos) return std::nullopt;
    line.remove_prefix(at + 5);
    const bool is_hex = line.starts_with("0x");
    if (is_hex) line.remove_prefix(2);
    std::uint32_t id = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), id, is_hex ? 16 : 10);
    return error == std::errc() && id != 0 ? std::optional(id) : std::nullopt;
}

/// "	at com.example.Handler.write(app//Handler.java:12)"
std::optional<model::Frame> method_in(std::string_view line) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (!line.starts_with("at ")) return std::nullopt;
    line = line.substr(3, kLongestName);
    const auto open = line.find('(');
    if (open == 0 || open == std::string_view::npos) return std::nullopt;
    model::Frame frame;
    frame.function = line.substr(0, open);
    std::string_view source = line.substr(open + 1);
    source = source.substr(0, source.find(')'));
    source = source.substr(source.rfind('/') + 1);
    source = source.substr(0, source.find(':'));
    if (source.ends_with(".java") || source.ends_with(".kt") || source.ends_with(".scala"))
        frame.module = source;
    frame.own = !is_jdk_method(frame.function);
    return frame;
}

/// The jcmd of the JDK that the process executes, when it sees the same files as this program; else any: it
/// finds a JVM in a container by its pid out here (since JDK 10).
std::optional<std::string> find_jcmd(const AddressSpace& space) {
    constexpr std::string_view kLibrary = "/lib/server/libjvm.so";
    const Mapping* library = space.mapping_named("libjvm.so");
    const auto usable = [](const std::string& path) { return ::access(path.c_str(), X_OK) == 0; };
    struct stat here {};
    struct stat there {};
    const bool is_same_root = ::stat("/", &here) == 0 && ::fstat(space.root()->get(), &there) == 0 &&
                              here.st_dev == there.st_dev && here.st_ino == there.st_ino;
    if (library != nullptr && is_same_root && library->path.ends_with(kLibrary)) {
        const std::string beside =
            library->path.substr(0, library->path.size() - kLibrary.size()) + "/bin/jcmd";
        if (usable(beside)) return beside;
    }
    for (const char* directory : {"/usr/local/bin", "/usr/bin", "/bin"})
        if (std::string path = fmt::format("{}/jcmd", directory); usable(path)) return path;
    return std::nullopt;
}

using Standings = std::map<std::uint32_t, Standing>;  // by tid

Standings standings_of(std::uint32_t pid) {
    Standings standings;
    const system::Directory threads = system::open_directory(fmt::format("/proc/{}/task", pid));
    while (const dirent* entry = threads ? ::readdir(threads.get()) : nullptr) {
        const auto tid = system::to_number(entry->d_name);
        if (!tid || standings.size() >= kMostThreads) continue;
        const auto id = static_cast<std::uint32_t>(*tid);
        // One that runs may soon sleep again.
        for (int i = 0; i < kTries && !standings.contains(id); ++i)
            if (auto standing = standing_of(pid, id, kStandingBytes))
                standings.emplace(id, *std::move(standing));
    }
    return standings;
}

}  // namespace

std::map<std::uint32_t, JavaStack> java_stacks_in(std::string_view text) {
    std::map<std::uint32_t, JavaStack> stacks;
    JavaStack* current = nullptr;
    while (!text.empty()) {
        const std::string_view line = system::take_line(text);
        if (line.starts_with('"')) {
            const auto id = stacks.size() < kMostThreads ? native_id(line) : std::nullopt;
            current = id ? &stacks[*id] : nullptr;
            if (current != nullptr) current->clear();
        } else if (line.empty()) {
            current = nullptr;
        } else if (current != nullptr && current->size() < kDeepest) {
            if (auto frame = method_in(line)) current->push_back(*std::move(frame));
        }
    }
    return stacks;
}

bool has_java(const AddressSpace& space) {
    return space.mapping_named("libjvm.so") != nullptr;
}

Result<AskedJvm> ask_java(const AddressSpace& space) {
    const auto jcmd = find_jcmd(space);
    if (!jcmd)
        return tl::unexpected(Failure{fmt::format("there is no jcmd to ask the JVM {} with", space.pid()),
                                      "install a JDK of the JVM's release or a later one"});
    system::ProgramRun run;
    run.uid = space.uid();
    run.gid = space.gid();
    run.command = {*jcmd, std::to_string(space.pid()), "Compiler.perfmap"};
    AskedJvm asked;
    // Before JDK 17 there is none; the stacks of the threads are the better half.
    asked.has_map = system::output_of(run).has_value();
    const Standings before = standings_of(space.pid());
    run.command.back() = "Thread.print";
    const auto text = system::output_of(run);
    if (!text) return tl::unexpected(text.error());
    Standings after = standings_of(space.pid());
    auto stacks = java_stacks_in(*text);
    for (auto& [tid, standing] : after) {
        const auto then = before.find(tid);
        const auto own_tid = own_tid_of(space.pid(), tid);
        const auto stack = own_tid ? stacks.find(*own_tid) : stacks.end();
        if (stack == stacks.end() || stack->second.empty()) continue;
        if (then != before.end())
            asked.threads.emplace(tid,
                                  AskedThread{then->second, std::move(standing), std::move(stack->second)});
    }
    return asked;
}

void merge_java(std::vector<PlacedFrame>& stack, const std::vector<Step>& steps, const model::RawStack& raw,
                const AskedThread& asked) {
    const auto boundary = std::ranges::find_if(stack, [](const PlacedFrame& placed) {
        return placed.origin == Origin::kJit || placed.origin == Origin::kNowhere;
    });
    if (boundary == stack.end()) return;
    const auto first = static_cast<std::size_t>(boundary - stack.begin());
    std::uint64_t from = steps[first].sp;
#if defined(__x86_64__)
    if (first > 0) from -= sizeof(std::uint64_t);  // where in the innermost method it is
#endif
    // With all its frames known, nothing above them counts: a thread that ran has written there.
    const Origin last = stack.back().origin;
    const bool is_whole = last == Origin::kFile || last == Origin::kStaticProgram;
    const std::uint64_t to = is_whole ? steps.back().sp : UINT64_MAX;
    if (!is_same_within(asked.before, raw, from, to) || !is_same_within(asked.after, raw, from, to)) return;
    stack.erase(boundary, stack.end());
    for (const model::Frame& method : asked.stack) stack.push_back({method, Origin::kScript});
}

}  // namespace waitclose::symbols
