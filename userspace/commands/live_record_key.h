// SPDX-License-Identifier: BSD-2-Clause
// The key `r` of the live view: begins a recording, ends it, and says what became of it.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "commands/live_looks.h"
#include "commands/live_notice.h"

namespace waitclose::commands {

class RecordKey {
public:
    void press() { pressed_ = true; }

    /// While the looks are not busy: takes up what became of the recording since, and does what was asked
    /// for, into a file of that name. Returns what there is to say. `filtered`: the view shows less than is
    /// recorded.
    std::optional<Notice> follow(Looks& looks, const std::function<std::string()>& name, bool filtered);

private:
    std::optional<Notice> news_of(const Recorded& recorded, bool filtered);

    bool pressed_ = false;
    std::optional<bool> wished_;  // on or off; what was begun, and is not yet said
    bool was_on_ = false;
};

}  // namespace waitclose::commands
