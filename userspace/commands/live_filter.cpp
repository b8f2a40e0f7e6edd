// SPDX-License-Identifier: BSD-2-Clause
#include "commands/live_filter.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <sstream>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "commands/port_map.h"

namespace waitclose::commands {
namespace {

constexpr const char* kRemedy =
    "type a program's name, or pid, comm, localport, remoteport, cgroup, netns or min-held "
    "and what it is to be";

/// Alone it can only be meant as the name of a program. A number may be meant in several ways.
bool is_name(const std::string& word) {
    return word.front() != '-' && !std::ranges::all_of(word, [](unsigned char c) { return std::isdigit(c); });
}

/// The words with their dashes, last first, as CLI11 wants them.
std::vector<std::string> arguments_of(const std::string& text, const CLI::App& app) {
    std::vector<std::string> words;
    std::istringstream stream(text);
    for (std::string word; stream >> word;) {
        const bool is_family = (word == "4" || word == "6") && (words.empty() || words.back().front() != '-');
        const bool is_option = word.front() != '-' && app.get_option_no_throw("--" + word) != nullptr;
        words.push_back(is_family ? "-" + word : is_option ? "--" + word : word);
    }
    if (words.size() == 1 && is_name(words.front())) words = {"--comm", words.front()};
    return {words.rbegin(), words.rend()};
}

}  // namespace

Result<LiveFilter> parse_filter(const std::string& text) {
    CLI::App app;
    Options options;
    options.min_held = "0";  // on top of what the command line said
    add_selection_options(app, options);
    try {
        app.parse(arguments_of(text, app));
    } catch (const CLI::Error&) {
        return tl::unexpected(Failure{fmt::format("'{}' is no filter", text), kRemedy});
    }
    const auto request = check(options);
    if (!request) return tl::unexpected(request.error());
    return LiveFilter{request->selection, request->probes.filter,
                      text.find_first_not_of(' ') != std::string::npos};
}

namespace {

bool passes_addresses(const LiveFilter& filter, std::uint32_t netns, model::Family family,
                      std::uint16_t local_port, std::uint16_t remote_port) {
    const wc_filter& addresses = filter.addresses;
    const bool ipv4 = family == model::Family::kIpv4;
    if (ipv4 ? !addresses.ipv4 : !addresses.ipv6) return false;
    if (addresses.netns && addresses.netns != netns) return false;
    if (addresses.by_local_port && !has_port(addresses.local_ports, local_port)) return false;
    return !addresses.by_remote_port || has_port(addresses.remote_ports, remote_port);
}

}  // namespace

bool passes(const model::Census& census, const model::Socket& socket, const LiveFilter& filter) {
    if (!filter.any) return true;
    return passes_addresses(filter, socket.netns, socket.family, socket.local.port, socket.remote.port) &&
           model::is_wanted(census, socket, filter.selection);
}

bool passes(const live::Ended& ended, const LiveFilter& filter) {
    if (!filter.any) return true;
    const model::Hold& hold = ended.closed.hold;
    const model::Selection& selection = filter.selection;
    if (!passes_addresses(filter, hold.connection.key.netns, hold.connection.family,
                          hold.connection.local.port, hold.connection.remote.port) ||
        ended.closed.held_ns < selection.min_held_ns)
        return false;
    if (!selection.by_holder()) return true;
    const auto is_meant = [&](std::uint32_t pid, const std::string& comm,
                              const std::optional<std::string>& cgroup) {
        return model::is_meant(pid, comm, cgroup, selection);
    };
    if (std::ranges::any_of(ended.holders, [&](const live::Ended::Holder& holder) {
            return is_meant(holder.pid, holder.comm, holder.cgroup);
        }))
        return true;
    if (ended.owner && is_meant(*ended.owner, ended.owner_comm, std::nullopt)) return true;
    const auto& left = ended.closed.left;
    return left && left->closer && is_meant(left->closer->pid, left->closer->comm_text(), std::nullopt);
}

}  // namespace waitclose::commands
