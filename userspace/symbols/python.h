// SPDX-License-Identifier: BSD-2-Clause
// The functions that a CPython interpreter executes: 3.11, 3.12 and 3.13, whose layouts are known; read from
// the memory of the process while it goes on. None of what stands there is believed unchecked.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/stack.h"
#include "symbols/address_space.h"
#include "symbols/unwinder.h"

namespace waitclose::symbols {

struct PythonFrame {
    std::string function;  // its qualified name, UTF-8
    std::string file;
    bool is_entry = false;         // called by C code: the interpreter's loop was entered anew
    std::uint64_t code_begin = 0;  // where its instructions lie
    std::uint64_t code_end = 0;

    bool operator==(const PythonFrame&) const = default;
};

/// Where an interpreter has its state; found once for a process.
struct PythonRuntime {
    std::uint64_t state = 0;      // of _PyRuntime
    std::uint64_t code_type = 0;  // of PyCode_Type
    std::uint32_t version = 0;    // major and minor, 0x030b
    std::string module;           // the file that has the interpreter's loop
};

/// Nothing when the process has no interpreter of a known version.
std::optional<PythonRuntime> find_python(AddressSpace& space);

/// What a thread executes, innermost first; nothing when it executes no Python, or did something else before
/// all was read.
std::optional<std::vector<PythonFrame>> python_frames(const PythonRuntime& runtime, std::uint32_t pid,
                                                      std::uint32_t tid);

/// Puts the functions in place of the interpreter's loop, and drops the interpreter's other frames around
/// them: what they do is to call each other.
void merge_python(std::vector<PlacedFrame>& stack, const std::vector<PythonFrame>& script,
                  const std::string& interpreter);

/// The functions that a process was seen to execute, by where their instructions lie.
class PythonCode {
public:
    void add(const std::vector<PythonFrame>& script);

    /// The function that a frame of the interpreter's loop executes: a register points to its next
    /// instruction, or, in builds where none ever does, a word that the frame has on the stack. Null when
    /// none does to one that is known, or several do to different ones.
    const PythonFrame* executed_by(const FrameRegisters& loop, std::span<const std::uint64_t> words);

private:
    template <typename Values>
    const PythonFrame* pointed_to(const Values& values) const;

    std::map<std::uint64_t, PythonFrame> functions_;  // by where they begin
    bool is_in_register_ = false;                     // the next instruction, in this build
};

/// Puts in place of each frame of the interpreter's loop the function that it is known to execute, without
/// those that called it within the loop. For stacks of a moment that is gone.
void merge_known_python(std::vector<PlacedFrame>& stack, const std::vector<Step>& steps,
                        const model::RawStack& raw, PythonCode& code);

PlacedFrame placed(const PythonFrame& frame);

/// A text of Python as it stands in memory: characters of 1 (Latin-1), 2 or 4 bytes. Nothing when malformed.
std::optional<std::string> utf8_of(std::string_view characters, unsigned width);

}  // namespace waitclose::symbols
