// SPDX-License-Identifier: BSD-2-Clause
#include "symbols/naming.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "symbols/address_space.h"
#include "symbols/elf_files.h"
#include "symbols/java.h"
#include "symbols/ownership.h"
#include "symbols/python.h"
#include "symbols/standing.h"
#include "symbols/unwinder.h"
#include "system/files.h"
#include "system/process_info.h"

namespace waitclose::symbols {
namespace {

constexpr std::size_t kMostOfMaps = 32 << 20;
/// Programs that one process executed, one after the other.
constexpr std::size_t kMostPrograms = 4;
constexpr std::chrono::milliseconds kReadAgain{20};

}  // namespace

/// What one process executes, or executed before it executed another program.
struct Program {
    Program(std::uint32_t pid, std::uint64_t start_ns) : space(pid, start_ns) {}

    AddressSpace space;
    std::optional<PythonRuntime> python;
    PythonCode python_code;
    std::unordered_map<std::uint32_t, std::chrono::steady_clock::time_point> python_read;  // by tid
    bool is_java = false;
    std::optional<AskedJvm> jvm;  // nothing: not asked
};

namespace {

/// Reads what a thread executes, unless it was just read.
std::optional<std::vector<PythonFrame>> read_python(Program& program, std::uint32_t tid) {
    const auto now = std::chrono::steady_clock::now();
    const auto [last, is_first] = program.python_read.try_emplace(tid, now);
    if (!is_first && now - last->second < kReadAgain) return std::nullopt;
    last->second = now;
    auto script = python_frames(*program.python, program.space.pid(), tid);
    if (script) program.python_code.add(*script);
    return script;
}

/// What a runtime tells is of the moment it is asked: all of it counts only for a thread that still sleeps
/// where it did.
void add_python(Program& program, const model::RawStack& raw, const std::vector<Step>& steps,
                std::vector<PlacedFrame>& frames) {
    const auto stands_still = [&] {
        const auto standing = standing_of(raw.pid, raw.tid, raw.bytes.size());
        return standing && is_same(*standing, raw);
    };
    if (stands_still()) {
        program.python_read.erase(raw.tid);
        const auto script = read_python(program, raw.tid);
        if (script && stands_still()) return merge_python(frames, *script, program.python->module);
    } else {
        read_python(program, raw.tid);
    }
    merge_known_python(frames, steps, raw, program.python_code);
}

}  // namespace

Naming::Naming(KernelSymbols& kernel, NamingSettings settings)
    : kernel_(kernel), settings_(settings), files_(std::make_unique<ElfFiles>(settings.most_open_files)) {}

Naming::~Naming() = default;

bool Naming::meet(std::uint32_t pid, std::uint64_t start_ns) {
    const std::uint64_t tick_ns = 1'000'000'000U / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    const auto maps = system::read_file(fmt::format("/proc/{}/maps", pid), kMostOfMaps);
    auto now = maps ? executable_mappings(*maps) : std::vector<Mapping>{};
    if (now.empty() || !system::is_same_process(pid, start_ns)) return false;
    Programs& programs = programs_[pid];
    // Some know the start to the tick only.
    if (!programs.empty() && programs.back()->space.start_ns() / tick_ns != start_ns / tick_ns)
        programs.clear();
    if (programs.empty() || programs.back()->space.is_another_program(now)) {
        if (programs.size() >= kMostPrograms) programs.erase(programs.begin());
        programs.push_back(std::make_unique<Program>(pid, start_ns));
    }
    Program& program = *programs.back();
    program.space.take(std::move(now), *files_);
    program.is_java = has_java(program.space);
    // A JVM's map is of the moment it was asked for it, and where code was, other code may be since.
    if (!program.is_java) program.space.read_jit_map();
    if (!program.python) program.python = find_python(program.space);
    return system::is_same_process(pid, start_ns);
}

Result<void> Naming::ask_runtime(std::uint32_t pid) {
    Program* program = program_of(pid, 0);
    if (program == nullptr || !program->is_java) return {};
    auto asked = ask_java(program->space);
    if (!asked) return tl::unexpected(asked.error());
    program->jvm = *std::move(asked);
    if (program->jvm->has_map) program->space.read_jit_map();
    return {};
}

bool Naming::must_be_asked(std::uint32_t pid) const {
    const Program* program = program_of(pid, 0);
    return program != nullptr && program->is_java && !program->jvm;
}

model::StackRef Naming::script(std::uint32_t pid, std::uint32_t tid) {
    Program* program = program_of(pid, 0);
    if (program == nullptr || !program->python) return nullptr;
    program->python_read.erase(tid);
    const auto frames = read_python(*program, tid);
    if (!frames) return nullptr;
    model::Stack stack;
    for (const PythonFrame& frame : *frames) stack.push_back(placed(frame).frame);
    return std::make_shared<const model::Stack>(std::move(stack));
}

Program* Naming::program_of(std::uint32_t pid, std::uint64_t pc) const {
    const auto found = programs_.find(pid);
    if (found == programs_.end() || found->second.empty()) return nullptr;
    const auto executes = [&](const auto& program) { return program->space.is_executable(pc); };
    const auto one = std::find_if(found->second.rbegin(), found->second.rend(), executes);
    return one == found->second.rend() ? found->second.back().get() : one->get();
}

model::Stack Naming::name(const model::RawStack& raw) {
    model::Stack stack = kernel_.frames_of(raw.kernel_addresses);
    Program* program = program_of(raw.pid, raw.registers ? raw.registers->pc : 0);
    if (program == nullptr) return stack;
    std::vector<PlacedFrame> frames;
    const std::vector<Step> steps = unwind(raw, program->space);
    for (const Step& step : steps) frames.push_back(program->space.frame_at(step.address));
    mark_own(frames);
    if (program->python) add_python(*program, raw, steps, frames);
    if (program->jvm) {
        const auto asked = program->jvm->threads.find(raw.tid);
        if (asked != program->jvm->threads.end()) merge_java(frames, steps, raw, asked->second);
    }
    for (PlacedFrame& one : frames) stack.push_back(std::move(one.frame));
    return stack;
}

}  // namespace waitclose::symbols
