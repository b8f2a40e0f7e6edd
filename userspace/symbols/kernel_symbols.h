// SPDX-License-Identifier: BSD-2-Clause
// The kernel's functions by address, as /proc/kallsyms lists them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/process.h"
#include "model/stack.h"
#include "system/files.h"

namespace waitclose::symbols {

/// Text symbols, sorted by address.
class SymbolTable {
public:
    /// `text` as /proc/kallsyms writes it: address, kind, name, and a module in brackets. Empty where the
    /// kernel hides addresses (they read as 0 without CAP_SYSLOG, depending on kernel.kptr_restrict).
    static SymbolTable parse(std::string_view text);

    /// The function that a return address lies in, without the suffixes of the compiler's copies
    /// (".constprop.0"); empty when none is known.
    std::string_view name_at(std::uint64_t return_address) const;

    /// Its module's name, "fuse"; empty for the kernel itself, and where the function is not known.
    std::string_view module_at(std::uint64_t return_address) const;

    bool empty() const { return symbols_.empty(); }
    std::size_t size() const { return symbols_.size(); }

private:
    struct Symbol {
        std::uint64_t address;
        std::uint32_t name;  // into names_
        std::uint16_t length;
        std::uint16_t module;  // into modules_
    };
    std::uint16_t module_of(std::string_view module);
    const Symbol* symbol_at(std::uint64_t return_address) const;

    std::vector<Symbol> symbols_;
    std::string names_;
    std::vector<std::string> modules_{""};
};

/// Names the stacks of threads. Reads the table when the first name is needed, and once.
class KernelSymbols {
public:
    /// Opens the table: who may see addresses is decided by what the opener may do (kallsyms_show_value,
    /// since 5.8), so this comes before capabilities are given up.
    KernelSymbols();

    /// Fills in `kernel_stack` of the threads whose system call alone does not tell what they wait for. Where
    /// addresses are hidden, or a function is not known, stacks stay null.
    void name_stacks(std::span<model::Thread> threads);

    /// The frames of return addresses of the kernel, in their order; those without a known name have none.
    model::Stack frames_of(std::span<const std::uint64_t> addresses);

private:
    void read();
    model::KernelStack names_of(const std::vector<std::uint64_t>& addresses) const;

    system::Descriptor file_;
    SymbolTable table_;
    bool read_ = false;
    std::map<std::vector<std::uint64_t>, model::KernelStack> named_;  // threads wait in a few ways only
};

/// Whether the kernel stack says more about the sleep than the system call does.
bool needs_stack(const model::Thread& thread);

}  // namespace waitclose::symbols
