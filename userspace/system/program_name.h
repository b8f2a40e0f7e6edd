// SPDX-License-Identifier: BSD-2-Clause
// By what name a process was started, without its arguments: they may be secrets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace waitclose::system {

/// argv[0] of the bytes of /proc/PID/cmdline. It ends at the first blank: programs that write a title over
/// their arguments (setproctitle) often copy them into it. Nothing when it is empty, as of a kernel thread.
std::optional<std::string> program_name_in(std::string_view cmdline);

/// The whole command line, one blank between two arguments, at most `most` bytes.
std::optional<std::string> command_line_in(std::string_view cmdline, std::size_t most);

/// Of a process; `with_arguments`: all of it.
std::optional<std::string> program_name(std::uint32_t pid, bool with_arguments);

}  // namespace waitclose::system
