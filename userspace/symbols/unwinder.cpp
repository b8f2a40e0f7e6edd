// SPDX-License-Identifier: BSD-2-Clause
#include "symbols/unwinder.h"

#include <cstring>

namespace waitclose::symbols {
namespace {

constexpr std::size_t kDeepest = 256;

FrameRegisters registers_of(const model::Registers& registers) {
    FrameRegisters all;
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = registers.values[i];
    all[kStackPointer] = registers.sp;
#if defined(__x86_64__)
    all[kProgramCounter] = registers.pc;
#endif
    return all;
}

StackReader reader_of(const model::RawStack& raw) {
    return
        [&bytes = raw.bytes, sp = raw.registers->sp](std::uint64_t address) -> std::optional<std::uint64_t> {
            std::uint64_t value = 0;
            if (address < sp || bytes.size() < sizeof(value) || address - sp > bytes.size() - sizeof(value))
                return std::nullopt;
            std::memcpy(&value, bytes.data() + (address - sp), sizeof(value));
            return value;
        };
}

/// A stack grows downwards: whoever called lies above.
bool is_above(const FrameRegisters& caller, const FrameRegisters& callee, bool may_be_same) {
    const auto above = caller[kStackPointer];
    const auto below = callee[kStackPointer];
    if (!above || !below) return false;
    return may_be_same ? *above >= *below : *above > *below;
}

}  // namespace

std::vector<Step> unwind(const model::RawStack& raw, AddressSpace& space) {
    std::vector<Step> steps;
    if (!raw.registers) return steps;
    const StackReader read = reader_of(raw);
    FrameRegisters registers = registers_of(*raw.registers);
    std::uint64_t pc = raw.registers->pc;
    bool is_exact = true;  // pc is the next instruction, not the one that a call returns to
    while (steps.size() < kDeepest) {
        const std::uint64_t address = is_exact ? pc : pc - 1;
        if (!space.is_executable(address)) break;
        steps.push_back({address, registers[kStackPointer].value_or(0), registers});
        const Place place = space.place_of(address);
        const UnwindRules* rules = place.address ? place.file->rules_at(*place.address) : nullptr;
        const auto caller = rules ? step(*rules, registers, read) : step_by_frame_pointer(registers, read);
        if (!caller || caller->is_outermost) break;
        // A signal's handler may have a stack of its own.
        const bool is_signal = rules != nullptr && rules->is_signal_frame;
        if (!is_signal && !is_above(caller->registers, registers, is_exact)) break;
        if (rules == nullptr && !space.is_return_address(caller->return_address)) break;
        is_exact = is_signal;
        registers = caller->registers;
        pc = caller->return_address;
    }
    return steps;
}

}  // namespace waitclose::symbols
