// SPDX-License-Identifier: BSD-2-Clause
#include "commands/command.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include "output/escape.h"
#include "store/place.h"
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

bool is_same_file(const std::string& one, const std::string& other) {
    struct stat first {};
    struct stat second {};
    return ::stat(one.c_str(), &first) == 0 && ::stat(other.c_str(), &second) == 0 &&
           first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

/// Whether it is what SQLite keeps beside a recording.
bool belongs_to_recording(const std::string& path) {
    return std::ranges::any_of(std::array{"-wal", "-shm", "-journal"}, [&](const std::string& suffix) {
        return path.ends_with(suffix) && store::is_recording(path.substr(0, path.size() - suffix.size()));
    });
}

/// Output takes the place of what is there: never that of evidence.
Result<void> spare_recordings(const std::optional<std::string>& path, std::span<const std::string> inputs) {
    if (!path || *path == "-") return {};
    const bool is_input =
        std::ranges::any_of(inputs, [&](const std::string& input) { return is_same_file(*path, input); });
    const bool is_recording = store::is_recording(*path);
    if (!is_input && !is_recording && !belongs_to_recording(*path)) return {};
    const char* what = is_input       ? "is what is to be read"
                       : is_recording ? "is a recording of waitclose"
                                      : "belongs to a recording of waitclose";
    return tl::unexpected(
        Failure{fmt::format("'{}' {}: it is not written over", *path, what), "name another file"});
}

Result<output::Sink> opened(tl::expected<output::Sink, std::string> sink) {
    if (sink) return std::move(*sink);
    return tl::unexpected(Failure{sink.error(), "name a file in a directory that can be written to"});
}

}  // namespace

Result<output::Sink> open_output(const std::optional<std::string>& path,
                                 std::span<const std::string> inputs) {
    if (auto spared = spare_recordings(path, inputs); !spared) return tl::unexpected(spared.error());
    return opened(output::Sink::open(path));
}

Result<output::Sink> open_stream(const std::optional<std::string>& path) {
    if (auto spared = spare_recordings(path, {}); !spared) return tl::unexpected(spared.error());
    return opened(output::Sink::open_stream(path));
}

Result<void> finish(output::Sink& sink) {
    if (auto finished = sink.finish(); !finished)
        return tl::unexpected(Failure{finished.error(), "free some space or name another file with -o"});
    return {};
}

Result<void> create_ready_file(const std::string& path) {
    const auto cannot = [&](const char* why, const char* remedy) {
        return tl::unexpected(
            Failure{fmt::format("the ready file '{}' cannot be created: {}", path, why), remedy});
    };
    // What somebody wrote, a recording maybe, is not emptied for this; what is empty may be of a run before.
    const system::Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!file) return cannot(std::strerror(errno), "name a file in a directory that can be written to");
    struct stat found {};
    if (::fstat(file.get(), &found) == 0 && S_ISREG(found.st_mode) && found.st_size > 0)
        return cannot("it exists and is not empty", "name another file, or remove it");
    ::futimens(file.get(), nullptr);
    return {};
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
