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

void say(const std::string& line) {
    std::fputs((line + "\n").c_str(), stderr);
}

int tell(const Failure& failure, ExitCode code) {
    say(fmt::format("waitclose: {}", output::printable(failure.what)));
    if (!failure.remedy.empty()) say("  " + output::printable(failure.remedy));
    return code;
}

namespace {

Result<output::Sink> opened(tl::expected<output::Sink, std::string> sink) {
    if (sink) return std::move(*sink);
    return tl::unexpected(Failure{sink.error(), "name a file in a directory that can be written to"});
}

}  // namespace

Result<output::Sink> open_output(const std::optional<std::string>& path) {
    return opened(output::Sink::open(path));
}

Result<output::Sink> open_stream(const std::optional<std::string>& path) {
    return opened(output::Sink::open_stream(path));
}

Result<void> finish(output::Sink& sink) {
    if (auto finished = sink.finish(); !finished)
        return tl::unexpected(Failure{finished.error(), "free some space or name another file with -o"});
    return {};
}

Result<void> create_ready_file(const std::string& path) {
    const system::Descriptor file(
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (file) return {};
    return tl::unexpected(
        Failure{fmt::format("the ready file '{}' cannot be created: {}", path, std::strerror(errno)),
                "name a file in a directory that can be written to"});
}

int open_signal_descriptor() {
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    sigaddset(&ending, SIGHUP);
    sigprocmask(SIG_BLOCK, &ending, nullptr);
    return ::signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK);
}

}  // namespace waitclose::commands
