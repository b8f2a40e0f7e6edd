// SPDX-License-Identifier: BSD-2-Clause
#include "commands/recorder.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "commands/told.h"
#include "diagnose/diagnoser.h"
#include "system/files.h"
#include "system/host.h"
#include "version.h"

namespace waitclose::commands {
namespace {

/// Changes when what is said of a hold does. Holds of which the same is said share it.
std::uint64_t fingerprint(const diagnose::Diagnoser::Decision& decision, bool eof_read) {
    Told told(decision.verdict, eof_read);
    for (const model::Process* process : {decision.owner, decision.verdict.who.process}) {
        told.mix(process ? process->pid : 0);
        told.mix(process ? process->start_ns : 0);
    }
    const model::Thread* thread = decision.verdict.who.thread;
    told.mix(thread ? thread->start_ns : 0);
    return told.value();
}

std::string own_arguments() {
    constexpr std::size_t kMost = 4096;
    std::string arguments = system::read_file("/proc/self/cmdline", kMost).value_or("");
    while (arguments.ends_with('\0')) arguments.pop_back();
    std::ranges::replace(arguments, '\0', ' ');
    return arguments;
}

}  // namespace

Outlook record_diagnoses(store::Writer& writer, Session& session, const model::Census& census,
                         const model::Selection& selection) {
    writer.losses(census.taken_ns, session.losses());
    diagnose::Diagnoser diagnoser(census);
    Outlook outlook;
    for (const model::Socket& socket : census.sockets) {
        const model::SocketKey key{socket.netns, socket.cookie};
        model::Hold* hold = session.ledger().find(key);
        if (!hold || census.held_ns(socket) < selection.min_held_ns) continue;
        Told::looked_at(*hold);
        if (!model::is_wanted(census, socket, selection)) continue;
        outlook.lasting = true;
        const auto decision = diagnoser.decide(socket);
        outlook.unsettled |= may_soon_settle(decision.verdict, census.held_ns(socket));
        writer.diagnosed(key, fingerprint(decision, diagnose::eof_read(census, socket)),
                         [&] { return diagnoser.diagnose(socket); });
    }
    return outlook;
}

store::About about_of(const Session& session, const Request& request) {
    const model::HostFacts host = system::host_facts();
    const model::Selection& selection = request.selection;
    const wc_filter& filter = request.probes.filter;
    store::About about;
    about.program = fmt::format("waitclose {}", kVersion);
    about.hostname = host.hostname;
    about.kernel = host.kernel;
    about.boot_id = host.boot_id;
    about.begun_ns = system::boottime_ns();
    about.wall_offset_ns = system::wall_offset_ns();
    about.probes = session.probe_facts();
    about.arguments = own_arguments();
    about.all_transitions = request.probes.all_transitions;
    about.min_held_ns = selection.min_held_ns;
    about.selects = selection.by_holder() || filter.by_local_port || filter.by_remote_port || filter.netns ||
                    !filter.ipv4 || !filter.ipv6;
    return about;
}

}  // namespace waitclose::commands
