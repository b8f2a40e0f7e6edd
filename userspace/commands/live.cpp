// SPDX-License-Identifier: BSD-2-Clause
// waitclose live: the full-screen view.
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include "commands/command.h"
#include "commands/live_looks.h"
#include "commands/live_view.h"
#include "commands/named.h"
#include "commands/options.h"
#include "commands/tracing.h"
#include "live/terminal.h"
#include "output/style.h"
#include "system/files.h"

namespace waitclose::commands {
namespace {

struct LiveOptions : Options {
    std::string interval = "1s";
};

/// A recording that is still being written ends with the view.
Result<void> end_recording(Looks& looks) {
    looks.wait();
    if (!looks.recorded().on) return {};
    looks.stop_recording();
    looks.wait();
    if (const auto& failure = looks.recorded().failure) return tl::unexpected(*failure);
    say(fmt::format("waitclose: recorded to {0}; 'waitclose report {0}' tells what happened",
                    looks.recorded().path));
    return {};
}

Result<int> run(const LiveRequest& request) {
    const output::TerminalFacts facts = output::read_terminal(STDOUT_FILENO);
    if (!facts.is_terminal || ::isatty(STDIN_FILENO) != 1)
        return tl::unexpected(
            Failure{"the live view needs a terminal to draw on and to read keys from",
                    "'waitclose watch' tells the same in lines, 'waitclose snapshot' once"});
    if (auto named = look_for_named(request.common.selection); !named) return tl::unexpected(named.error());
    const system::Descriptor signals(open_signal_descriptor());
    const auto looks = Looks::open(request.common);
    if (!looks) return tl::unexpected(looks.error());
    const auto style = output::style_for(request.common.color, facts);
    auto terminal = live::Terminal::open(style);
    if (!terminal) return tl::unexpected(terminal.error());
    LiveView view(request, **terminal, **looks, style);
    const auto ran = view.run(signals);
    terminal->reset();  // whatever is still to be written, the shell is there again
    if (const auto written = view.writing().finish()) say("waitclose: " + written->text);
    const auto recorded = end_recording(**looks);
    if (!ran) return tl::unexpected(ran.error());
    if (!recorded) return tl::unexpected(recorded.error());
    if (auto settled = settle((*looks)->session()); !settled) return tl::unexpected(settled.error());
    print_totals((*looks)->session());
    return kDone;
}

Result<LiveRequest> check_live(const LiveOptions& options) {
    constexpr std::uint64_t kShortest = 100'000'000;
    LiveRequest request;
    auto common = check(options);
    if (!common) return tl::unexpected(common.error());
    request.common = std::move(*common);
    request.common.probes.trace = true;
    request.common.probes.want_peers = true;
    const auto interval = check_duration("--interval", options.interval);
    if (!interval) return tl::unexpected(interval.error());
    if (*interval < kShortest)
        return tl::unexpected(Failure{"--interval: at least 100ms", "the view follows keys at once anyway"});
    request.interval_ns = *interval;
    return request;
}

}  // namespace

void add_live(CLI::App& app, int& exit_code) {
    CLI::App* command =
        app.add_subcommand("live", "the full-screen view: who, how many, why; look inside with Enter");
    auto options = std::make_shared<LiveOptions>();
    add_selection_options(*command, *options);
    add_screen_options(*command, *options);
    add_tracing_options(*command, *options);
    command->add_option("--interval", options->interval, "draw anew, and look again, this often")
        ->type_name("DUR")
        ->capture_default_str();
    command->callback([options, &exit_code] { exit_code = carry_out(check_live(*options), run); });
}

}  // namespace waitclose::commands
