// SPDX-License-Identifier: BSD-2-Clause
// Which processes there are, as far as /proc shows them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace waitclose::system {

enum class Life {
    kProcess,
    kThread,  // the number is that of a thread, not the first of its process
    kNobody,
    kUnknown,  // the kernel (before 5.3) or a filter of system calls does not tell
};

/// What has this number in waitclose's own PID namespace. Asks the kernel, so that /proc and its options
/// (hidepid) do not matter.
Life life_of(std::uint32_t pid);

/// The process a thread belongs to; nothing when /proc does not tell.
std::optional<std::uint32_t> process_of_thread(std::uint32_t tid);

/// Whether one of the processes in /proc fulfils the condition, which is given its name and its cgroup (as
/// the JSON has it; empty when it cannot be read). True as well where /proc cannot be read.
bool any_process(const std::function<bool(const std::string& comm, const std::string& cgroup)>& condition);

}  // namespace waitclose::system
