// SPDX-License-Identifier: BSD-2-Clause
#include "symbols/unwind_rules.h"

#include <cstdlib>
#include <memory>

#include <dwarf.h>

namespace waitclose::symbols {
namespace {

constexpr std::size_t kDeepest = 64;
constexpr std::size_t kMostOperations = 256;
/// What may stand above an address in a register of arm64 that signs its return addresses.
constexpr std::uint64_t kAddressBits = (1ULL << 48) - 1;

/// The stack machine of DWARF expressions.
class Machine {
public:
    Machine(const FrameRegisters& registers, std::optional<std::uint64_t> canonical_address,
            const StackReader& read)
        : registers_(registers), canonical_address_(canonical_address), read_(read) {}

    bool execute(const Dwarf_Op& op) {
        if (op.atom >= DW_OP_lit0 && op.atom <= DW_OP_lit31) return push(op.atom - DW_OP_lit0);
        if (op.atom >= DW_OP_breg0 && op.atom <= DW_OP_breg31)
            return push_register(op.atom - DW_OP_breg0, op.number);
        if (op.atom >= DW_OP_const1u && op.atom <= DW_OP_consts) return push(op.number);
        switch (op.atom) {
        case DW_OP_nop: return true;
        case DW_OP_bregx: return push_register(op.number, op.number2);
        case DW_OP_call_frame_cfa: return canonical_address_ && push(*canonical_address_);
        case DW_OP_dup: return !stack_.empty() && push(stack_.back());
        case DW_OP_drop: return pop().has_value();
        case DW_OP_plus_uconst: return push(op.number) && binary(DW_OP_plus);
        case DW_OP_deref: return dereference();
        default: return binary(op.atom);
        }
    }

    std::optional<std::uint64_t> pop() {
        if (stack_.empty()) return std::nullopt;
        const std::uint64_t value = stack_.back();
        stack_.pop_back();
        return value;
    }

private:
    bool push(std::uint64_t value) {
        if (stack_.size() >= kDeepest) return false;
        stack_.push_back(value);
        return true;
    }

    bool push_register(std::uint64_t number, std::uint64_t offset) {
        return number < registers_.size() && registers_[number] && push(*registers_[number] + offset);
    }

    bool dereference() {
        const auto address = pop();
        const auto value = address ? read_(*address) : std::nullopt;
        return value && push(*value);
    }

    bool binary(std::uint8_t atom) {
        const auto second = pop();
        const auto first = pop();
        if (!second || !first) return false;
        const auto a = *first;
        const auto b = *second;
        const auto as = static_cast<std::int64_t>(a);
        const auto bs = static_cast<std::int64_t>(b);
        switch (atom) {
        case DW_OP_plus: return push(a + b);
        case DW_OP_minus: return push(a - b);
        case DW_OP_mul: return push(a * b);
        case DW_OP_and: return push(a & b);
        case DW_OP_or: return push(a | b);
        case DW_OP_xor: return push(a ^ b);
        case DW_OP_shl: return push(b < 64 ? a << b : 0);
        case DW_OP_shr: return push(b < 64 ? a >> b : 0);
        case DW_OP_eq: return push(a == b);
        case DW_OP_ne: return push(a != b);
        case DW_OP_ge: return push(as >= bs);
        case DW_OP_gt: return push(as > bs);
        case DW_OP_le: return push(as <= bs);
        case DW_OP_lt: return push(as < bs);
        default: return false;
        }
    }

    const FrameRegisters& registers_;
    std::optional<std::uint64_t> canonical_address_;
    const StackReader& read_;
    std::vector<std::uint64_t> stack_;
};

/// The value of a caller's register that an expression says the place of.
std::optional<std::uint64_t> value_of(const Expression& expression, const FrameRegisters& registers,
                                      std::uint64_t canonical_address, const StackReader& read) {
    const Dwarf_Op& last = expression.back();
    if (expression.size() == 1 && last.atom == DW_OP_regx)
        return last.number < registers.size() ? registers[last.number] : std::nullopt;
    if (expression.size() == 1 && last.atom >= DW_OP_reg0 && last.atom <= DW_OP_reg31) {
        const std::size_t number = last.atom - DW_OP_reg0;
        return number < registers.size() ? registers[number] : std::nullopt;
    }
    const auto result = evaluate(expression, registers, canonical_address, read);
    return result && last.atom != DW_OP_stack_value ? read(*result) : result;
}

bool take(UnwindRules& rules, Dwarf_Frame* frame, unsigned number) {
    std::array<Dwarf_Op, 3> memory;
    Dwarf_Op* ops = nullptr;
    std::size_t count = 0;
    if (dwarf_frame_register(frame, static_cast<int>(number), memory.data(), &ops, &count) != 0) return false;
    UnwindRules::Rule& rule = rules.registers[number];
    if (count > kMostOperations) return false;
    if (count != 0)
        rule = {UnwindRules::Kind::kExpression, Expression(ops, ops + count)};
    else if (ops == memory.data())
        rule.kind = UnwindRules::Kind::kUndefined;
    return true;
}

}  // namespace

std::optional<std::uint64_t> evaluate(std::span<const Dwarf_Op> expression, const FrameRegisters& registers,
                                      std::optional<std::uint64_t> canonical_address,
                                      const StackReader& read) {
    if (!expression.empty() && expression.back().atom == DW_OP_stack_value)
        expression = expression.first(expression.size() - 1);
    Machine machine(registers, canonical_address, read);
    for (const Dwarf_Op& op : expression)
        if (!machine.execute(op)) return std::nullopt;
    return machine.pop();
}

std::optional<UnwindRules> UnwindRules::from(Dwarf_Frame* frame) {
    UnwindRules rules;
    const int return_register = dwarf_frame_info(frame, nullptr, nullptr, &rules.is_signal_frame);
    if (return_register < 0 || static_cast<unsigned>(return_register) >= rules.registers.size())
        return std::nullopt;
    rules.return_register = static_cast<unsigned>(return_register);
    Dwarf_Op* ops = nullptr;
    std::size_t count = 0;
    if (dwarf_frame_cfa(frame, &ops, &count) != 0 || count == 0 || count > kMostOperations)
        return std::nullopt;
    rules.canonical_address.assign(ops, ops + count);
    for (unsigned number = 0; number < rules.registers.size(); ++number)
        if (!take(rules, frame, number)) return std::nullopt;
    return rules;
}

std::optional<Caller> step(const UnwindRules& rules, const FrameRegisters& registers,
                           const StackReader& read) {
    const auto canonical_address = evaluate(rules.canonical_address, registers, std::nullopt, read);
    if (!canonical_address) return std::nullopt;
    Caller caller;
    for (std::size_t i = 0; i < registers.size(); ++i) {
        const UnwindRules::Rule& rule = rules.registers[i];
        if (rule.kind == UnwindRules::Kind::kSame)
            caller.registers[i] = registers[i];
        else if (rule.kind == UnwindRules::Kind::kExpression)
            caller.registers[i] = value_of(rule.expression, registers, *canonical_address, read);
    }
    // That is what the canonical address is, unless the rules say otherwise, as those of a signal's frame.
    if (rules.registers[kStackPointer].kind != UnwindRules::Kind::kExpression)
        caller.registers[kStackPointer] = canonical_address;
    if (rules.registers[rules.return_register].kind == UnwindRules::Kind::kUndefined) {
        caller.is_outermost = true;
        return caller;
    }
    if (!caller.registers[rules.return_register]) return std::nullopt;
    caller.return_address = *caller.registers[rules.return_register] & kAddressBits;
    caller.is_outermost = caller.return_address == 0;
    return caller;
}

std::optional<Caller> step_by_frame_pointer(const FrameRegisters& registers, const StackReader& read) {
    const auto frame = registers[kFramePointer];
    if (!frame || *frame % 8 != 0 || *frame > UINT64_MAX - 16) return std::nullopt;
    const auto before = read(*frame);
    const auto back = read(*frame + 8);
    if (!before || !back) return std::nullopt;
    Caller caller;
    caller.registers[kFramePointer] = before;
    caller.registers[kStackPointer] = *frame + 16;
    caller.return_address = *back & kAddressBits;
    caller.is_outermost = caller.return_address == 0;
    return caller;
}

}  // namespace waitclose::symbols
