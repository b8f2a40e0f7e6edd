// SPDX-License-Identifier: BSD-2-Clause
#include "symbols/kernel_symbols.h"

#include <algorithm>
#include <charconv>

#include <fcntl.h>
#include <sys/syscall.h>

#include "model/syscalls.h"

namespace waitclose::symbols {
namespace {

constexpr std::size_t kTableLimit = 64 << 20;
/// Farther from the symbol before it an address lies in code that has no name.
constexpr std::uint64_t kLongestFunction = 1 << 20;
constexpr std::size_t kLongestName = 128;
/// More ways to wait than this are not remembered: stacks that differ all the time have no end.
constexpr std::size_t kRemembered = 4096;

bool is_text(char kind) {
    return kind == 't' || kind == 'T' || kind == 'w' || kind == 'W';
}

struct Line {
    std::uint64_t address = 0;
    char kind = 0;
    std::string_view name;
    std::string_view module;
};

/// "ffffffff81000000 T _stext" with a tab and the module's name behind it; kind 0 when it is none.
Line line_of(std::string_view text) {
    Line line;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), line.address, 16);
    const auto at = static_cast<std::size_t>(end - text.data());
    if (error != std::errc() || text.size() < at + 4) return {};
    line.kind = text[at + 1];
    line.name = text.substr(at + 3);
    if (const auto bracket = line.name.find("\t["); bracket != std::string_view::npos) {
        const std::string_view module = line.name.substr(bracket + 2);
        line.module = module.substr(0, std::min(module.find(']'), kLongestName));
    }
    line.name = line.name.substr(0, std::min(line.name.find_first_of("\t ."), kLongestName));
    return line.name.empty() ? Line{} : line;
}

bool is_one_of_many_waits(const model::Thread& thread) {
    const auto is = [&](auto... numbers) {
        return ((*thread.syscall == static_cast<std::uint32_t>(numbers)) || ...);
    };
    return model::waits_for_work(*thread.syscall) ||
           is(SYS_futex, SYS_nanosleep, SYS_clock_nanosleep, SYS_wait4, SYS_waitid);
}

}  // namespace

SymbolTable SymbolTable::parse(std::string_view text) {
    SymbolTable table;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const Line line = line_of(text.substr(at, end - at));
        at = end + 1;
        if (!is_text(line.kind) || line.address == 0) continue;
        table.symbols_.push_back({line.address, static_cast<std::uint32_t>(table.names_.size()),
                                  static_cast<std::uint16_t>(line.name.size()),
                                  table.module_of(line.module)});
        table.names_ += line.name;
    }
    // Of several names for one place, the first in the list stays the first.
    std::stable_sort(table.symbols_.begin(), table.symbols_.end(),
                     [](const Symbol& a, const Symbol& b) { return a.address < b.address; });
    return table;
}

/// A module's symbols stand together.
std::uint16_t SymbolTable::module_of(std::string_view module) {
    if (module.empty()) return 0;
    if (modules_.back() != module && modules_.size() < UINT16_MAX) modules_.emplace_back(module);
    return static_cast<std::uint16_t>(modules_.size() - 1);
}

const SymbolTable::Symbol* SymbolTable::symbol_at(std::uint64_t return_address) const {
    // A call at the very end of a function returns to the next one's first byte.
    const std::uint64_t inside = return_address - 1;
    auto found = std::ranges::upper_bound(symbols_, inside, {}, &Symbol::address);
    if (return_address == 0 || found == symbols_.begin()) return nullptr;
    --found;
    if (inside - found->address > kLongestFunction) return nullptr;
    return &*std::ranges::lower_bound(symbols_.begin(), found, found->address, {}, &Symbol::address);
}

std::string_view SymbolTable::name_at(std::uint64_t return_address) const {
    const Symbol* symbol = symbol_at(return_address);
    return symbol ? std::string_view(names_).substr(symbol->name, symbol->length) : std::string_view{};
}

std::string_view SymbolTable::module_at(std::uint64_t return_address) const {
    const Symbol* symbol = symbol_at(return_address);
    return symbol ? std::string_view(modules_[symbol->module]) : std::string_view{};
}

KernelSymbols::KernelSymbols() : file_(::open("/proc/kallsyms", O_RDONLY | O_CLOEXEC)) {}

void KernelSymbols::read() {
    if (!std::exchange(read_, true))
        table_ = SymbolTable::parse(system::read_all(file_, kTableLimit).value_or(""));
}

void KernelSymbols::name_stacks(std::span<model::Thread> threads) {
    for (model::Thread& thread : threads) {
        if (thread.kernel_addresses.empty() || !needs_stack(thread)) continue;
        read();
        if (table_.empty()) return;
        if (named_.size() > kRemembered) named_.clear();
        const auto [known, is_new] = named_.try_emplace(thread.kernel_addresses);
        if (is_new) known->second = names_of(thread.kernel_addresses);
        thread.kernel_stack = known->second;
    }
}

model::Stack KernelSymbols::frames_of(std::span<const std::uint64_t> addresses) {
    if (!addresses.empty()) read();
    model::Stack frames;
    for (const std::uint64_t address : addresses)
        frames.push_back({.function = std::string(table_.name_at(address)),
                          .module = std::string(table_.module_at(address)),
                          .offset = {},
                          .kernel = true,
                          .own = false});
    return frames;
}

model::KernelStack KernelSymbols::names_of(const std::vector<std::uint64_t>& addresses) const {
    auto names = std::make_shared<std::vector<std::string>>();
    for (const std::uint64_t address : addresses) names->emplace_back(table_.name_at(address));
    return names;
}

bool needs_stack(const model::Thread& thread) {
    if (thread.state == model::RunState::kDiskSleep) return true;
    if (thread.state != model::RunState::kSleeping) return false;
    return !thread.syscall || !is_one_of_many_waits(thread);
}

}  // namespace waitclose::symbols
