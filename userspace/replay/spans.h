// SPDX-License-Identifier: BSD-2-Clause
// What a socket was before its hold and after it, where every transition was recorded.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "model/events.h"

namespace waitclose::replay {

/// 0: not seen.
struct Span {
    std::uint64_t established_ns = 0;
    std::uint64_t last_ack_ns = 0;
    std::uint64_t closed_ns = 0;
};

/// Remembers connections while they live, and of those that end only the ones with a hold of interest.
class Spans {
public:
    void on(const model::Transition& transition);

    /// The socket's hold is of interest from now on.
    void attach(const model::SocketKey& key, std::uint32_t hold);
    /// It no longer is.
    void detach(const model::SocketKey& key, std::uint32_t hold);

    std::optional<Span> of(std::uint32_t hold) const;
    /// Of sockets that were not seen to end, too.
    void finish();

private:
    struct Life {
        Span span;
        std::optional<std::uint32_t> hold;
    };
    std::unordered_map<model::SocketKey, Life, model::SocketKeyHash> alive_;
    std::unordered_map<std::uint32_t, Span> of_holds_;
};

}  // namespace waitclose::replay
