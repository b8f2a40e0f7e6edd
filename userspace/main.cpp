// SPDX-License-Identifier: BSD-2-Clause
#include <csignal>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include "commands/command.h"
#include "version.h"

namespace {

auto is_named(std::string name) {
    return [name = std::move(name)](const CLI::App* command) { return command->get_name() == name; };
}

}  // namespace

int main(int argc, char** argv) {
    namespace commands = waitclose::commands;
    std::signal(SIGPIPE, SIG_IGN);  // a reader that goes away is noticed when writing
    CLI::App app{"Names who never closed a socket in CLOSE_WAIT, since when, and why.", "waitclose"};
    app.set_version_flag("--version", std::string("waitclose ") + waitclose::kVersion);
    app.require_subcommand(1);
    app.footer(
        "Run it as root. Without a command it is 'waitclose live' on a terminal. 'waitclose COMMAND --help' "
        "shows the options of a command.\n"
        "Exit codes: 0 done, 1 could not do it, 2 wrong usage, 3 'snapshot --fail-if-held' found a hold.");
    int exit_code = commands::kDone;
    commands::add_live(app, exit_code);
    commands::add_snapshot(app, exit_code);
    commands::add_watch(app, exit_code);
    commands::add_record(app, exit_code);
    commands::add_report(app, exit_code);
    commands::add_export(app, exit_code);
    commands::add_capture(app, exit_code);
    commands::add_doctor(app, exit_code);
    try {
        if (argc == 1 && ::isatty(STDIN_FILENO) && ::isatty(STDOUT_FILENO))
            app.parse("live");
        else
            app.parse(argc, argv);
    } catch (const CLI::Success& asked) {
        return app.exit(asked);
    } catch (const CLI::ParseError& error) {
        if (argc > 1 && argv[1][0] != '-' && app.get_subcommands(is_named(argv[1])).empty())
            return commands::tell(
                {fmt::format("there is no command '{}'", argv[1]), "see 'waitclose --help'"},
                commands::kWrongUsage);
        if (argc > 1 && argv[1][0] == '-')
            return commands::tell({fmt::format("there is no option '{}' before a command", argv[1]),
                                   fmt::format("name the command first: 'waitclose live {} ...'", argv[1])},
                                  commands::kWrongUsage);
        return commands::tell({error.what(), "see 'waitclose --help' and 'waitclose COMMAND --help'"},
                              commands::kWrongUsage);
    }
    return exit_code;
}
