// SPDX-License-Identifier: BSD-2-Clause
#include "commands/live_record_key.h"

#include <utility>

#include <fmt/format.h>

namespace waitclose::commands {

std::optional<Notice> RecordKey::follow(Looks& looks, const std::function<std::string()>& name,
                                        bool filtered) {
    std::optional<Notice> news = news_of(looks.recorded(), filtered);
    if (!std::exchange(pressed_, false)) return news;
    wished_ = !looks.recorded().on;
    if (*wished_)
        looks.record(name());
    else
        looks.stop_recording();
    return news;
}

std::optional<Notice> RecordKey::news_of(const Recorded& recorded, bool filtered) {
    const bool was_on = std::exchange(was_on_, recorded.on);
    if (recorded.failure) {
        if (!std::exchange(wished_, std::nullopt) && !was_on) return std::nullopt;  // said before
        return notice_of(*recorded.failure);
    }
    if (wished_ != recorded.on) return std::nullopt;
    wished_.reset();
    if (!recorded.on)
        return Notice{
            fmt::format("recorded: {0}; 'waitclose report {0}' tells what happened", recorded.path)};
    return Notice{
        fmt::format("recording to {}{}; r ends it", recorded.path, filtered ? ", the filter aside" : "")};
}

}  // namespace waitclose::commands
