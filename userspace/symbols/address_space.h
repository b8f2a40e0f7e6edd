// SPDX-License-Identifier: BSD-2-Clause
// What one process executes: its mappings, the files behind them, and what its runtime compiled.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/stack.h"
#include "symbols/elf_files.h"
#include "symbols/jit_map.h"
#include "symbols/memory_map.h"
#include "symbols/ownership.h"

namespace waitclose::symbols {

/// Where an instruction lies.
struct Place {
    const Mapping* mapping = nullptr;
    ElfFile* file = nullptr;                 // null: in none, or in one that could not be read
    std::optional<std::uint64_t> address{};  // in the file's own addresses
};

class AddressSpace {
public:
    AddressSpace(std::uint32_t pid, std::uint64_t start_ns) : pid_(pid), start_ns_(start_ns) {}

    std::uint32_t pid() const { return pid_; }
    std::uint64_t start_ns() const { return start_ns_; }
    /// The pid that the process has for itself, in the innermost pid namespace.
    std::uint32_t own_pid() const { return own_pid_; }
    /// As whom it runs.
    std::uint32_t uid() const { return uid_; }
    std::uint32_t gid() const { return gid_; }
    const std::shared_ptr<const system::Descriptor>& root() const { return root_; }

    /// Takes what is mapped now, and opens the files. What was mapped before stays, where nothing else is
    /// now: stacks from then are still to be named.
    void take(std::vector<Mapping> now, ElfFiles& files);

    /// Whether the process executes another program than it did when this was read.
    bool is_another_program(const std::vector<Mapping>& now) const;

    /// Reads what the runtime compiled, again.
    void read_jit_map();

    bool is_executable(std::uint64_t address) const { return mapping_at(mappings_, address) != nullptr; }
    Place place_of(std::uint64_t address);
    /// Whether a call stands right before an address, or it is in HotSpot's interpreter, whose methods return
    /// to entries that no call stands before: whatever else lies on a stack is no return address. True on
    /// machines where calls cannot be told by their bytes.
    bool is_return_address(std::uint64_t address);

    /// The function that has the instruction at an address; who owns it is not told for those in files. It
    /// never tells the address itself, which is another one in every run and would help an attacker: code
    /// that lies in no file has no offset.
    const PlacedFrame& frame_at(std::uint64_t address);

    /// The first mapping whose file's name begins so; null when there is none.
    const Mapping* mapping_named(std::string_view start) const;
    const std::vector<Mapping>& mappings() const { return mappings_; }

private:
    PlacedFrame named(std::uint64_t address);
    bool is_behind_call(std::uint64_t address);

    std::uint32_t pid_;
    std::uint64_t start_ns_;
    std::uint32_t own_pid_ = 0;
    std::uint32_t uid_ = 0;
    std::uint32_t gid_ = 0;
    std::shared_ptr<const system::Descriptor> root_ = std::make_shared<const system::Descriptor>();
    std::vector<Mapping> mappings_;                          // by address
    std::vector<std::shared_ptr<SharedFile>> files_;         // of the mappings, in their order
    std::unordered_map<std::uint64_t, PlacedFrame> frames_;  // those already named
    JitMap jit_;
};

}  // namespace waitclose::symbols
