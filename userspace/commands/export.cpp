// SPDX-License-Identifier: BSD-2-Clause
// waitclose export: a recording in the formats of others.
#include <memory>
#include <optional>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include "commands/command.h"
#include "commands/incident.h"
#include "commands/options.h"
#include "commands/progress_line.h"
#include "timeline/format.h"

namespace waitclose::commands {
namespace {

struct ExportOptions : Options {
    std::string file;
    std::string format;
    std::string by = "time";
};

struct ExportRequest {
    Request common;
    std::string file;
    const timeline::Format* format = nullptr;
    timeline::Weight weight = timeline::Weight::kHeldTime;
};

/// Of all, or of those of which that is true.
std::string format_names(bool timeline::Format::*such = nullptr) {
    std::vector<std::string_view> names;
    for (const timeline::Format& format : timeline::formats())
        if (!such || format.*such) names.push_back(format.name);
    return fmt::format("{}", fmt::join(names, ", "));
}

/// A terminal is no place for a trace, unless it is asked for and text.
Result<void> check_place(const ExportRequest& request) {
    const auto& output = request.common.output;
    const bool to_terminal = (!output || *output == "-") && ::isatty(STDOUT_FILENO) == 1;
    const bool is_text = request.format->name != "perfetto";
    if (!to_terminal || (output && is_text)) return {};
    return tl::unexpected(
        Failure{fmt::format("a trace in the format {} is not for a terminal", request.format->name),
                fmt::format("name a file, e.g. -o incident{}", request.format->suffix)});
}

Result<ExportRequest> check_export(const ExportOptions& options) {
    ExportRequest request;
    auto common = check(options);
    if (!common) return tl::unexpected(common.error());
    request.common = std::move(*common);
    request.file = options.file;
    request.format = timeline::find_format(options.format);
    if (request.format == nullptr)
        return tl::unexpected(Failure{fmt::format("--format: there is no format '{}'", options.format),
                                      fmt::format("it is one of {}", format_names())});
    if (options.by == "count" && !request.format->weighs)
        return tl::unexpected(Failure{
            fmt::format("--by: the format {} adds nothing up", request.format->name),
            fmt::format("leave --by out, or choose one of {}", format_names(&timeline::Format::weighs))});
    if (options.by == "count") request.weight = timeline::Weight::kCount;
    if (auto placed = check_place(request); !placed) return tl::unexpected(placed.error());
    return request;
}

Result<int> run(const ExportRequest& request) {
    auto sink = open_output(request.common.output, std::span(&request.file, 1));
    if (!sink) return tl::unexpected(sink.error());
    const auto incident = read_incident(request.file, request.common);
    if (!incident) return tl::unexpected(incident.error());
    ProgressLine progress(fmt::format("writing {}", request.format->name));
    request.format->write(
        incident->timeline,
        {request.weight, [&](std::uint64_t done, std::uint64_t total) { progress.tell(done, total); }},
        *sink);
    if (auto finished = finish(*sink); !finished) return tl::unexpected(finished.error());
    return kDone;
}

std::string formats_help() {
    std::string text = "one of:";
    for (const timeline::Format& format : timeline::formats())
        text += fmt::format("\n{}: {}", format.name, format.about);
    return text;
}

}  // namespace

void add_export(CLI::App& app, int& exit_code) {
    CLI::App* command =
        app.add_subcommand("export", "a recording for trace viewers, flame graphs, databases");
    auto options = std::make_shared<ExportOptions>();
    command->add_option("FILE", options->file, "a recording")->required();
    command->add_option("--format", options->format, formats_help())->type_name("NAME")->required();
    command->add_option("--by", options->by, "what folded and speedscope add up: held time, or holds")
        ->type_name("time|count")
        ->capture_default_str()
        ->check(CLI::IsMember({"time", "count"}));
    command->footer(kNeedsNoPrivileges);
    add_selection_options(*command, *options);
    add_file_option(*command, *options);
    command->callback([options, &exit_code] { exit_code = carry_out(check_export(*options), run); });
}

}  // namespace waitclose::commands
