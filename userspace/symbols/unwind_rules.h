// SPDX-License-Identifier: BSD-2-Clause
// How to get from one frame of a stack to its caller's, as the call frame information of an instruction says
// (DWARF 5, 6.4), and doing so.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include <elfutils/libdw.h>

#include "model/stack.h"

namespace waitclose::symbols {

/// The registers of one frame, in DWARF's numbering; nothing where they are not known.
using FrameRegisters = std::array<std::optional<std::uint64_t>, model::Registers::kCount>;

/// Reads 8 bytes of the stack; nothing where they were not read.
using StackReader = std::function<std::optional<std::uint64_t>(std::uint64_t address)>;

/// The numbers of registers.
#if defined(__x86_64__)
inline constexpr unsigned kFramePointer = 6;
inline constexpr unsigned kStackPointer = 7;
inline constexpr unsigned kProgramCounter = 16;
#else
inline constexpr unsigned kFramePointer = 29;
inline constexpr unsigned kStackPointer = 31;
#endif

/// What computes an address or a value. Operations that compilers do not use in call frames are not known.
using Expression = std::vector<Dwarf_Op>;

/// Evaluates an expression whose last operation may say that it gives a value, not a place in memory.
/// Nothing when it is malformed, uses what is not known, or has no end.
std::optional<std::uint64_t> evaluate(std::span<const Dwarf_Op> expression, const FrameRegisters& registers,
                                      std::optional<std::uint64_t> canonical_address,
                                      const StackReader& read);

struct UnwindRules {
    enum class Kind : std::uint8_t { kSame, kUndefined, kExpression };
    struct Rule {
        Kind kind = Kind::kSame;
        Expression expression;
    };
    Expression canonical_address;
    std::array<Rule, model::Registers::kCount> registers;
    unsigned return_register = 0;
    bool is_signal_frame = false;

    /// Takes what libdw found for an instruction; nothing when that is of no use.
    static std::optional<UnwindRules> from(Dwarf_Frame* frame);
};

struct Caller {
    FrameRegisters registers;  // of the caller, when the call returns
    std::uint64_t return_address = 0;
    bool is_outermost = false;  // nobody called
};

/// One step outwards; nothing when what the rules need is not known.
std::optional<Caller> step(const UnwindRules& rules, const FrameRegisters& registers,
                           const StackReader& read);

/// The same by frame pointers: where code has no call frame information, as that of JIT compilers.
std::optional<Caller> step_by_frame_pointer(const FrameRegisters& registers, const StackReader& read);

}  // namespace waitclose::symbols
