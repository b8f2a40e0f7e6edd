// SPDX-License-Identifier: BSD-2-Clause
#include "symbols/naming.h"

#include <algorithm>
#include <optional>
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

/// Only of a thread that still sleeps where it did: what a runtime tells is of the moment it is asked.
std::optional<std::vector<PythonFrame>> python_frames_of(const PythonRuntime& runtime,
                                                         const model::RawStack& raw) {
    const auto stands_still = [&] {
        const auto standing = standing_of(raw.pid, raw.tid, raw.bytes.size());
        return standing && is_same(*standing, raw);
    };
    if (!stands_still()) return std::nullopt;
    auto script = python_frames(runtime, raw.pid, raw.tid);
    return stands_still() ? std::move(script) : std::nullopt;
}

}  // namespace

/// What one process executes, or executed before it executed another program.
struct Program {
    Program(std::uint32_t pid, std::uint64_t start_ns) : space(pid, start_ns) {}

    AddressSpace space;
    std::optional<PythonRuntime> python;
    AskedThreads java;
};

namespace {

void add_script(const Program& program, const model::RawStack& raw, std::vector<PlacedFrame>& frames) {
    if (program.python) {
        if (const auto script = python_frames_of(*program.python, raw))
            merge_python(frames, *script, program.python->module);
    }
    const auto asked = program.java.find(raw.tid);
    if (asked != program.java.end() && is_same(asked->second.standing, raw))
        merge_java(frames, asked->second.stack);
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
    program.space.read_jit_map();
    if (!program.python) program.python = find_python(program.space);
    return system::is_same_process(pid, start_ns);
}

Result<void> Naming::ask_runtime(std::uint32_t pid) {
    Program* program = program_of(pid, 0);
    if (program == nullptr || !has_java(program->space)) return {};
    auto threads = ask_java(program->space);
    if (!threads) return tl::unexpected(threads.error());
    program->java = *std::move(threads);
    program->space.read_jit_map();
    return {};
}

model::StackRef Naming::script(std::uint32_t pid, std::uint32_t tid) {
    const Program* program = program_of(pid, 0);
    if (program == nullptr || !program->python) return nullptr;
    const auto frames = python_frames(*program->python, pid, tid);
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
    for (const std::uint64_t address : unwind(raw, program->space))
        frames.push_back(program->space.frame_at(address, settings_.mask_addresses));
    mark_own(frames);
    add_script(*program, raw, frames);
    for (PlacedFrame& one : frames) stack.push_back(std::move(one.frame));
    return stack;
}

}  // namespace waitclose::symbols
