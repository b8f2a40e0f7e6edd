// SPDX-License-Identifier: BSD-2-Clause
#include "timeline/wall_clock.h"

#include "output/format.h"

namespace waitclose::timeline {

std::string_view WallClock::text(std::uint64_t boot_ns) {
    constexpr std::int64_t kSecond = 1'000'000'000;
    if (!offset_ns_) return {};
    // As unsigned numbers: a forged recording may overflow.
    const auto epoch_ns = static_cast<std::int64_t>(boot_ns + static_cast<std::uint64_t>(*offset_ns_));
    const std::int64_t second = epoch_ns / kSecond;
    if (epoch_ns < 0) {
        text_ = output::rfc3339(epoch_ns);
        second_.reset();
    } else if (second_ != second) {
        text_ = output::rfc3339(epoch_ns);
        second_ = second;
    } else {
        std::int64_t rest = epoch_ns % kSecond;
        const std::size_t last = text_.size() - 2;  // "….123456789Z"
        for (std::size_t digit = 0; digit < 9; ++digit, rest /= 10) {
            text_[last - digit] = static_cast<char>('0' + rest % 10);
        }
    }
    return text_;
}

}  // namespace waitclose::timeline
