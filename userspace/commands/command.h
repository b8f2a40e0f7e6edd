// SPDX-License-Identifier: BSD-2-Clause
// What every command gives back, and how it ends.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "failure.h"
#include "output/sink.h"

// Only what registers options needs the whole of CLI11, which takes seconds to compile.
namespace CLI {
class App;
}

namespace waitclose::commands {

/// Exit codes of the program.
enum ExitCode { kDone = 0, kCouldNot = 1, kWrongUsage = 2, kFoundHeld = 3 };

/// Instead of the program's footer, for commands that play recordings.
inline constexpr const char* kNeedsNoPrivileges =
    "It needs no privileges: whoever may read the recording may run it, on any machine.\n"
    "Exit codes: 0 done, 1 could not do it, 2 wrong usage.";

/// Each registers its subcommand; when it is the one typed, the exit code lands in `exit_code`.
void add_live(CLI::App& app, int& exit_code);
void add_snapshot(CLI::App& app, int& exit_code);
void add_watch(CLI::App& app, int& exit_code);
void add_record(CLI::App& app, int& exit_code);
void add_report(CLI::App& app, int& exit_code);
void add_export(CLI::App& app, int& exit_code);
void add_capture(CLI::App& app, int& exit_code);
void add_doctor(CLI::App& app, int& exit_code);

/// Prints a line on stderr, if there is one.
void say(const std::string& line);

/// Tells a failure on stderr: one sentence, one line what to do. Returns `code`.
int tell(const Failure& failure, ExitCode code);

/// Opens where the data goes, a file that appears whole or one that others follow; and ends it. A recording
/// is never written over, nor one of `inputs`, whatever they are.
Result<output::Sink> open_output(const std::optional<std::string>& path,
                                 std::span<const std::string> inputs = {});
Result<output::Sink> open_stream(const std::optional<std::string>& path);
Result<void> finish(output::Sink& sink);

/// Carries out a command: what could not be understood is wrong usage, what fails could not be done.
template <typename Request, typename Run>
int carry_out(const Result<Request>& request, Run run) {
    if (!request) return tell(request.error(), kWrongUsage);
    const Result<int> result = run(*request);
    return result ? *result : tell(result.error(), kCouldNot);
}

/// Creates the file that says every probe is attached.
Result<void> create_ready_file(const std::string& path);

/// Makes SIGINT, SIGTERM and SIGHUP readable from a descriptor instead of ending the process.
int open_signal_descriptor();

}  // namespace waitclose::commands
