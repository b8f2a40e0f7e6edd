// SPDX-License-Identifier: BSD-2-Clause
#include "output/json.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "model/keepalive.h"
#include "output/format.h"

namespace waitclose::output {

using nlohmann::ordered_json;

namespace {

ordered_json text_or_null(const std::optional<std::string>& bytes) {
    return bytes ? ordered_json(*bytes) : ordered_json(nullptr);
}

/// Wall time of a moment of CLOCK_BOOTTIME; 0 is "not known".
ordered_json wall_or_null(std::uint64_t boot_ns, std::int64_t wall_offset_ns) {
    if (boot_ns == 0) return nullptr;
    return rfc3339(static_cast<std::int64_t>(boot_ns) + wall_offset_ns);
}

ordered_json holder_json(const model::Census& census, const model::Holder& holder) {
    const model::Process& process = census.process_of(holder);
    return {{"pid", process.pid},
            {"fd", holder.fd},
            {"comm", comm_json(process.comm)},
            {"exe", text_or_null(process.exe)},
            {"close_on_exec", holder.close_on_exec},
            {"cgroup", text_or_null(process.cgroup)},
            {"container", text_or_null(process.container)},
            {"started_at", wall_or_null(process.start_ns, census.wall_offset_ns)}};
}

ordered_json holders_json(const model::Census& census, const model::Socket& socket) {
    ordered_json holders = ordered_json::array();
    for (const model::Holder& holder : census.holders_of(socket))
        holders.push_back(holder_json(census, holder));
    return holders;
}

ordered_json peer_json(const model::Census& census, const model::Socket& socket) {
    ordered_json peer{{"local_holder", nullptr}};
    if (socket.peer_holder != model::kNone) {
        const model::Holder& holder = census.holders[static_cast<std::size_t>(socket.peer_holder)];
        const model::Process& process = census.process_of(holder);
        peer["local_holder"] = {{"pid", process.pid}, {"fd", holder.fd}, {"comm", comm_json(process.comm)}};
    }
    return peer;
}

/// When probes would go out and when they would end it, as wall times; null where keepalive will not.
ordered_json keepalive_json(const model::Census& census, const model::Socket& socket) {
    if (!socket.keepalive.on) return {{"on", false}};
    const auto reaping = model::reaping_of(socket);
    return {{"on", true},
            {"first_probe_at", wall_or_null(reaping ? reaping->first_probe_ns : 0, census.wall_offset_ns)},
            {"gives_up_at", wall_or_null(reaping ? reaping->gives_up_ns : 0, census.wall_offset_ns)}};
}

const char* name_of(model::WatchKind kind) {
    switch (kind) {
    case model::WatchKind::kEpoll: return "epoll";
    case model::WatchKind::kPoll: return "poll";
    case model::WatchKind::kRing: return "io_uring";
    case model::WatchKind::kOther: break;
    }
    return "other";
}

/// Null when it is not known; empty when nobody watches it.
ordered_json watched_by_json(const model::Socket& socket) {
    if (socket.watching == model::Watching::kUnknown) return nullptr;
    ordered_json watchers = ordered_json::array();
    if (!socket.watches) return watchers;
    for (const model::Watch& watch : *socket.watches) {
        const bool epoll = watch.kind == model::WatchKind::kEpoll;
        const bool asks = epoll || watch.kind == model::WatchKind::kPoll;
        watchers.push_back(
            {{"kind", name_of(watch.kind)},
             {"fd", epoll ? ordered_json(watch.fd) : ordered_json(nullptr)},
             {"events", asks ? ordered_json(model::events_text(watch)) : ordered_json(nullptr)},
             {"ready", epoll ? ordered_json(watch.ready) : ordered_json(nullptr)}});
    }
    return watchers;
}

ordered_json culprit_json(const std::optional<diagnose::Culprit>& culprit) {
    if (!culprit) return nullptr;
    return {{"pid", culprit->pid},
            {"tid", culprit->tid ? ordered_json(*culprit->tid) : ordered_json(nullptr)},
            {"comm", comm_json(culprit->comm)},
            {"basis", diagnose::id_of(culprit->basis)}};
}

ordered_json link_json(const diagnose::Link& link) {
    ordered_json on = nullptr;
    if (link.on) on = {{"pid", link.on->pid}, {"tid", link.on->tid ? ordered_json(link.on->tid) : nullptr}};
    return {{"pid", link.pid},
            {"tid", link.tid},
            {"comm", link.comm},
            {"waits_for", link.waits_for},
            {"for_ns", link.for_ns ? ordered_json(*link.for_ns) : ordered_json(nullptr)},
            {"detail", link.detail},
            {"on", std::move(on)},
            {"function", comm_json(link.function)}};
}

ordered_json evidence_json(const diagnose::Evidence& evidence) {
    const auto as_json = [](const auto& value) -> ordered_json { return value; };
    return {{"fact", evidence.fact}, {"value", std::visit(as_json, evidence.value)}, {"text", evidence.text}};
}

ordered_json cause_json(const diagnose::Diagnosis& diagnosis) {
    ordered_json because = ordered_json::array();
    for (const diagnose::Link& link : diagnosis.because) because.push_back(link_json(link));
    ordered_json contributing = ordered_json::array();
    for (const std::string& id : diagnosis.contributing) contributing.push_back(id);
    ordered_json evidence = ordered_json::array();
    for (const diagnose::Evidence& fact : diagnosis.evidence) evidence.push_back(evidence_json(fact));
    return {{"id", diagnose::id_of(diagnosis.cause)},
            {"confidence", diagnose::id_of(diagnosis.confidence)},
            {"summary", diagnosis.summary},
            {"because", std::move(because)},
            {"contributing", std::move(contributing)},
            {"evidence", std::move(evidence)},
            {"advice", diagnosis.advice}};
}

/// Where in its program it was accepted or connected; null where that was not traced. The outermost function
/// first; one without a name is null there.
ordered_json opened_at_json(const model::Socket& socket) {
    if (!socket.touches || !socket.touches->opened_at) return nullptr;
    const model::Stack& stack = *socket.touches->opened_at;
    ordered_json frames = ordered_json::array();
    for (auto frame = stack.rbegin(); frame != stack.rend(); ++frame)
        frames.push_back({{"function", comm_json(frame->function)},
                          {"module", comm_json(frame->module)},
                          {"offset", frame->offset ? ordered_json(*frame->offset) : ordered_json(nullptr)}});
    const model::Frame* own = model::own_function(stack);
    return {{"function", own ? ordered_json(own->function) : ordered_json(nullptr)},
            {"frames", std::move(frames)}};
}

/// The keys of the contract in their order, with what every event knows; the rest is null.
ordered_json skeleton(const model::SocketKey& key, model::Family family, const model::Endpoint& local,
                      const model::Endpoint& remote) {
    return {{"id", id_text(key)},
            {"netns", key.netns},
            {"cookie", cookie_json(key)},
            {"family", family_name(family)},
            {"local", endpoint_json(family, local)},
            {"remote", endpoint_json(family, remote)},
            {"role", "unknown"},
            {"accepted", nullptr},
            {"eof_read", nullptr},
            {"received_bytes", nullptr},
            {"unread_bytes", nullptr},
            {"unsent_bytes", nullptr},
            {"held_ns", nullptr},
            {"held_since", nullptr},
            {"held_precision", nullptr},
            {"holders", nullptr},
            {"peer", {{"local_holder", nullptr}}},
            {"keepalive", nullptr},
            {"watched_by", nullptr},
            {"opened_at", nullptr},
            {"culprit", nullptr},
            {"cause", nullptr}};
}

}  // namespace

ordered_json comm_json(const std::string& comm) {
    return comm.empty() ? ordered_json(nullptr) : ordered_json(comm);
}

std::string id_text(const model::SocketKey& key) {
    if (key.has_cookie()) return fmt::format("{}:{}", key.netns, key.cookie);
    return fmt::format("{}:own-{}", key.netns, key.own_number());
}

ordered_json cookie_json(const model::SocketKey& key) {
    return key.has_cookie() ? ordered_json(std::to_string(key.cookie)) : ordered_json(nullptr);
}

const char* family_name(model::Family family) {
    return family == model::Family::kIpv4 ? "ipv4" : "ipv6";
}

ordered_json endpoint_json(model::Family family, const model::Endpoint& endpoint) {
    return {{"address", model::address_text(family, endpoint)}, {"port", endpoint.port}};
}

void set_hold(ordered_json& socket, std::uint64_t held_ns, std::uint64_t since_ns, model::Precision precision,
              std::int64_t wall_offset_ns) {
    const bool known = since_ns != 0;
    socket["held_ns"] = known ? ordered_json(held_ns) : ordered_json(nullptr);
    socket["held_since"] = wall_or_null(since_ns, wall_offset_ns);
    socket["held_precision"] = known ? ordered_json(model::name_of(precision)) : ordered_json(nullptr);
}

ordered_json socket_json(const model::Census& census, const model::Socket& socket,
                         const diagnose::Diagnosis& diagnosis) {
    ordered_json object = skeleton({socket.netns, socket.cookie}, socket.family, socket.local, socket.remote);
    object["role"] = model::name_of(socket.role);
    const auto accepted = model::was_accepted(socket);
    object["accepted"] = accepted ? ordered_json(*accepted) : ordered_json(nullptr);
    // A subflow of Multipath TCP is read by the kernel.
    object["eof_read"] =
        socket.multipath ? ordered_json(nullptr) : ordered_json(diagnose::eof_read(census, socket));
    object["unread_bytes"] = socket.multipath ? ordered_json(nullptr) : ordered_json(socket.unread_bytes);
    object["received_bytes"] = socket.received_bytes;
    object["unsent_bytes"] = socket.unsent_bytes;
    set_hold(object, census.held_ns(socket), socket.held_since_ns, socket.precision, census.wall_offset_ns);
    object["holders"] = holders_json(census, socket);
    object["peer"] = peer_json(census, socket);
    object["keepalive"] = keepalive_json(census, socket);
    object["watched_by"] = watched_by_json(socket);
    object["opened_at"] = opened_at_json(socket);
    object["culprit"] = culprit_json(diagnosis.culprit);
    object["cause"] = cause_json(diagnosis);
    return object;
}

ordered_json socket_json(const model::Hold& hold, std::uint64_t held_ns, std::int64_t wall_offset_ns) {
    const model::Connection& connection = hold.connection;
    ordered_json object = skeleton(connection.key, connection.family, connection.local, connection.remote);
    set_hold(object, held_ns, hold.since_ns, hold.precision, wall_offset_ns);
    return object;
}

std::string dump(const ordered_json& value) {
    constexpr int kOneLine = -1;
    return value.dump(kOneLine, ' ', true, ordered_json::error_handler_t::replace);
}

}  // namespace waitclose::output
