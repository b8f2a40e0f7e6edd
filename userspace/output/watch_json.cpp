// SPDX-License-Identifier: BSD-2-Clause
#include "output/watch_json.h"

#include <nlohmann/json.hpp>

#include "output/format.h"
#include "output/json.h"

namespace waitclose::output {

using nlohmann::ordered_json;

namespace {

const char* word_of(model::End end) {
    switch (end) {
    case model::End::kProgram:
    case model::End::kShutdown: return "program";
    case model::End::kExit: return "exit";
    case model::End::kError: return "error";
    case model::End::kKernel: break;
    }
    return "kernel";
}

ordered_json closer_json(const model::Left* left) {
    if (left == nullptr || !left->closer) return nullptr;
    const model::Actor& closer = *left->closer;
    return {{"pid", closer.pid}, {"tid", closer.tid}, {"comm", closer.comm_text()}};
}

}  // namespace

std::string_view word_of(WatchEvent event) {
    switch (event) {
    case WatchEvent::kEntered: return "entered";
    case WatchEvent::kHeld: return "held";
    case WatchEvent::kChanged: return "changed";
    case WatchEvent::kClosed: break;
    }
    return "closed";
}

std::string watch_line(WatchEvent event, std::int64_t at_epoch_ns, ordered_json socket,
                       const model::Left* left) {
    ordered_json line{{"event", word_of(event)}, {"at", rfc3339(at_epoch_ns)}};
    if (event == WatchEvent::kClosed) {
        line["closer"] = closer_json(left);
        line["ended_by"] = left != nullptr ? ordered_json(word_of(left->end)) : ordered_json(nullptr);
    }
    line["socket"] = std::move(socket);
    return dump(line) + "\n";
}

std::string transition_line(const model::Transition& transition, std::int64_t wall_offset_ns) {
    const model::Connection& connection = transition.connection;
    const ordered_json line{
        {"event", "transition"},
        {"at", rfc3339(static_cast<std::int64_t>(transition.at_ns) + wall_offset_ns)},
        {"id", id_text(connection.key)},
        {"netns", connection.key.netns},
        {"cookie", cookie_json(connection.key)},
        {"family", family_name(connection.family)},
        {"local", endpoint_json(connection.family, connection.local)},
        {"remote", endpoint_json(connection.family, connection.remote)},
        {"from", model::name_of(transition.from)},
        {"to", model::name_of(transition.to)},
    };
    return dump(line) + "\n";
}

}  // namespace waitclose::output
