// SPDX-License-Identifier: BSD-2-Clause
#include "symbols/naming.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "symbols/address_space.h"
#include "symbols/elf_files.h"
#include "symbols/ownership.h"
#include "symbols/unwinder.h"
#include "system/files.h"
#include "system/process_info.h"

namespace waitclose::symbols {
namespace {

constexpr std::size_t kMostOfMaps = 32 << 20;
/// Programs that one process executed, one after the other.
constexpr std::size_t kMostPrograms = 4;

}  // namespace

Naming::Naming(KernelSymbols& kernel, NamingSettings settings)
    : kernel_(kernel), settings_(settings), files_(std::make_unique<ElfFiles>(settings.most_open_files)) {}

Naming::~Naming() = default;

bool Naming::meet(std::uint32_t pid, std::uint64_t start_ns) {
    Spaces& spaces = spaces_[pid];
    const std::uint64_t tick_ns = 1'000'000'000U / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    // Some know the start to the tick only.
    if (!spaces.empty() && spaces.back()->start_ns() / tick_ns != start_ns / tick_ns) spaces.clear();
    const auto maps = system::read_file(fmt::format("/proc/{}/maps", pid), kMostOfMaps);
    const auto now = maps ? executable_mappings(*maps) : std::vector<Mapping>{};
    if (now.empty() || !system::is_same_process(pid, start_ns)) return false;
    if (spaces.empty() || spaces.back()->is_another_program(now)) {
        if (spaces.size() >= kMostPrograms) spaces.erase(spaces.begin());
        spaces.push_back(std::make_unique<AddressSpace>(pid, start_ns));
    }
    spaces.back()->take(now, *files_);
    spaces.back()->read_jit_map();
    return system::is_same_process(pid, start_ns);
}

AddressSpace* Naming::space_of(std::uint32_t pid, std::uint64_t pc) const {
    const auto found = spaces_.find(pid);
    if (found == spaces_.end() || found->second.empty()) return nullptr;
    const auto executes = std::ranges::find_if(found->second.rbegin(), found->second.rend(),
                                               [&](const auto& space) { return space->is_executable(pc); });
    return executes == found->second.rend() ? found->second.back().get() : executes->get();
}

model::Stack Naming::name(const model::RawStack& raw) {
    model::Stack stack = kernel_.frames_of(raw.kernel_addresses);
    AddressSpace* space = space_of(raw.pid, raw.registers ? raw.registers->pc : 0);
    if (space == nullptr) return stack;
    std::vector<PlacedFrame> placed;
    for (const std::uint64_t address : unwind(raw, *space))
        placed.push_back(space->frame_at(address, settings_.mask_addresses));
    mark_own(placed);
    for (PlacedFrame& one : placed) stack.push_back(std::move(one.frame));
    return stack;
}

}  // namespace waitclose::symbols
