// SPDX-License-Identifier: BSD-2-Clause
// The functions that a runtime compiled, as it tells them in /tmp/perf-PID.map: a line each, of where it
// begins, how long it is (both hexadecimal), and what it is called.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "model/stack.h"

namespace waitclose::symbols {

class JitMap {
public:
    /// Lines that are none are passed over. Code is compiled where other code was before: what is told later
    /// counts.
    static JitMap parse(std::string_view text);

    /// What the runtime called the code at an address; empty when it told nothing of it.
    std::string_view name_at(std::uint64_t address) const;

    bool empty() const { return functions_.empty(); }
    std::size_t size() const { return functions_.size(); }

private:
    struct Function {
        std::uint64_t end;
        std::uint32_t name;  // into names_
        std::uint16_t length;
    };
    std::map<std::uint64_t, Function> functions_;  // by where they begin; none overlaps another
    std::string names_;
};

/// A function, its file, and whether it is the program's own, from what a runtime called it:
/// "JS:*spin_parse file:///srv/app.js:1:2" (V8), "py::spin_parse:/srv/app.py" (Python), "void
/// com.shop.Parser.spin(int)" (HotSpot); of others, the name as it is.
model::Frame jit_frame(std::string_view name);

/// Whether a method is of the JDK itself, "java.net.Socket.read" or "int java.net.Socket.read(byte[])".
bool is_jdk_method(std::string_view method);

/// Whether a Python function is of the standard library, or of a package that is installed, by its file.
bool is_python_library(std::string_view file);

}  // namespace waitclose::symbols
