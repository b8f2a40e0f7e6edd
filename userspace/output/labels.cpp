// SPDX-License-Identifier: BSD-2-Clause
#include "output/labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "output/escape.h"
#include "output/format.h"

namespace waitclose::output {

std::string process_text(std::string_view comm, std::uint32_t pid, const TextStyle& style) {
    return fmt::format("{} ({})", printable(comm, style.charset), pid);
}

std::string culprit_text(const diagnose::Diagnosis& diagnosis, const TextStyle& style) {
    if (!diagnosis.culprit) return "-";
    const diagnose::Culprit& culprit = *diagnosis.culprit;
    return process_text(culprit.comm, culprit.tid.value_or(culprit.pid), style);
}

namespace {

/// What stands in for a holder where there is none.
const char* no_holder(const model::Socket& socket) {
    return socket.listener != model::kNone ? "accept queue" : "-";
}

/// "+2" for the holders after the first.
std::string further(std::size_t holders) {
    return holders > 1 ? fmt::format("+{}", holders - 1) : std::string();
}

}  // namespace

std::string holder_text(const model::Census& census, const model::Socket& socket, const TextStyle& style) {
    const auto holders = census.holders_of(socket);
    if (holders.empty()) return no_holder(socket);
    const model::Process& process = census.process_of(holders.front());
    return fmt::format("{} fd {}{}{}", process_text(process.comm, process.pid, style), holders.front().fd,
                       holders.size() > 1 ? " " : "", further(holders.size()));
}

std::string holders_text(const model::Census& census, const model::Socket& socket, const TextStyle& style) {
    constexpr std::size_t kShown = 2;
    std::vector<const model::Process*> processes;
    const bool queued = socket.holder_count == 0 && socket.listener >= 0 &&
                        static_cast<std::size_t>(socket.listener) < census.listeners.size();
    const model::Socket& held = queued ? census.listeners[static_cast<std::size_t>(socket.listener)] : socket;
    for (const model::Holder& holder : census.holders_of(held)) {
        const model::Process* process = &census.process_of(holder);
        if (std::ranges::find(processes, process) == processes.end()) processes.push_back(process);
    }
    std::string text;
    for (std::size_t i = 0; i < std::min(processes.size(), kShown); ++i)
        text += (i == 0 ? "" : ", ") + process_text(processes[i]->comm, processes[i]->pid, style);
    if (processes.size() > kShown) text += fmt::format(" and {} more", processes.size() - kShown);
    return text.empty() ? "no process" : text;
}

std::string holder_cell(const model::Census& census, const model::Socket& socket, const TextStyle& style) {
    const auto holders = census.holders_of(socket);
    if (holders.empty()) return no_holder(socket);
    const model::Process& process = census.process_of(holders.front());
    return fmt::format("{}:{}{} {}", process.pid, holders.front().fd, further(holders.size()),
                       printable(process.comm, style.charset));
}

std::string culprit_cell(const diagnose::Diagnosis& diagnosis, const TextStyle& style) {
    if (!diagnosis.culprit) return "-";
    const diagnose::Culprit& culprit = *diagnosis.culprit;
    return culprit.tid ? fmt::format("{} {}", *culprit.tid, printable(culprit.comm, style.charset)) : "-";
}

std::string connection_text(model::Role role, model::Family family, const model::Endpoint& local,
                            const model::Endpoint& remote, const TextStyle& style) {
    std::string_view sign = "-";
    if (role == model::Role::kServer) sign = back_arrow(style);
    if (role == model::Role::kClient) sign = arrow(style);
    return fmt::format("{} {} {}", endpoint_text(family, local), sign, endpoint_text(family, remote));
}

std::string held_cell(std::uint64_t held_ns, model::Precision precision, const TextStyle& style) {
    const std::string text = short_duration_text(held_ns);
    return precision == model::Precision::kAtLeast ? std::string(at_least(style)) + text : text;
}

}  // namespace waitclose::output
