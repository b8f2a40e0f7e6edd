// SPDX-License-Identifier: BSD-2-Clause
// waitclose snapshot: one census, diagnosed, and done.
#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <poll.h>

#include "commands/command.h"
#include "commands/options.h"
#include "commands/session.h"
#include "diagnose/group.h"
#include "output/sink.h"
#include "output/snapshot_json.h"
#include "output/snapshot_text.h"
#include "system/files.h"
#include "system/host.h"

namespace waitclose::commands {
namespace {

struct SnapshotOptions : Options {
    std::string observe = "0";
    std::optional<std::string> fail_if_held;
    bool sockets = false;
};

struct SnapshotRequest {
    Request common;
    std::uint64_t observe_ns = 0;
    std::optional<std::uint64_t> fail_if_held_ns;
    bool sockets = false;
};

/// A snapshot shows states, not events.
class Unheard : public HoldListener {
    void entered(const model::Hold&) override {}
    void closed(const model::Closed&) override {}
    void transition(const model::Transition&) override {}
};

/// Traces for a while, draining often enough that the ring buffer never fills. A signal ends it early.
void observe(Session& session, std::uint64_t duration_ns, const system::Descriptor& signals) {
    constexpr std::uint64_t kRoundMs = 50;
    const std::uint64_t until = system::boottime_ns() + duration_ns;
    for (std::uint64_t now = system::boottime_ns(); now < until; now = system::boottime_ns()) {
        const std::uint64_t left_ms = (until - now) / 1'000'000 + 1;
        pollfd ended{signals.get(), POLLIN, 0};
        if (::poll(&ended, 1, static_cast<int>(std::min(left_ms, kRoundMs))) > 0) return;
        session.drain();
    }
}

Result<SnapshotRequest> check_snapshot(const SnapshotOptions& options) {
    SnapshotRequest request;
    auto common = check(options);
    if (!common) return tl::unexpected(common.error());
    request.common = std::move(*common);
    const auto observed = check_duration("--observe", options.observe);
    if (!observed) return tl::unexpected(observed.error());
    request.observe_ns = *observed;
    request.common.probes.trace = request.common.probes.windowed = *observed > 0;
    if (options.fail_if_held) {
        const auto limit = check_duration("--fail-if-held", *options.fail_if_held);
        if (!limit) return tl::unexpected(limit.error());
        request.fail_if_held_ns = *limit;
    }
    request.sockets = options.sockets;
    return request;
}

void write(output::Sink& sink, const output::SnapshotView& view, const SnapshotRequest& request) {
    if (request.common.json) return output::write_snapshot_json(sink, view);
    const auto style = output::style_for(request.common.color, output::read_terminal(sink.descriptor()));
    if (request.sockets)
        output::write_socket_table(sink, view, style);
    else
        output::write_snapshot_text(sink, view, style);
}

Result<int> run(const SnapshotRequest& request) {
    const system::Descriptor signals(request.observe_ns ? open_signal_descriptor() : -1);
    auto sink = open_output(request.common.output);
    if (!sink) return tl::unexpected(sink.error());
    Unheard unheard;
    const auto session = Session::open(request.common.probes, unheard);
    if (!session) return tl::unexpected(session.error());
    if (request.observe_ns) {
        // What is held already is then known to be older than the tracer.
        if (auto first = (*session)->open_window(); !first) return tl::unexpected(first.error());
    }
    if (request.common.ready_file)
        if (auto created = create_ready_file(*request.common.ready_file); !created)
            return tl::unexpected(created.error());
    observe(**session, request.observe_ns, signals);
    const auto census = (*session)->take_census();
    if (!census) return tl::unexpected(census.error());

    const auto selected = model::select(*census, request.common.selection);
    const auto groups = diagnose::group(*census, selected);
    const auto host = system::host_facts();
    const auto probes = (*session)->probe_facts();
    const auto losses = (*session)->losses();
    write(*sink, {*census, selected, groups, host, probes, losses}, request);
    if (auto finished = finish(*sink); !finished) return tl::unexpected(finished.error());
    const bool found =
        request.fail_if_held_ns && std::any_of(selected.begin(), selected.end(), [&](std::uint32_t i) {
            return census->held_ns(census->sockets[i]) >= *request.fail_if_held_ns;
        });
    return found ? kFoundHeld : kDone;
}

}  // namespace

void add_snapshot(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("snapshot", "one census, diagnosed, and done");
    auto options = std::make_shared<SnapshotOptions>();
    add_selection_options(*command, *options);
    add_common_options(*command, *options);
    command
        ->add_option("--observe", options->observe,
                     "trace this long first: names more threads, and tells who computes or waits meanwhile")
        ->type_name("DUR")
        ->capture_default_str();
    command
        ->add_option("--fail-if-held", options->fail_if_held, "exit 3 when a hold shown is at least this old")
        ->type_name("DUR");
    command->add_flag("--sockets", options->sockets, "list every socket instead of groups");
    command->callback([options, &exit_code] { exit_code = carry_out(check_snapshot(*options), run); });
}

}  // namespace waitclose::commands
