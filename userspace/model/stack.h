// SPDX-License-Identifier: BSD-2-Clause
// Call stacks: as the machine has them, and by name. Plain data.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace waitclose::model {

/// One function of a call stack.
struct Frame {
    std::string function;                 // by name, demangled; empty when only where it lies is known
    std::string module;                   // path of the file, or name of the kernel module; raw
    std::optional<std::uint64_t> offset;  // of the instruction, in the module's own addresses (ELF)
    bool kernel = false;                  // it runs in the kernel
    bool own = false;  // of the program itself: neither the kernel's, nor a system library's, nor a runtime's

    bool operator==(const Frame&) const = default;
};

/// Innermost first: those in the kernel, then those of the program.
using Stack = std::vector<Frame>;
/// Null: not read, or not readable.
using StackRef = std::shared_ptr<const Stack>;

/// The innermost frame of the program itself that has a name; null when there is none.
const Frame* own_function(const Stack& stack);

/// The registers of a thread in user mode, in the numbering that DWARF has for the architecture: on x86_64
/// rax, rdx, rcx, rbx, rsi, rdi, rbp, rsp, r8 to r15, rip; on arm64 x0 to x30, sp.
struct Registers {
#if defined(__x86_64__)
    static constexpr std::size_t kCount = 17;
#else
    static constexpr std::size_t kCount = 32;
#endif
    std::array<std::uint64_t, kCount> values{};
    std::uint64_t pc = 0;
    std::uint64_t sp = 0;

    bool operator==(const Registers&) const = default;
};

/// A thread's stack at one moment, before anything has a name.
struct RawStack {
    std::uint32_t pid = 0;
    std::uint32_t tid = 0;
    std::uint64_t start_ns = 0;                   // of the thread
    std::uint64_t at_ns = 0;                      // CLOCK_BOOTTIME
    std::vector<std::uint64_t> kernel_addresses;  // return addresses, innermost first
    std::optional<Registers> registers;           // nothing: it is not known where in the program it is
    std::vector<std::byte> bytes;                 // of its stack, from registers->sp upwards
    bool moved = false;  // the thread ran while it was read: what it tells may be of two moments
};

}  // namespace waitclose::model
