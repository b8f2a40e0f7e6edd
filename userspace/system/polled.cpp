// SPDX-License-Identifier: BSD-2-Clause
#include "system/polled.h"

#include <algorithm>
#include <ctime>
#include <span>

#include <sys/syscall.h>

#include "system/process_memory.h"

namespace waitclose::system {
namespace {

constexpr std::uint64_t kNsPerMs = 1'000'000;
constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
/// Longer timeouts would overflow, and are for ever as good as.
constexpr std::uint64_t kLongestSeconds = 1'000'000'000;

/// False when it could not be read.
bool read_timeout(std::uint32_t pid, std::uint32_t number, std::uint64_t argument, model::Polled& polled) {
    if (number != SYS_ppoll) {
        const auto ms = static_cast<std::int32_t>(static_cast<std::uint32_t>(argument));
        if (ms >= 0) polled.timeout_ns = static_cast<std::uint64_t>(ms) * kNsPerMs;
        return true;
    }
    if (argument == 0) return true;
    timespec limit{};
    if (!read_memory(pid, argument, std::as_writable_bytes(std::span(&limit, 1))) || limit.tv_sec < 0 ||
        limit.tv_nsec < 0)
        return false;
    const std::uint64_t seconds = std::min(static_cast<std::uint64_t>(limit.tv_sec), kLongestSeconds);
    polled.timeout_ns = seconds * kNsPerSecond + static_cast<std::uint64_t>(limit.tv_nsec) % kNsPerSecond;
    return true;
}

}  // namespace

std::optional<model::Polled> only_polled(std::span<const pollfd> asked) {
    constexpr int kForData = POLLIN | POLLRDNORM;
    constexpr int kForRoom = POLLOUT | POLLWRNORM;
    const auto counts = [](const pollfd& one) { return one.fd >= 0; };
    if (std::ranges::count_if(asked, counts) != 1) return std::nullopt;
    const pollfd& only = *std::ranges::find_if(asked, counts);
    if (!(only.events & (kForData | kForRoom))) return std::nullopt;
    return model::Polled{.fd = only.fd, .writes = !(only.events & kForData), .timeout_ns = std::nullopt};
}

std::optional<model::Polled> read_polled(std::uint32_t pid, std::uint32_t number,
                                         std::span<const std::uint64_t, 4> arguments) {
    const auto count = static_cast<std::uint32_t>(arguments[1]);
    if (count == 0 || count > kMostPolled) return std::nullopt;
    std::array<pollfd, kMostPolled> asked{};
    if (!read_memory(pid, arguments[0], std::as_writable_bytes(std::span(asked).first(count))))
        return std::nullopt;
    auto polled = only_polled(std::span(asked).first(count));
    if (!polled || !read_timeout(pid, number, arguments[2], *polled)) return std::nullopt;
    return polled;
}

}  // namespace waitclose::system
