// SPDX-License-Identifier: BSD-2-Clause
// The key `w` of the live view: writes what is shown, as text and as JSON.
#pragma once

#include <cstdint>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "commands/live_notice.h"
#include "live/picture.h"
#include "live/state.h"

namespace waitclose::commands {

/// What is written: a screen as text, and the sockets that it tells of.
struct WhatIsShown {
    const model::Census* census = nullptr;
    std::vector<std::uint32_t> sockets;  // into it
    std::string screen;
    model::HostFacts host;
    model::ProbeFacts probes;
    model::Losses losses;
};

/// All groups, one, or one hold: whatever the user looks at.
WhatIsShown what_is_shown(const live::State& state, const live::Picture& picture, std::string screen);

/// Writes beside the thread that draws.
class WriteKey {
public:
    /// Begins to write NAME.txt and NAME.json. The census must stay until busy() no longer holds.
    void begin(std::string name, WhatIsShown shown);
    /// Something was begun of which nobody has been told yet how it ended.
    bool busy() const { return written_.valid(); }
    /// How it ended, once it has; nothing before.
    std::optional<Notice> follow();
    /// Waits for the end.
    std::optional<Notice> finish();

private:
    std::future<Notice> written_;
};

}  // namespace waitclose::commands
