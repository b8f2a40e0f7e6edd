// SPDX-License-Identifier: BSD-2-Clause
#include "commands/named.h"

#include <string>

#include <fmt/format.h>

#include "commands/command.h"
#include "output/escape.h"
#include "system/cgroups.h"
#include "system/roll_call.h"

namespace waitclose::commands {
namespace {

using output::printable;

/// Why nothing can be held by a process of this number; nothing where something can.
std::optional<Failure> why_not(std::uint32_t pid) {
    switch (system::life_of(pid)) {
    case system::Life::kNobody:
        return Failure{fmt::format("there is no process {}", pid),
                       "it has ended, was restarted under another pid, or lives in a PID namespace that is "
                       "not seen from here"};
    case system::Life::kThread: {
        const auto process = system::process_of_thread(pid);
        if (process && *process == pid) return std::nullopt;
        return Failure{process ? fmt::format("{} is no process but a thread of process {}", pid, *process)
                               : fmt::format("{} is no process but a thread of one", pid),
                       process ? fmt::format("name the process: -p {}", *process)
                               : "name the process: the Tgid in /proc/TID/status"};
    }
    default: return std::nullopt;
    }
}

Result<void> look_for_processes(const model::Selection& selection) {
    std::vector<Failure> missing;
    for (const std::uint64_t pid : selection.pids)
        if (auto failure = why_not(static_cast<std::uint32_t>(pid))) missing.push_back(std::move(*failure));
    if (missing.empty()) return {};
    if (missing.size() == selection.pids.size()) return tl::unexpected(missing.front());
    for (const Failure& failure : missing) say(fmt::format("waitclose: --pid: {}", failure.what));
    return {};
}

Result<void> look_for_cgroup(const std::string& cgroup) {
    const auto is_in_it = [&](const std::string&, const std::string& path) {
        return model::is_at_or_below(path, cgroup);
    };
    if (system::any_process(is_in_it)) return {};
    switch (system::look_for_cgroup(cgroup)) {
    case system::Presence::kNowhere:
        return tl::unexpected(
            Failure{fmt::format("there is no cgroup '{}' here, in any hierarchy", cgroup),
                    "give it as /proc/PID/cgroup shows it here, e.g. /system.slice/orders.service"});
    case system::Presence::kUnseen:
        say(fmt::format(
            "waitclose: no process seen from here is in cgroup '{}', and whether there is such a "
            "cgroup cannot be seen: it is not mounted here, or is outside of this cgroup namespace",
            printable(cgroup)));
        break;
    case system::Presence::kThere:
        say(fmt::format("waitclose: no process is in cgroup '{}' now", printable(cgroup)));
        break;
    }
    return {};
}

void look_for_name(const std::regex& comm) {
    const auto has_it = [&](const std::string& name, const std::string&) {
        return std::regex_search(name, comm);
    };
    if (!system::any_process(has_it))
        say("waitclose: no process has a name that --comm matches now (names are those of /proc/PID/comm, at "
            "most 15 bytes; names of threads do not count)");
}

}  // namespace

Result<void> look_for_named(const model::Selection& selection) {
    if (auto found = look_for_processes(selection); !found) return found;
    if (selection.cgroup)
        if (auto found = look_for_cgroup(*selection.cgroup); !found) return found;
    if (selection.comm) look_for_name(*selection.comm);
    return {};
}

}  // namespace waitclose::commands
