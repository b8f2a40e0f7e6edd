// SPDX-License-Identifier: BSD-2-Clause
// Wall time of the moments of a timeline, for files that have a million of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace waitclose::timeline {

class WallClock {
public:
    explicit WallClock(std::optional<std::int64_t> offset_ns) : offset_ns_(offset_ns) {}

    /// As output::rfc3339() has it; empty when the offset is not known. Valid until the next call.
    std::string_view text(std::uint64_t boot_ns);

private:
    std::optional<std::int64_t> offset_ns_;
    std::optional<std::int64_t> second_;  // the one that text_ has: neighbours share it mostly
    std::string text_;
};

}  // namespace waitclose::timeline
