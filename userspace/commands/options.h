// SPDX-License-Identifier: BSD-2-Clause
// The options that several commands share: what they are called, what they mean, and their checks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernel/probes.h"
#include "model/selection.h"
#include "output/style.h"

namespace CLI {
class App;
}

namespace waitclose::commands {

/// As typed; empty where not given.
struct Options {
    std::vector<std::string> pids;
    std::optional<std::string> comm;
    std::vector<std::string> local_ports;
    std::vector<std::string> remote_ports;
    bool ipv4 = false;
    bool ipv6 = false;
    std::optional<std::string> netns;
    std::optional<std::string> cgroup;
    std::string min_held = "250ms";
    bool json = false;
    std::optional<std::string> output;
    std::string color = "auto";
    std::vector<std::string> disabled_hooks;
    std::optional<std::string> ready_file;
};

/// What the options mean, checked.
struct Request {
    model::Selection selection;
    std::string selects;  // the options that select sockets otherwise than by age, as typed
    kernel::ProbeSettings probes;
    bool json = false;
    std::optional<std::string> output;
    output::ColorChoice color = output::ColorChoice::kAuto;
    std::optional<std::string> ready_file;
};

/// Adds the options that select sockets.
void add_selection_options(CLI::App& app, Options& options);

/// Adds where the output goes; and with it, how it looks.
void add_file_option(CLI::App& app, Options& options);
void add_output_options(CLI::App& app, Options& options);

/// Adds the options of all commands that look into the kernel.
void add_tracing_options(CLI::App& app, Options& options);

/// Adds the options of those whose output is text or JSON as well.
void add_common_options(CLI::App& app, Options& options);

/// Those of them that make sense without data written anywhere.
void add_screen_options(CLI::App& app, Options& options);

/// A failure here is a wrong usage (exit code 2).
Result<Request> check(const Options& options);

/// A duration as typed, for the option of that name. Nanoseconds.
Result<std::uint64_t> check_duration(const std::string& option, const std::string& text);

/// The same for how long to work: not zero.
Result<std::uint64_t> check_length(const std::string& option, const std::string& text);

/// A size as typed, e.g. 500M or 1GiB (powers of 1024), for the option of that name. Bytes.
Result<std::uint64_t> check_size(const std::string& option, const std::string& text);

}  // namespace waitclose::commands
