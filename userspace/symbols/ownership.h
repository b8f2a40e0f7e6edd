// SPDX-License-Identifier: BSD-2-Clause
// Which functions of a stack are the program's own: neither a system library's, nor a runtime's, nor a
// standard library's that was compiled into it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "model/stack.h"

namespace waitclose::symbols {

/// Where a frame of a stack was found.
enum class Origin : std::uint8_t {
    kFile,           // in a program or library
    kStaticProgram,  // in a program that has its C library inside
    kJit,            // compiled at run time
    kScript,         // told by the runtime that executes it
    kKernel,
    kNowhere,  // in no file
};

struct PlacedFrame {
    model::Frame frame;
    Origin origin = Origin::kNowhere;
};

/// Whether a file is a library of the system, or a runtime's: whatever it has on a stack is not the program's
/// own. By its path alone.
bool is_system_file(std::string_view path);

/// Whether a function of a program was written by others: the standard libraries of C++, Rust and Go, and
/// what compilers and the C library add to every program.
bool is_standard_function(std::string_view function);

/// Whether a C library has this function for programs to call. Asked for programs that have one inside.
bool is_c_library_function(std::string_view function);

/// Fills in `own` of the frames (innermost first) that lie in files or nowhere; leaves the others.
void mark_own(std::span<PlacedFrame> stack);

}  // namespace waitclose::symbols
