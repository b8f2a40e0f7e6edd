// SPDX-License-Identifier: BSD-2-Clause
// The names that compilers make of a function's name, turned back.
#pragma once

#include <string>
#include <string_view>

namespace waitclose::symbols {

/// The name in the source: of C++ (Itanium ABI) and Rust (legacy and v0) symbols the qualified name without
/// parameters; of others the symbol without its version and what compilers add to copies (".isra.0").
/// Symbols that are malformed, or whose name would be longer than 1024 bytes, stay as they are, cut there.
/// Any bytes but NUL may be in either.
std::string demangled(std::string_view symbol);

}  // namespace waitclose::symbols
