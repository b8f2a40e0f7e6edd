// SPDX-License-Identifier: BSD-2-Clause
#include "commands/live_write_key.h"

#include <utility>

#include <fmt/format.h>

#include "commands/background.h"
#include "commands/command.h"
#include "diagnose/diagnoser.h"
#include "output/snapshot_json.h"

namespace waitclose::commands {
namespace {

template <typename Write>
Result<void> write_file(const std::string& path, Write write) {
    auto sink = open_output(path);
    if (!sink) return tl::unexpected(Failure{sink.error().what, kElsewhere});
    write(*sink);
    if (const auto finished = finish(*sink); !finished)
        return tl::unexpected(Failure{finished.error().what, kElsewhere});
    return {};
}

Result<void> write_json(const std::string& path, const WhatIsShown& shown) {
    const model::Census& census = *shown.census;
    diagnose::Diagnoser diagnoser(census);
    const auto groups = diagnose::group(census, shown.sockets);
    const auto explain = [&](const model::Socket& socket) { return diagnoser.diagnose(socket); };
    return write_file(path, [&](output::Sink& sink) {
        output::write_snapshot_json(
            sink, {census, shown.sockets, groups, shown.host, shown.probes, shown.losses, explain, {}});
    });
}

Notice write(const std::string& name, const WhatIsShown& shown) {
    const auto text = write_file(name + ".txt", [&](output::Sink& sink) { sink.write(shown.screen); });
    if (!text) return notice_of(text.error());
    const auto json = write_json(name + ".json", shown);
    if (!json) return notice_of(json.error());
    return {fmt::format("written: {0}.txt and {0}.json", name)};
}

std::vector<std::uint32_t> sockets_shown(const live::State& state, const live::Picture& picture) {
    std::vector<std::uint32_t> sockets;
    if (state.view() == live::View::kHold) {
        if (const model::Socket* socket = live::socket_of(state, picture))
            sockets.push_back(static_cast<std::uint32_t>(socket - picture.census->sockets.data()));
        return sockets;
    }
    const live::GroupRow* only = state.path.size() > 1 ? live::group_of(state, picture) : nullptr;
    for (const live::GroupRow& row : picture.groups)
        if (!only || only == &row) sockets.insert(sockets.end(), row.group.all.begin(), row.group.all.end());
    return sockets;
}

}  // namespace

WhatIsShown what_is_shown(const live::State& state, const live::Picture& picture, std::string screen) {
    return {picture.census, sockets_shown(state, picture), std::move(screen), picture.host, picture.probes,
            picture.losses};
}

void WriteKey::begin(std::string name, WhatIsShown shown) {
    written_ =
        in_background([name = std::move(name), shown = std::move(shown)] { return write(name, shown); });
}

std::optional<Notice> WriteKey::follow() {
    if (!busy() || is_running(written_)) return std::nullopt;
    return written_.get();
}

std::optional<Notice> WriteKey::finish() {
    if (!busy()) return std::nullopt;
    return written_.get();
}

}  // namespace waitclose::commands
