// SPDX-License-Identifier: BSD-2-Clause
// waitclose capture: the bounded deep look, as a directory of evidence.
#include "commands/capture.h"

#include <charconv>
#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "commands/command.h"
#include "commands/named.h"
#include "commands/second_signal.h"
#include "model/target.h"
#include "output/escape.h"
#include "output/format.h"
#include "output/json.h"
#include "system/text.h"

namespace waitclose::commands {
namespace {

struct CaptureOptions : Options {
    std::string duration = "5s";
    std::vector<std::string> ports;
    std::optional<std::string> hold;
    std::string max_threads = "4096";
    std::string max_size = "1G";
    std::string max_overhead = "3%";
    bool force = false;
    bool redact = false;
    bool arguments = false;
    bool ask_runtime = false;
    bool says_min_held = false;
};

Result<std::uint64_t> check_capture_length(const std::string& text) {
    constexpr std::uint64_t kShortest = 100'000'000;
    constexpr std::uint64_t kLongest = 600'000'000'000;
    const auto length = check_duration("--duration", text);
    if (!length) return length;
    if (*length < kShortest || *length > kLongest)
        return tl::unexpected(Failure{fmt::format("--duration: a capture cannot last {}", text),
                                      "give from 100ms to 10m, e.g. --duration 5s"});
    return length;
}

Result<model::SocketKey> check_hold(const std::string& text) {
    const auto target = model::parse_target(text);
    if (target && target->kind == model::Target::Kind::kSocket)
        return model::SocketKey{target->netns, target->cookie};
    constexpr std::size_t kMostShown = 60;
    return tl::unexpected(
        Failure{fmt::format("--hold: '{}' is not the id of a hold", text.substr(0, kMostShown)),
                "give one of the JSON, e.g. 4026531840:73012; 'waitclose snapshot --json' lists them"});
}

Result<std::uint32_t> check_max_threads(const std::string& text) {
    constexpr std::uint64_t kMost = 100'000;
    const auto number = system::to_number(text);
    if (number && *number >= 1 && *number <= kMost) return static_cast<std::uint32_t>(*number);
    return tl::unexpected(
        Failure{fmt::format("--max-threads: '{}' is not a number from 1 to {}", text, kMost),
                "give how many threads may be followed, e.g. --max-threads 4096"});
}

/// "3%" or "0.5": of one core, as a share.
Result<double> check_max_overhead(const std::string& text) {
    const auto bad = [&] {
        return tl::unexpected(
            Failure{fmt::format("--max-overhead: '{}' is not a share of one core from 0.1% to 100%", text),
                    "give it in percent, e.g. --max-overhead 3%"});
    };
    std::string_view number = text;
    if (number.ends_with('%')) number.remove_suffix(1);
    double percent = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), percent);
    if (error != std::errc{} || end != number.data() + number.size()) return bad();
    if (!(percent >= 0.1 && percent <= 100)) return bad();
    return percent / 100;
}

Result<void> check_output_name(const std::string& name) {
    if (name.empty())
        return tl::unexpected(
            Failure{"-o: the name of the directory is empty", "name one, e.g. -o incident"});
    if (name == "-")
        return tl::unexpected(Failure{"-o: a bundle is a directory, and cannot go to stdout",
                                      "name a directory, e.g. -o incident"});
    return {};
}

Result<void> check_bounds(const CaptureOptions& options, CaptureRequest& request) {
    constexpr std::uint64_t kLeastBytes = 4 << 20;
    const auto threads = check_max_threads(options.max_threads);
    if (!threads) return tl::unexpected(threads.error());
    request.max_threads = *threads;
    const auto size = check_size("--max-size", options.max_size);
    if (!size) return tl::unexpected(size.error());
    if (*size < kLeastBytes)
        return tl::unexpected(Failure{fmt::format("--max-size: '{}' is too small", options.max_size),
                                      "give at least 4M, e.g. --max-size 500M"});
    request.max_bytes = *size;
    const auto overhead = check_max_overhead(options.max_overhead);
    if (!overhead) return tl::unexpected(overhead.error());
    request.max_overhead = *overhead;
    return {};
}

Result<CaptureRequest> check_capture(CaptureOptions options) {
    for (const std::string& port : options.ports) options.local_ports.push_back(port);
    if (options.hold && !options.says_min_held) options.min_held = "0";  // that one, however young
    auto common = check(options);
    if (!common) return tl::unexpected(common.error());
    CaptureRequest request;
    request.common = std::move(*common);
    kernel::ProbeSettings& probes = request.common.probes;
    probes.trace = probes.windowed = probes.captures = probes.opening_stacks = probes.want_peers = true;
    if (auto named = check_output_name(options.output.value_or("")); !named)
        return tl::unexpected(named.error());
    const auto length = check_capture_length(options.duration);
    if (!length) return tl::unexpected(length.error());
    request.duration_ns = *length;
    if (options.hold) {
        const auto hold = check_hold(*options.hold);
        if (!hold) return tl::unexpected(hold.error());
        request.common.selection.hold = *hold;
        request.hold = options.hold;
    }
    if (auto bounds = check_bounds(options, request); !bounds) return tl::unexpected(bounds.error());
    request.force = options.force;
    request.redact = options.redact;
    request.arguments = options.arguments;
    request.ask_runtime = options.ask_runtime;
    return request;
}

void print(const bundle::Manifest& manifest, const std::string& directory, bool json) {
    auto sink = output::Sink::to_descriptor(STDOUT_FILENO, "stdout");
    if (json) {
        sink.write(output::dump(bundle::manifest_json(manifest)) + "\n");
        return;
    }
    for (const std::string& line : manifest.headline) sink.write(line + "\n");
    sink.write(
        fmt::format("\nwritten to {}: report.txt first; {} followed for {}\n", output::printable(directory),
                    manifest.threads == 1 ? "1 thread was" : fmt::format("{} threads were", manifest.threads),
                    output::duration_text(manifest.to_ns - manifest.from_ns)));
}

Result<int> run(const CaptureRequest& request) {
    if (auto named = look_for_named(request.common.selection); !named) return tl::unexpected(named.error());
    const system::Descriptor signals(open_signal_descriptor());
    auto place = bundle::Place::create(*request.common.output, request.force);
    if (!place) return tl::unexpected(place.error());
    bundle::Redaction redaction;
    bundle::Redaction* masks = request.redact ? &redaction : nullptr;
    auto captured = capture_into(*place, request, masks, signals);
    if (!captured) return tl::unexpected(captured.error());
    const SecondSignal second(signals, captured->manifest.ended == "asked",
                              [&, directory = place->directory()] { bundle::abandon(directory); });
    if (auto written = write_bundle(*place, request, masks, *captured); !written)
        return tl::unexpected(written.error());
    if (auto committed = place->commit(); !committed) return tl::unexpected(committed.error());
    print(captured->manifest, *request.common.output, request.common.json);
    return kDone;
}

void add_capture_options(CLI::App& command, CaptureOptions& options) {
    command.add_option("-o,--output", options.output, "the directory to make")->type_name("DIR")->required();
    command.add_flag("--force", options.force, "replace a bundle that is there");
    command.add_option("--duration", options.duration, "follow threads for so long, 100ms to 10m")
        ->type_name("DUR")
        ->capture_default_str();
    command.add_option("--hold", options.hold, "this hold only, and whom it waits for")->type_name("ID");
    command.add_option("--max-threads", options.max_threads, "follow no more threads than so many")
        ->type_name("N")
        ->capture_default_str();
    command.add_option("--max-size", options.max_size, "of the whole bundle (at least 4M)")
        ->type_name("SIZE")
        ->capture_default_str();
    command
        .add_option("--max-overhead", options.max_overhead, "of one core; what it sheds to keep it is said")
        ->type_name("PCT%")
        ->capture_default_str();
    command.add_flag("--redact", options.redact, "replace all addresses, the same always by the same");
    command.add_flag("--arguments", options.arguments,
                     "keep whole command lines; they may hold secrets (default: argv[0] only)");
    command.add_flag("--ask-runtime", options.ask_runtime,
                     "have a JVM tell its threads' stacks and name what it compiled (jcmd): work for the "
                     "program, and /tmp/perf-PID.map stays behind in its /tmp");
    command.add_flag("--json", options.json, "print the manifest instead of the headline");
}

}  // namespace

void add_capture(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand(
        "capture", "the deep look for a few seconds: what every thread did, as a directory of evidence");
    auto options = std::make_shared<CaptureOptions>();
    add_selection_options(*command, *options);
    command->add_option("--port", options->ports, "the same as --localport")
        ->type_name("LIST")
        ->allow_extra_args(false)
        ->group("Which sockets");
    add_capture_options(*command, *options);
    add_tracing_options(*command, *options);
    const CLI::Option* min_held = command->get_option("--min-held");
    command->callback([options, min_held, &exit_code] {
        options->says_min_held = min_held->count() > 0;
        exit_code = carry_out(check_capture(*options), run);
    });
}

}  // namespace waitclose::commands
