// SPDX-License-Identifier: BSD-2-Clause
// Where a thread sleeps at this moment, to tell whether it still sleeps where its stack was read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "model/stack.h"

namespace waitclose::symbols {

struct Standing {
    std::uint64_t sp = 0;
    std::uint64_t pc = 0;
    std::vector<std::byte>
        bytes;  // of its stack, from sp upwards; as many as there are, up to what was asked

    bool operator==(const Standing&) const = default;
};

/// Of a thread that sleeps; nothing for one that runs, has ended, or may not be read (PTRACE_MODE_ATTACH).
std::optional<Standing> standing_of(std::uint32_t pid, std::uint32_t tid, std::size_t most_bytes);

/// The stack and program counter in the text of /proc/PID/task/TID/syscall; nothing when it runs.
std::optional<Standing> standing_in(std::string_view syscall);

/// Whether a stack is the one that a thread stands with: the same place, the same bytes as far as both were
/// read, but for what the C library keeps of the thread above its frames. False when one of them has no
/// bytes.
bool is_same(const Standing& standing, const model::RawStack& raw);

/// Whether what lies on a stack between two addresses is the same as what a thread stands with, as far as
/// both were read, but for what the C library keeps of the thread: its frames there are the same, whatever it
/// did further in. False when little or nothing can be compared.
bool is_same_within(const Standing& standing, const model::RawStack& raw, std::uint64_t from,
                    std::uint64_t to);

/// The id that a thread has for itself, in its innermost pid namespace; nothing when it has ended.
std::optional<std::uint32_t> own_tid_of(std::uint32_t pid, std::uint32_t tid);

}  // namespace waitclose::symbols
