// SPDX-License-Identifier: BSD-2-Clause
#include "replay/spans.h"

namespace waitclose::replay {

void Spans::on(const model::Transition& transition) {
    using model::TcpState;
    const model::SocketKey& key = transition.connection.key;
    if (transition.to == TcpState::kEstablished) {
        alive_[key].span.established_ns = transition.at_ns;
        return;
    }
    const auto found = alive_.find(key);
    if (found == alive_.end()) return;
    Life& life = found->second;
    if (transition.to == TcpState::kLastAck) life.span.last_ack_ns = transition.at_ns;
    if (transition.to == TcpState::kCloseWait || transition.to == TcpState::kLastAck) return;
    life.span.closed_ns = transition.at_ns;
    if (life.hold) of_holds_[*life.hold] = life.span;
    alive_.erase(found);
}

void Spans::attach(const model::SocketKey& key, std::uint32_t hold) {
    const auto found = alive_.find(key);
    if (found != alive_.end()) found->second.hold = hold;
}

void Spans::detach(const model::SocketKey& key, std::uint32_t hold) {
    of_holds_.erase(hold);
    const auto found = alive_.find(key);
    if (found != alive_.end() && found->second.hold == hold) found->second.hold.reset();
}

std::optional<Span> Spans::of(std::uint32_t hold) const {
    const auto found = of_holds_.find(hold);
    return found == of_holds_.end() ? std::nullopt : std::optional(found->second);
}

void Spans::finish() {
    for (const auto& [key, life] : alive_)
        if (life.hold) of_holds_[*life.hold] = life.span;
    alive_.clear();
}

}  // namespace waitclose::replay
