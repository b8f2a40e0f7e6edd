// SPDX-License-Identifier: BSD-2-Clause
// What the threads of the culprit `functions` do, in functions whose names a capture has to find. Implemented
// twice: as a C program would (functions_plain.cpp), and as C++ with templates (functions_templates.cpp).
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace functions {

struct Work {
    std::string mode;           // "write-audit-log", "wait-for-quota", "call-backend", "spin-parse" and more
    std::string log;            // the file that is written
    std::uint16_t backend = 0;  // port of a service that never answers
};

/// What a handler's thread does; never returns.
void handle(const Work& work);

/// Takes the quota's lock, says so, and asks the backend how much there is; never returns.
void refill(const Work& work, const std::function<void()>& locked);

/// A worker without work.
void park();

/// The name of a function, as a symbol table's reader shows it: with its namespace and class, if it has any.
std::string shown(const std::string& name);

/// A connection to the backend, with a question in it.
int ask(std::uint16_t backend);

/// After a call that must not become a jump: its caller shall be on the stack as well.
inline void stay() {
    asm volatile("" ::: "memory");
}

}  // namespace functions
