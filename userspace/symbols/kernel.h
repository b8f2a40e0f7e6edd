// SPDX-License-Identifier: BSD-2-Clause
// Names of kernel functions by address, from /proc/kallsyms.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace waitclose::symbols {

class KernelSymbols {
public:
    /// `path`: /proc/kallsyms, or a file in its format. Without CAP_SYSLOG the kernel may show only zeros;
    /// then no address has a name.
    explicit KernelSymbols(const std::string& path);

    /// The function an address lies in, without a compiler's suffix (".isra.0"); "" when there is none.
    std::string name_of(std::uint64_t address) const;

private:
    struct Function {
        std::uint64_t address;
        std::uint32_t name;  // offset into names_
    };
    std::vector<Function> functions_;  // sorted by address
    std::string names_;                // each ends with a NUL
};

}  // namespace waitclose::symbols
