// SPDX-License-Identifier: BSD-2-Clause
#include "output/snapshot_json.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "output/format.h"
#include "output/json.h"
#include "output/listeners.h"
#include "output/window_json.h"

namespace waitclose::output {

using nlohmann::ordered_json;

ordered_json host_json(const model::HostFacts& host) {
    const auto known = [](const std::string& text) {
        return text.empty() ? ordered_json(nullptr) : ordered_json(text);
    };
    return {
        {"hostname", known(host.hostname)}, {"kernel", known(host.kernel)}, {"boot_id", known(host.boot_id)}};
}

ordered_json probes_json(const model::ProbeFacts& probes) {
    ordered_json hooks = ordered_json::object();
    for (const auto& [need, hook] : probes.hooks) hooks[need] = hook;
    return {{"hooks", std::move(hooks)}, {"missing", probes.missing}};
}

ordered_json fds_json(const diagnose::FdOutlook& fds) {
    const auto known = [](const auto& value) { return value ? ordered_json(*value) : ordered_json(nullptr); };
    return {{"used", known(fds.used)},
            {"limit", known(fds.limit)},
            {"holds_per_s", known(fds.holds_per_s)},
            {"full_in_ns", known(fds.full_in_ns)},
            {"basis", fds.basis.empty() ? ordered_json(nullptr) : ordered_json(fds.basis)}};
}

namespace {

ordered_json states_json(const model::Census& census) {
    ordered_json states = ordered_json::object();
    for (const auto& [state, count] : census.states) states[model::name_of(state)] = count;
    return states;
}

ordered_json losses_json(const model::Losses& losses) {
    return {{"ring", losses.ring}, {"storage", losses.storage}, {"reconciled", losses.reconciled}};
}

ordered_json top_culprits_json(const diagnose::Group& group) {
    ordered_json top = ordered_json::array();
    for (const diagnose::TopCulprit& one : group.top_culprits)
        top.push_back({{"pid", one.pid}, {"tid", one.tid}, {"comm", one.comm}, {"sockets", one.sockets}});
    return top;
}

}  // namespace

ordered_json group_json(const model::Census& census, const diagnose::Group& group) {
    const auto id = [&](std::size_t index) {
        return id_text({census.sockets[index].netns, census.sockets[index].cookie});
    };
    ordered_json owner = nullptr;
    if (group.owner_pid) owner = {{"pid", *group.owner_pid}, {"comm", comm_json(group.owner_comm)}};
    return {{"owner", std::move(owner)},
            {"cause", diagnose::id_of(group.cause)},
            {"confidence", diagnose::id_of(group.confidence)},
            {"local_port", group.local_port ? ordered_json(*group.local_port) : ordered_json(nullptr)},
            {"remote", group.remote ? ordered_json(*group.remote) : ordered_json(nullptr)},
            {"sockets", group.sockets},
            {"oldest_held_ns", group.oldest_held_ns},
            {"culprits", group.culprits},
            {"top_culprits", top_culprits_json(group)},
            {"members",
             {{"oldest", id(group.oldest_socket)},
              {"youngest", id(group.youngest_socket)},
              {"typical", id(group.typical_socket)},
              {"most_unread", id(group.most_unread_socket)}}},
            {"typical_held_ns", census.held_ns(census.sockets[group.typical_socket])},
            {"fds", group.owner_pid ? fds_json(group.fds) : ordered_json(nullptr)}};
}

namespace {

/// What separates the elements of an array written one a line.
const char* separator(bool first) {
    return first ? "\n" : ",\n";
}

void write_listeners(Sink& sink, const model::Census& census) {
    sink.write(",\n\"networks\":" + dump(networks_json(census)));
    sink.write(",\n\"listeners\":[");
    for (std::size_t i = 0; i < census.listeners.size(); ++i) {
        sink.write(separator(i == 0));
        sink.write(dump(listener_json(census, i)));
    }
    sink.write("]");
}

}  // namespace

void write_snapshot_json(Sink& sink, const SnapshotView& view) {
    const model::Census& census = view.census;
    ordered_json head{
        {"schema", kSnapshotSchema},
        {"taken_at", rfc3339(static_cast<std::int64_t>(census.taken_ns) + census.wall_offset_ns)},
        {"host", host_json(view.host)},
        {"probes", probes_json(view.probes)},
        {"states", states_json(census)},
        {"losses", losses_json(view.losses)},
        {"unreachable", census.unreachable},
        {"nested_pid_namespace", census.nested},
        {"window", window_json(census.window, census.wall_offset_ns)},
        {"left_out",
         {{"by_address", view.left_out.by_address},
          {"by_age", view.left_out.by_age},
          {"by_holder", view.left_out.by_holder}}},
    };
    std::string open = dump(head);
    open.pop_back();  // the brace: the two long arrays follow in the same object
    sink.write(open);
    write_listeners(sink, census);
    sink.write(",\n\"groups\":[");
    bool first = true;
    for (const diagnose::Group& group : view.groups) {
        sink.write(separator(std::exchange(first, false)));
        sink.write(dump(group_json(census, group)));
    }
    sink.write("],\n\"sockets\":[");
    first = true;
    const Explain explain = explain_of(view);
    for (const std::uint32_t index : view.selected) {
        if (sink.ended()) return;
        const model::Socket& socket = census.sockets[index];
        sink.write(separator(std::exchange(first, false)));
        sink.write(dump(socket_json(census, socket, explain(socket))));
    }
    sink.write("]}\n");
}

}  // namespace waitclose::output
