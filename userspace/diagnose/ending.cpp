// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/ending.h"

#include <fmt/format.h>

#include "diagnose/text.h"
#include "model/keepalive.h"

namespace waitclose::diagnose {

namespace {

std::string in_text(const Scene& scene, std::uint64_t at_ns) {
    const std::uint64_t now_ns = scene.census.taken_ns;
    return at_ns > now_ns ? fmt::format("in {}", duration_text(at_ns - now_ns)) : "now";
}

std::string next_probe_text(const Scene& scene, const model::Reaping& reaping) {
    const std::uint32_t unanswered = scene.socket.keepalive.unanswered;
    if (unanswered > 0)
        return fmt::format("{} {} went unanswered so far", unanswered, unanswered == 1 ? "probe" : "probes");
    return fmt::format("the first probe goes out {}", in_text(scene, reaping.first_probe_ns));
}

// Probes are answered by the peer's kernel, whatever its program does.
std::string peer_text(const Scene& scene) {
    if (scene.socket.peer_holder == model::kNone)
        return "A peer that still has its end open answers every probe, and then it goes on.";
    const model::Holder& peer = scene.census.holders[static_cast<std::size_t>(scene.socket.peer_holder)];
    return fmt::format(
        "The other end is still held here, by {}, so every probe is answered until it closes that.",
        process_text(scene.census.process_of(peer)));
}

}  // namespace

std::string ending_text(const Scene& scene) {
    const model::Socket& socket = scene.socket;
    if (!socket.keepalive.on)
        return "Nothing will end this hold but its close(), the process's exit, or a reset by the peer: "
               "CLOSE_WAIT has no timeout.";
    if (socket.unsent_bytes > 0)
        return "SO_KEEPALIVE is on, but waits while data is unacknowledged: if the peer is gone, giving up "
               "retransmission will end it.";
    const auto reaping = model::reaping_of(socket);
    if (!reaping)
        return "SO_KEEPALIVE is on: if the peer is gone, the kernel's probes will end it, when is not known.";
    return fmt::format(
        "SO_KEEPALIVE is on: {}; if the peer's kernel no longer knows the connection it ends with a probe, "
        "else "
        "after {} unanswered {} {}. {}",
        next_probe_text(scene, *reaping), reaping->probes, reaping->probes == 1 ? "probe" : "probes",
        in_text(scene, reaping->gives_up_ns), peer_text(scene));
}

}  // namespace waitclose::diagnose
