// SPDX-License-Identifier: BSD-2-Clause
#include "symbols/function_table.h"

#include <algorithm>
#include <tuple>

namespace waitclose::symbols {
namespace {

constexpr std::size_t kLongestSymbol = 4096;
constexpr std::size_t kMostFunctions = 4 << 20;
constexpr std::size_t kMostNames = 256 << 20;
/// Where lengths are not told, code farther behind a symbol than this is not taken for its function's.
constexpr std::uint64_t kLongestUntold = 4096;
/// Functions overlap at most in a few parts that have symbols of their own.
constexpr int kMostNested = 8;

std::size_t underscores(std::string_view name) {
    return std::min(name.find_first_not_of('_'), name.size());
}

}  // namespace

void FunctionTable::add(std::uint64_t start, std::uint64_t size, std::string_view symbol, bool global) {
    // A dollar begins what assemblers mark places with.
    if (symbol.empty() || symbol.size() > kLongestSymbol || symbol.front() == '$') return;
    if (functions_.size() >= kMostFunctions || names_.size() + symbol.size() > kMostNames) return;
    if (size > std::numeric_limits<std::uint64_t>::max() - start) return;
    functions_.push_back({start, start + size, static_cast<std::uint32_t>(names_.size()),
                          static_cast<std::uint16_t>(symbol.size()), global});
    names_ += symbol;
}

/// Of several names for one place: the one that programs call it by.
bool FunctionTable::is_better(const Function& a, const Function& b) const {
    const auto rank = [this](const Function& function) {
        const std::string_view name = name_of(function);
        return std::tuple(function.end == function.start, underscores(name), !function.global, name.size(),
                          name);
    };
    return rank(a) < rank(b);
}

void FunctionTable::finish(bool complete) {
    std::ranges::sort(functions_, [this](const Function& a, const Function& b) {
        return a.start != b.start ? a.start < b.start : is_better(a, b);
    });
    const auto same = std::ranges::unique(functions_, {}, &Function::start);
    functions_.erase(same.begin(), same.end());
    for (std::size_t i = 0; complete && i < functions_.size(); ++i) {
        Function& function = functions_[i];
        if (function.end != function.start) continue;
        const std::uint64_t next = i + 1 < functions_.size() ? functions_[i + 1].start : UINT64_MAX;
        function.end = std::min(next, function.start + std::min(kLongestUntold, UINT64_MAX - function.start));
    }
}

std::string_view FunctionTable::symbol_at(std::uint64_t address) const {
    auto found = std::ranges::upper_bound(functions_, address, {}, &Function::start);
    for (int i = 0; i < kMostNested && found != functions_.begin(); ++i) {
        --found;
        if (address < found->end) return name_of(*found);
    }
    return {};
}

}  // namespace waitclose::symbols
