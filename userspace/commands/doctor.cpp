// SPDX-License-Identifier: BSD-2-Clause
// waitclose doctor: what this kernel and these privileges allow, by attaching.
#include <memory>

#include <CLI/CLI.hpp>

#include "commands/command.h"
#include "commands/examine.h"
#include "commands/options.h"
#include "model/limits.h"
#include "output/doctor_json.h"
#include "output/doctor_text.h"
#include "output/sink.h"

namespace waitclose::commands {
namespace {

struct DoctorOptions : Options {
    bool verbose = false;
};

struct DoctorRequest {
    Request common;
    output::Detail detail = output::Detail::kBrief;
};

Result<DoctorRequest> check_doctor(const DoctorOptions& options) {
    auto common = check(options);
    if (!common) return tl::unexpected(common.error());
    return DoctorRequest{std::move(*common), options.verbose ? output::Detail::kAll : output::Detail::kBrief};
}

Result<int> run(const DoctorRequest& request) {
    auto sink = open_output(request.common.output);
    if (!sink) return tl::unexpected(sink.error());
    const model::Findings findings = examine(request.common.probes);
    if (request.common.json)
        sink->write(output::doctor_json(findings));
    else
        output::write_doctor_text(
            *sink, findings, request.detail,
            output::style_for(request.common.color, output::read_terminal(sink->descriptor())));
    if (auto finished = finish(*sink); !finished) return tl::unexpected(finished.error());
    return model::verdict_of(findings) == model::Verdict::kUnusable ? kCouldNot : kDone;
}

}  // namespace

void add_doctor(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("doctor", "what this kernel and these privileges allow");
    auto options = std::make_shared<DoctorOptions>();
    add_common_options(*command, *options);
    command->add_flag("-v,--verbose", options->verbose,
                      "every hook there is, and what each capability is for (--json always has them)");
    command->callback([options, &exit_code] { exit_code = carry_out(check_doctor(*options), run); });
}

}  // namespace waitclose::commands
