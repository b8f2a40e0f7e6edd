// SPDX-License-Identifier: BSD-2-Clause
#include "commands/options.h"

#include <algorithm>
#include <limits>
#include <regex>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include "commands/port_map.h"
#include "output/format.h"
#include "system/namespaces.h"
#include "system/text.h"

namespace waitclose::commands {
namespace {

/// The numbers of lists such as "80,443".
Result<std::vector<std::uint64_t>> check_numbers(const std::string& option,
                                                 const std::vector<std::string>& lists, std::uint64_t most,
                                                 const char* example) {
    std::vector<std::uint64_t> numbers;
    for (const std::string& list : lists)
        for (std::size_t begin = 0; begin <= list.size();) {
            const std::size_t end = std::min(list.find(',', begin), list.size());
            const auto number = system::to_number(std::string_view(list).substr(begin, end - begin));
            if (!number || *number < 1 || *number > most)
                return tl::unexpected(
                    Failure{fmt::format("{}: '{}' is not a list of numbers from 1 to {}", option, list, most),
                            fmt::format("give one or several, e.g. {} {}", option, example)});
            numbers.push_back(*number);
            begin = end + 1;
        }
    return numbers;
}

Result<std::set<std::uint16_t>> check_ports(const std::string& option,
                                            const std::vector<std::string>& lists) {
    const auto ports = check_numbers(option, lists, std::numeric_limits<std::uint16_t>::max(), "8080,8443");
    if (!ports) return tl::unexpected(ports.error());
    return std::set<std::uint16_t>(ports->begin(), ports->end());
}

Result<bool> set_ports(const std::string& option, const std::vector<std::string>& lists, wc_u8* map) {
    const auto ports = check_ports(option, lists);
    if (!ports) return tl::unexpected(ports.error());
    for (const std::uint16_t port : *ports) add_port(map, port);
    return !ports->empty();
}

Result<wc_filter> check_filter(const Options& options) {
    wc_filter filter{};
    filter.ipv4 = !options.ipv6 || options.ipv4;
    filter.ipv6 = !options.ipv4 || options.ipv6;
    const auto local = set_ports("--localport", options.local_ports, filter.local_ports);
    if (!local) return tl::unexpected(local.error());
    const auto remote = set_ports("--remoteport", options.remote_ports, filter.remote_ports);
    if (!remote) return tl::unexpected(remote.error());
    filter.by_local_port = *local;
    filter.by_remote_port = *remote;
    if (options.netns) {
        const auto netns = system::parse_netns(*options.netns);
        if (!netns)
            return tl::unexpected(
                Failure{fmt::format("--netns: {}", netns.error().what), netns.error().remedy});
        filter.netns = *netns;
    }
    return filter;
}

/// "--pid 4121 -4"
std::string words_of_selection(const Options& options) {
    std::vector<std::string> words;
    const auto add = [&](const char* option, const auto& values) {
        for (const std::string& value : values) words.push_back(fmt::format("{} {}", option, value));
    };
    const auto add_one = [&](const char* option, const std::optional<std::string>& value) {
        if (value) words.push_back(fmt::format("{} {}", option, *value));
    };
    add("--pid", options.pids);
    add_one("--comm", options.comm);
    add("--localport", options.local_ports);
    add("--remoteport", options.remote_ports);
    if (options.ipv4) words.emplace_back("-4");
    if (options.ipv6) words.emplace_back("-6");
    add_one("--netns", options.netns);
    add_one("--cgroup", options.cgroup);
    return fmt::format("{}", fmt::join(words, " "));
}

Result<model::Selection> check_selection(const Options& options) {
    model::Selection selection;
    const auto pids =
        check_numbers("--pid", options.pids, std::numeric_limits<std::int32_t>::max(), "4121,4188");
    if (!pids) return tl::unexpected(pids.error());
    selection.pids.assign(pids->begin(), pids->end());
    if (options.comm) {
        try {
            selection.comm = std::regex(*options.comm, std::regex::extended);
        } catch (const std::regex_error&) {
            return tl::unexpected(
                Failure{fmt::format("--comm: '{}' is not a regular expression", *options.comm),
                        "give a POSIX extended one, e.g. --comm '^java$'"});
        }
    }
    if (options.cgroup) {
        if (!options.cgroup->starts_with('/'))
            return tl::unexpected(
                Failure{fmt::format("--cgroup: '{}' is not a cgroup path", *options.cgroup),
                        "give it as /proc/PID/cgroup shows it, e.g. /system.slice/orders.service"});
        selection.cgroup = options.cgroup;
    }
    auto local = check_ports("--localport", options.local_ports);
    if (!local) return tl::unexpected(local.error());
    selection.local_ports = std::move(*local);
    selection.by_remote_port = !options.remote_ports.empty();
    const auto min_held = check_duration("--min-held", options.min_held);
    if (!min_held) return tl::unexpected(min_held.error());
    selection.min_held_ns = *min_held;
    return selection;
}

}  // namespace

void add_selection_options(CLI::App& app, Options& options) {
    const char* group = "Which sockets";
    // A list is one word: what follows it may be a file.
    app.add_option("-p,--pid", options.pids, "held by these processes")
        ->type_name("LIST")
        ->allow_extra_args(false)
        ->group(group);
    app.add_option("--comm", options.comm, "held by a process whose name matches")
        ->type_name("REGEX")
        ->group(group);
    app.add_option("-L,--localport", options.local_ports, "with these local ports")
        ->type_name("LIST")
        ->allow_extra_args(false)
        ->group(group);
    app.add_option("-D,--remoteport", options.remote_ports, "with these remote ports")
        ->type_name("LIST")
        ->allow_extra_args(false)
        ->group(group);
    app.add_flag("-4", options.ipv4, "IPv4 connections only (also those on dual-stack sockets)")
        ->group(group);
    app.add_flag("-6", options.ipv6, "IPv6 connections only")->group(group);
    app.add_option("--netns", options.netns, "in this network namespace only")
        ->type_name("INODE|PATH")
        ->group(group);
    app.add_option("--cgroup", options.cgroup, "held by a process in this cgroup or below")
        ->type_name("PATH")
        ->group(group);
    app.add_option("--min-held", options.min_held, "held at least this long")
        ->type_name("DUR")
        ->capture_default_str()
        ->group(group);
}

void add_file_option(CLI::App& app, Options& options) {
    app.add_option("-o,--output", options.output, "write to this file instead of stdout")->type_name("FILE");
}

void add_output_options(CLI::App& app, Options& options) {
    app.add_flag("--json", options.json, "machine-readable output");
    add_file_option(app, options);
    add_screen_options(app, options);
}

void add_screen_options(CLI::App& app, Options& options) {
    app.add_option("--color", options.color, "auto, always or never")
        ->capture_default_str()
        ->check(CLI::IsMember({"auto", "always", "never"}));
}

void add_common_options(CLI::App& app, Options& options) {
    add_output_options(app, options);
    add_tracing_options(app, options);
}

void add_tracing_options(CLI::App& app, Options& options) {
    app.add_option("--no-hook", options.disabled_hooks, "do without this hook (see 'waitclose doctor -v')")
        ->type_name("NAME");
    app.add_option("--ready-file", options.ready_file, "create this file once every probe is attached")
        ->type_name("PATH");
}

Result<std::uint64_t> check_duration(const std::string& option, const std::string& text) {
    const auto duration = output::parse_duration(text);
    if (duration) return static_cast<std::uint64_t>(duration->count());
    return tl::unexpected(
        Failure{fmt::format("{}: {}", option, duration.error()),
                fmt::format("give a number with its unit, e.g. {} 250ms, 10s or 5m", option)});
}

Result<std::uint64_t> check_length(const std::string& option, const std::string& text) {
    auto length = check_duration(option, text);
    if (length && *length == 0)
        return tl::unexpected(Failure{
            fmt::format("{}: nothing can be seen in no time", option),
            fmt::format("give how long, e.g. {} 10s, or leave it out to go on until SIGINT", option)});
    return length;
}

Result<std::uint64_t> check_size(const std::string& option, const std::string& text) {
    const auto bad = [&] {
        return tl::unexpected(Failure{
            fmt::format("{}: '{}' is no size", option, text),
            fmt::format("give a whole number with its unit K, M, G or T, e.g. {} 500M or 2G", option)});
    };
    const std::size_t unit_at = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto count = system::to_number(std::string_view(text).substr(0, unit_at));
    constexpr std::string_view kUnits = "KMGT";
    std::string_view unit = std::string_view(text).substr(unit_at);
    const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
    const std::size_t power = unit.empty() ? std::string_view::npos : kUnits.find(upper(unit.front()));
    if (!count || *count == 0 || power == std::string_view::npos) return bad();
    unit.remove_prefix(1);
    if (!unit.empty() && unit != "B" && unit != "iB") return bad();
    const auto shift = static_cast<unsigned>(10 * (power + 1));
    if (*count > (std::uint64_t{1} << 50) >> shift) return bad();
    return *count << shift;
}

Result<Request> check(const Options& options) {
    Request request;
    auto selection = check_selection(options);
    if (!selection) return tl::unexpected(selection.error());
    request.selection = std::move(*selection);
    request.selects = words_of_selection(options);
    const auto filter = check_filter(options);
    if (!filter) return tl::unexpected(filter.error());
    request.probes.filter = *filter;
    for (const std::string& hook : options.disabled_hooks) {
        if (!kernel::is_hook(hook))
            return tl::unexpected(Failure{fmt::format("--no-hook: there is no hook '{}'", hook),
                                          "'waitclose doctor -v' lists the hooks"});
        request.probes.disabled_hooks.insert(hook);
    }
    request.json = options.json;
    request.probes.want_peers = options.json;  // only the JSON shows them
    request.output = options.output;
    request.ready_file = options.ready_file;
    request.color = options.color == "always"  ? output::ColorChoice::kAlways
                    : options.color == "never" ? output::ColorChoice::kNever
                                               : output::ColorChoice::kAuto;
    return request;
}

}  // namespace waitclose::commands
