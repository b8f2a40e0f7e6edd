// SPDX-License-Identifier: BSD-2-Clause
#include "live/life.h"

#include <algorithm>

#include <fmt/format.h>

#include "diagnose/shares.h"
#include "output/format.h"

namespace waitclose::live {
namespace {

using output::duration_text;

/// The earliest moment at which the socket is known to have existed; 0 when there is none before the FIN.
std::uint64_t first_sign(const model::Socket& socket) {
    std::uint64_t first = socket.oldest_sign_ns;
    if (socket.touches && socket.touches->opened)
        first = first == 0 ? socket.touches->opened->at_ns : std::min(first, socket.touches->opened->at_ns);
    return first < socket.held_since_ns ? first : 0;
}

}  // namespace

std::vector<Share> life_of(const Picture& picture, const model::Socket& socket) {
    constexpr double kLeast = 0.08;
    const std::uint64_t first = first_sign(socket);
    if (first == 0) return {{1, Role::kBlocked, "CLOSE_WAIT"}};
    const auto before = static_cast<double>(socket.held_since_ns - first);
    const auto after = static_cast<double>(held_ns(picture, socket));
    const double held = std::clamp(after / std::max(1.0, before + after), kLeast, 1 - kLeast);
    return {{1 - held, Role::kPlain, "ESTABLISHED"}, {held, Role::kBlocked, "CLOSE_WAIT"}};
}

std::string life_text(const Canvas& canvas, const model::Socket& socket) {
    const Picture& picture = canvas.picture;
    const auto clock = [&](std::uint64_t at_ns) {
        return output::clock_text(static_cast<std::int64_t>(at_ns) + picture.wall_offset_ns);
    };
    const bool exact = socket.precision == model::Precision::kExact;
    std::string text;
    if (const std::uint64_t first = first_sign(socket); first > 0) {
        const bool seen = socket.touches && socket.touches->opened && socket.touches->opened->at_ns == first;
        text = fmt::format("ESTABLISHED {}{}, from {}; ", seen ? "" : "at least ",
                           duration_text(socket.held_since_ns - first), clock(first));
    }
    text += fmt::format("the peer's FIN at {}{}", clock(socket.held_since_ns), exact ? "" : " or before");
    if (socket.touches && socket.touches->eof)
        text += fmt::format("; end-of-file read at {}", clock(socket.touches->eof->at_ns));
    return text + fmt::format("; CLOSE_WAIT {}{}", exact ? "" : "at least ",
                              duration_text(held_ns(picture, socket)));
}

std::vector<Share> shares_of(const model::ThreadTime& thread) {
    const diagnose::Shares shares = diagnose::shares_of(thread);
    std::vector<Share> parts{{shares.on_cpu, Role::kCpu, "on CPU"},
                             {shares.waiting, Role::kReady, "waiting for a CPU"}};
    for (const auto& [what, share] : shares.slept)
        if (what != diagnose::WaitClass::kEventLoop)
            parts.push_back({share, Role::kBlocked, "asleep: " + std::string(diagnose::id_of(what))});
    parts.push_back({shares.idle(), Role::kIdle, "waiting for work"});
    parts.push_back({shares.unsorted, Role::kDim, "asleep"});
    parts.push_back({shares.unaccounted, Role::kPlain, "other"});
    std::erase_if(parts, [](const Share& part) { return part.share <= 0; });
    return parts;
}

}  // namespace waitclose::live
