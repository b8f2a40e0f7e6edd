// SPDX-License-Identifier: BSD-2-Clause
// The options that several commands share: what they are called, what they mean, and their checks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "kernel/probes.h"
#include "model/selection.h"
#include "output/style.h"

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
    kernel::ProbeSettings probes;
    bool json = false;
    std::optional<std::string> output;
    output::ColorChoice color = output::ColorChoice::kAuto;
    std::optional<std::string> ready_file;
};

/// Adds the options that select sockets.
void add_selection_options(CLI::App& app, Options& options);

/// Adds the options every command has.
void add_common_options(CLI::App& app, Options& options);

/// Those of them that make sense without data written anywhere.
void add_screen_options(CLI::App& app, Options& options);

/// A failure here is a wrong usage (exit code 2).
Result<Request> check(const Options& options);

/// A duration as typed, for the option of that name. Nanoseconds.
Result<std::uint64_t> check_duration(const std::string& option, const std::string& text);

}  // namespace waitclose::commands
