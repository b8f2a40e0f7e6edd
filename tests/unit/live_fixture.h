// SPDX-License-Identifier: BSD-2-Clause
// Pictures for the tests of the live view: literal machines, nothing is read.
#pragma once

#include <string>

#include "live/draw.h"
#include "output_fixture.h"

namespace waitclose::live::testing_pictures {

using namespace output::testing_machine;

/// A picture of a machine. Keeps the machine; not to be moved.
struct Scene {
    Machine machine;
    Picture picture;
    State state;

    explicit Scene(Machine made) : machine(std::move(made)) {
        picture.census = &machine.census;
        picture.explain = [this](const model::Socket&) { return machine.diagnosis; };
        picture.host = machine.host;
        picture.probes = machine.probes;
        picture.losses = machine.losses;
        picture.now_ns = kNow;
        picture.wall_offset_ns = kWall;
        for (std::uint32_t i = 0; i < machine.census.listeners.size(); ++i) picture.listeners.insert(i);
        for (const diagnose::Group& group : machine.groups) {
            GroupRow row;
            row.key = key_of(group);
            row.group = group;
            if (row.group.all.empty())
                row.group.all.push_back(static_cast<std::uint32_t>(group.oldest_socket));
            picture.groups.push_back(std::move(row));
            picture.pulse.open += group.sockets;
        }
        state = follow(state, picture);
    }
    Scene(const Scene&) = delete;
    Scene& operator=(const Scene&) = delete;

    void press(const std::string& keys) {
        for (const char key : keys) {
            if (key == '\n')
                state = live::press(state, {Key::Kind::kEnter, {}}, picture);
            else if (key == '\x1b')
                state = live::press(state, {Key::Kind::kEscape, {}}, picture);
            else
                state = live::press(state, {Key::Kind::kCharacter, std::string(1, key)}, picture);
        }
    }

    Screen screen(Size size = {}, output::Charset charset = output::Charset::kUtf8) {
        Frame frame = draw(picture, state, size, charset);
        state.scrolled.back() = frame.scrolled;
        state.page = frame.page;
        return frame.screen;
    }
    std::string text(Size size = {}, output::Charset charset = output::Charset::kUtf8) {
        return text_of(screen(size, charset));
    }
};

}  // namespace waitclose::live::testing_pictures
