// SPDX-License-Identifier: BSD-2-Clause
// waitclose report: what happened in a recording, or what changed between two.
#include <memory>
#include <optional>
#include <vector>

#include <CLI/CLI.hpp>

#include "commands/command.h"
#include "commands/incident.h"
#include "commands/options.h"
#include "commands/progress_line.h"
#include "report/comparison.h"
#include "report/json.h"
#include "report/page.h"
#include "report/text.h"
#include "timeline/html_report.h"

namespace waitclose::commands {
namespace {

struct ReportOptions : Options {
    std::string file;
    std::optional<std::string> second;
    std::optional<std::string> html;
};

struct ReportRequest {
    Request common;
    std::vector<std::string> files;  // one or two
    std::optional<std::string> html;
};

Result<ReportRequest> check_report(const ReportOptions& options) {
    auto common = check(options);
    if (!common) return tl::unexpected(common.error());
    if (options.html && options.second)
        return tl::unexpected(Failure{"--html tells of one recording, not of two",
                                      "give one file, or leave --html out to compare them as text"});
    std::vector<std::string> files{options.file};
    if (options.second) files.push_back(*options.second);
    return ReportRequest{std::move(*common), std::move(files), options.html};
}

void write(output::Sink& sink, const replay::Incident& incident, const Request& request) {
    if (request.json) return report::write_json(sink, incident);
    report::write_text(sink, incident,
                       output::style_for(request.color, output::read_terminal(sink.descriptor())));
}

void compare(output::Sink& sink, const report::Recording& before, const report::Recording& after,
             const Request& request) {
    if (request.json) return report::write_comparison_json(sink, before, after);
    report::write_comparison_text(sink, before, after,
                                  output::style_for(request.color, output::read_terminal(sink.descriptor())));
}

/// The page instead of text: it has everything that the text says.
Result<int> write_page(const ReportRequest& request) {
    auto sink = open_output(request.html, request.files);
    if (!sink) return tl::unexpected(sink.error());
    const auto incident = read_incident(request.files.front(), request.common);
    if (!incident) return tl::unexpected(incident.error());
    ProgressLine progress("writing the page");
    const timeline::Options options{
        timeline::Weight::kHeldTime,
        [&](std::uint64_t done, std::uint64_t total) { progress.tell(done, total); }};
    timeline::write_html(incident->timeline, report::page_words(*incident), options, *sink);
    if (auto finished = finish(*sink); !finished) return tl::unexpected(finished.error());
    return kDone;
}

Result<int> run(const ReportRequest& request) {
    if (request.html) return write_page(request);
    auto sink = open_output(request.common.output, request.files);
    if (!sink) return tl::unexpected(sink.error());
    const auto incident = read_incident(request.files.front(), request.common);
    if (!incident) return tl::unexpected(incident.error());
    if (request.files.size() == 1) {
        write(*sink, *incident, request.common);
    } else {
        const auto after = read_incident(request.files.back(), request.common);
        if (!after) return tl::unexpected(after.error());
        compare(*sink, {request.files.front(), *incident}, {request.files.back(), *after}, request.common);
    }
    if (auto finished = finish(*sink); !finished) return tl::unexpected(finished.error());
    return kDone;
}

}  // namespace

void add_report(CLI::App& app, int& exit_code) {
    CLI::App* command =
        app.add_subcommand("report", "what happened in a recording; of two: what changed between them");
    auto options = std::make_shared<ReportOptions>();
    command->add_option("FILE", options->file, "a recording")->required();
    command->add_option("SECOND", options->second, "a later one, to be compared with it");
    auto* html =
        command
            ->add_option("--html", options->html, "write a page that explains itself, to open in a browser")
            ->type_name("FILE");
    add_selection_options(*command, *options);
    add_output_options(*command, *options);
    command->footer(kNeedsNoPrivileges);
    for (const char* other : {"--json", "--output"}) html->excludes(command->get_option(other));
    command->callback([options, &exit_code] { exit_code = carry_out(check_report(*options), run); });
}

}  // namespace waitclose::commands
