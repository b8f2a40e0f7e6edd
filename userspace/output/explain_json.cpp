// SPDX-License-Identifier: BSD-2-Clause
#include <utility>

#include <nlohmann/json.hpp>

#include "output/explain.h"
#include "output/json.h"
#include "output/snapshot_json.h"

namespace waitclose::output {

using nlohmann::ordered_json;

namespace {

ordered_json alternatives_json(const std::vector<diagnose::Alternative>& alternatives) {
    ordered_json list = ordered_json::array();
    for (const diagnose::Alternative& one : alternatives)
        list.push_back({{"id", diagnose::id_of(one.cause)}, {"why_not", one.why_not}});
    return list;
}

}  // namespace

void write_explained_json(Sink& sink, const Explained& explained) {
    const model::Census& census = explained.census;
    const bool group = !explained.one_hold;
    const std::size_t index = group ? explained.groups.front().typical_socket : explained.hold;
    const model::Socket& socket = census.sockets[index];
    ordered_json hold = socket_json(census, socket, explained.diagnoser.diagnose(socket));
    ordered_json object;
    if (group) {
        object = group_json(census, explained.groups.front());
        object["typical"] = std::move(hold);
    } else {
        object = std::move(hold);
    }
    object["alternatives"] = alternatives_json(explained.diagnoser.alternatives(socket));
    if (group) {
        ordered_json others = ordered_json::array();
        for (std::size_t i = 1; i < explained.groups.size(); ++i)
            others.push_back(group_json(census, explained.groups[i]));
        object["others"] = std::move(others);
    }
    sink.write(dump(object) + "\n");
}

}  // namespace waitclose::output
