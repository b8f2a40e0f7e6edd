// SPDX-License-Identifier: BSD-2-Clause
// The functions of one program or library, by where they lie.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace waitclose::symbols {

class FunctionTable {
public:
    /// Takes one symbol: where its function begins, how long it is (0: not told), whether others may see it.
    /// Symbols without a name, those with an absurd one, and those for which there is no room are passed
    /// over.
    void add(std::uint64_t start, std::uint64_t size, std::string_view symbol, bool global);

    /// To be called when all are added. `complete`: all functions were, so that one whose length is not told
    /// ends where the next one begins; else it has no code that could be told to be its own.
    void finish(bool complete);

    /// The symbol of the function that has the instruction at `address`; empty when none is known to.
    std::string_view symbol_at(std::uint64_t address) const;

    std::size_t size() const { return functions_.size(); }

private:
    struct Function {
        std::uint64_t start;
        std::uint64_t end;
        std::uint32_t name;  // into names_
        std::uint16_t length;
        bool global;
    };
    std::string_view name_of(const Function& function) const {
        return std::string_view(names_).substr(function.name, function.length);
    }
    bool is_better(const Function& a, const Function& b) const;

    std::vector<Function> functions_;
    std::string names_;
};

}  // namespace waitclose::symbols
