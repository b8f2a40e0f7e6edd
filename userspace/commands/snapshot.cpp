// SPDX-License-Identifier: BSD-2-Clause
// waitclose snapshot: one census, diagnosed, and done.
#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <poll.h>
#include <CLI/CLI.hpp>

#include "commands/command.h"
#include "commands/explain.h"
#include "commands/named.h"
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
    std::optional<std::string> explain;
    bool says_min_held = false;
};

struct SnapshotRequest {
    Request common;
    std::uint64_t observe_ns = 0;
    std::optional<std::uint64_t> fail_if_held_ns;
    bool sockets = false;
    std::optional<ExplainRequest> explain;
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
    if (options.explain) {
        auto explain = check_explain(*options.explain);
        if (!explain) return tl::unexpected(explain.error());
        request.explain = std::move(*explain);
        request.common.probes.want_peers = true;
        // Who names a hold wants that one, however young.
        if (!options.says_min_held) request.common.selection.min_held_ns = 0;
    }
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

bool filters_addresses(const wc_filter& filter) {
    return filter.by_local_port || filter.by_remote_port || !filter.ipv4 || !filter.ipv6;
}

int exit_code_of(const SnapshotRequest& request, const model::Census& census,
                 const std::vector<std::uint32_t>& selected) {
    const bool found = request.fail_if_held_ns && std::ranges::any_of(selected, [&](std::uint32_t i) {
                           return census.held_ns(census.sockets[i]) >= *request.fail_if_held_ns;
                       });
    return found ? kFoundHeld : kDone;
}

Result<int> run(const SnapshotRequest& request) {
    if (auto named = look_for_named(request.common.selection); !named) return tl::unexpected(named.error());
    const system::Descriptor signals(request.observe_ns ? open_signal_descriptor() : -1);
    auto sink = open_output(request.common.output);
    if (!sink) return tl::unexpected(sink.error());
    Unheard unheard;
    const auto session = Session::open(request.common.probes, unheard);
    if (!session) return tl::unexpected(session.error());
    std::optional<model::EarlierLook> earlier;
    if (request.observe_ns) {
        // What is held already is then known to be older than the tracer.
        auto first = (*session)->open_window();
        if (!first) return tl::unexpected(first.error());
        earlier = diagnose::look_of(*first);
    }
    if (request.common.ready_file)
        if (auto created = create_ready_file(*request.common.ready_file); !created)
            return tl::unexpected(created.error());
    observe(**session, request.observe_ns, signals);
    auto census = (*session)->take_census();
    if (!census) return tl::unexpected(census.error());
    census->earlier = std::move(earlier);

    const auto selected = model::select(*census, request.common.selection);
    if (request.explain) {
        if (auto explained = explain(*sink, *census, selected, *request.explain, request.common); !explained)
            return tl::unexpected(explained.error());
        if (auto finished = finish(*sink); !finished) return tl::unexpected(finished.error());
        return exit_code_of(request, *census, selected);
    }
    const auto groups = diagnose::group(*census, selected);
    const auto host = system::host_facts();
    const auto probes = (*session)->probe_facts();
    const auto losses = (*session)->losses();
    const auto left_out =
        model::left_out(*census, request.common.selection, filters_addresses(request.common.probes.filter));
    write(*sink, {*census, selected, groups, host, probes, losses, {}, left_out, request.common.selection},
          request);
    if (auto finished = finish(*sink); !finished) return tl::unexpected(finished.error());
    return exit_code_of(request, *census, selected);
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
    auto* sockets = command->add_flag("--sockets", options->sockets, "list every socket instead of groups");
    command
        ->add_option(
            "--explain", options->explain,
            "one hold, or the holds of a process or local port, in full (pid:N, port:N where N is both)")
        ->type_name("ID|PID|PORT")
        ->excludes(sockets);
    command->callback([options, command, &exit_code] {
        options->says_min_held = command->count("--min-held") > 0;
        exit_code = carry_out(check_snapshot(*options), run);
    });
}

}  // namespace waitclose::commands
