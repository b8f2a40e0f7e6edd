// SPDX-License-Identifier: BSD-2-Clause
#include "system/tracer.h"

#include <fmt/format.h>

#include "system/files.h"
#include "system/text.h"

namespace waitclose::system {
namespace {

constexpr std::size_t kMostOfStatus = 16384;

std::optional<model::Tracer> tracer_of(const model::Process& process, const model::Thread& thread) {
    const auto tracer = read_file(fmt::format("/proc/{}/status", thread.tracer_tid), kMostOfStatus);
    const auto pid = tracer ? to_number(status_value(*tracer, "Tgid:")) : std::nullopt;
    if (!pid || *pid == 0) return std::nullopt;
    const auto comm = read_line(fmt::format("/proc/{}/comm", *pid));
    // Asked last: the above then was about the thread that traces this one.
    const auto traced =
        read_file(fmt::format("/proc/{}/task/{}/status", process.pid, thread.tid), kMostOfStatus);
    if (!traced || to_number(status_value(*traced, "TracerPid:")) != thread.tracer_tid) return std::nullopt;
    return model::Tracer{static_cast<std::uint32_t>(*pid), comm.value_or("")};
}

}  // namespace

std::string_view status_value(std::string_view status, std::string_view name) {
    while (!status.empty()) {
        std::string_view line = take_line(status);
        if (!line.starts_with(name)) continue;
        line.remove_prefix(name.size());
        line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
        return line;
    }
    return {};
}

void describe_tracers(const model::Process& process, std::span<model::Thread> threads) {
    for (model::Thread& thread : threads)
        if (thread.tracer_tid) thread.tracer = tracer_of(process, thread);
}

}  // namespace waitclose::system
