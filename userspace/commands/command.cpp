// SPDX-License-Identifier: BSD-2-Clause
#include "commands/command.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/signalfd.h>

#include "output/escape.h"
#include "system/files.h"

namespace waitclose::commands {

int tell(const Failure& failure, ExitCode code)
{
    fmt::print(stderr, "waitclose: {}\n", output::printable(failure.what));
    if (!failure.remedy.empty())
        fmt::print(stderr, "  {}\n", output::printable(failure.remedy));
    return code;
}

Result<void> create_ready_file(const std::string& path)
{
    const system::Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (file)
        return {};
    return tl::unexpected(Failure{fmt::format("the ready file '{}' cannot be created: {}", path, std::strerror(errno)),
                                  "name a file in a directory that can be written to"});
}

int open_signal_descriptor()
{
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    sigprocmask(SIG_BLOCK, &ending, nullptr);
    return ::signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK);
}

}  // namespace waitclose::commands
