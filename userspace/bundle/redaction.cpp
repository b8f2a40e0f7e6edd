// SPDX-License-Identifier: BSD-2-Clause
#include "bundle/redaction.h"

#include <algorithm>
#include <cstring>

#include <arpa/inet.h>

namespace waitclose::bundle {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_word(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// The n-th address of 240.0.0.0/4, which no host on the Internet has (RFC 1112).
std::array<std::uint8_t, 16> ipv4_number(std::uint64_t n) {
    constexpr std::uint64_t kMost = (1U << 28) - 2;
    const std::uint64_t number = n % kMost + 1;
    return {static_cast<std::uint8_t>(240 + (number >> 24)), static_cast<std::uint8_t>(number >> 16),
            static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
}

/// The n-th address of 2001:db8::/32, which is kept for documentation (RFC 3849).
std::array<std::uint8_t, 16> ipv6_number(std::uint64_t n) {
    std::array<std::uint8_t, 16> address{0x20, 0x01, 0x0d, 0xb8};
    for (std::size_t i = 0; i < 8; ++i) address.at(15 - i) = static_cast<std::uint8_t>((n + 1) >> 8 * i);
    return address;
}

}  // namespace

model::Endpoint Redaction::masked(model::Family family, const model::Endpoint& endpoint) {
    if (model::is_any_address(endpoint)) return endpoint;
    auto& known = family == model::Family::kIpv4 ? ipv4_ : ipv6_;
    Address real = endpoint.address;
    if (family == model::Family::kIpv4) std::fill(real.begin() + 4, real.end(), std::uint8_t{0});
    auto found = known.find(real);
    if (found == known.end()) {
        const Address stands_for_it =
            family == model::Family::kIpv4 ? ipv4_number(known.size()) : ipv6_number(known.size());
        found = known.emplace(real, stands_for_it).first;
        given_.insert(model::address_text(family, {stands_for_it, 0}));
    }
    return {found->second, endpoint.port};
}

/// Nothing when the word is no address.
std::optional<std::string> Redaction::masked_word(const std::string& word) {
    if (given_.contains(word)) return word;
    model::Endpoint endpoint;
    auto family = model::Family::kIpv4;
    if (::inet_pton(AF_INET, word.c_str(), endpoint.address.data()) != 1) {
        family = model::Family::kIpv6;
        if (::inet_pton(AF_INET6, word.c_str(), endpoint.address.data()) != 1) return std::nullopt;
        constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
        if (std::equal(kMapped.begin(), kMapped.end(), endpoint.address.begin())) {
            std::rotate(endpoint.address.begin(), endpoint.address.begin() + 12, endpoint.address.end());
            family = model::Family::kIpv4;
        }
    }
    return model::address_text(family, masked(family, endpoint));
}

std::string Redaction::masked_text(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const bool begins = (is_hex(text[at]) || text[at] == ':') && (at == 0 || !is_word(text[at - 1]));
        std::size_t end = at;
        if (begins)
            while (end < text.size() && (is_hex(text[end]) || text[end] == '.' || text[end] == ':')) ++end;
        if (end == at || (end < text.size() && is_word(text[end]))) {
            result += text[at++];
            while (begins && at < end) result += text[at++];
            continue;
        }
        // "10.0.0.7:443" is an address and a port, "10.0.0.7." one at the end of a sentence.
        bool replaced = false;
        for (std::size_t length = end - at; length > 1 && !replaced; --length) {
            if (is_word(text[at + length - 1]) && at + length < end && is_word(text[at + length])) continue;
            const auto mask = masked_word(std::string(text.substr(at, length)));
            if (!mask) continue;
            result += *mask;
            at += length;
            replaced = true;
        }
        if (!replaced)
            for (; at < end; ++at) result += text[at];
    }
    return result;
}

void Redaction::mask(std::optional<std::string>& text) {
    if (text) mask(*text);
}

void Redaction::mask(model::Connection& connection) {
    connection.local = masked(connection.family, connection.local);
    connection.remote = masked(connection.family, connection.remote);
}

void Redaction::mask(model::Actor& actor) {
    const std::string masked = masked_text(actor.comm_text());
    if (masked == actor.comm_text()) return;
    actor.comm = {};
    std::memcpy(actor.comm.data(), masked.data(), std::min(masked.size(), actor.comm.size() - 1));
}

void Redaction::mask(model::Stack& stack) {
    for (model::Frame& frame : stack) mask(frame.module);
}

model::StackRef Redaction::masked(const model::StackRef& stack) {
    if (!stack) return stack;
    const auto known = stacks_.find(stack.get());
    if (known != stacks_.end()) return known->second;
    auto copy = std::make_shared<model::Stack>(*stack);
    mask(*copy);
    stacks_[stack.get()] = copy;
    stacks_[copy.get()] = copy;
    kept_.push_back(stack);
    return copy;
}

void Redaction::mask(model::Socket& socket) {
    socket.local = masked(socket.family, socket.local);
    socket.remote = masked(socket.family, socket.remote);
    if (socket.touches) {
        model::Touches& touches = *socket.touches;
        for (auto* deed : {&touches.opened, &touches.last, &touches.eof, &touches.let_go})
            if (*deed) mask((*deed)->actor);
        touches.opened_at = masked(touches.opened_at);
    }
    if (socket.in_flight)
        for (model::InFlight& reference : *socket.in_flight) mask(reference.comm);
}

void Redaction::mask(model::Thread& thread) {
    mask(thread.comm);
    if (thread.file) {
        mask(thread.file->name);
        mask(thread.file->remote);
    }
    if (thread.tracer) mask(thread.tracer->comm);
    if (thread.lock_holder) mask(thread.lock_holder->comm);
    thread.user_stack = masked(thread.user_stack);
}

void Redaction::mask(model::Window& window) {
    for (model::ThreadTime& thread : window.threads) mask(thread.comm);
    for (model::Throttling& throttling : window.throttled) mask(throttling.cgroup);
}

void Redaction::mask(model::Census& census) {
    for (model::Socket& socket : census.sockets) mask(socket);
    for (model::Socket& listener : census.listeners) mask(listener);
    for (model::Process& process : census.processes) {
        mask(process.comm);
        mask(process.exe);
        mask(process.cgroup);
        mask(process.cpu_cgroup);
    }
    for (model::Thread& thread : census.threads) mask(thread);
    for (model::Answer& answer : census.answers)
        if (answer.last_touch) mask(*answer.last_touch);
    for (model::EpollHolder& epoll : census.epolls) mask(epoll.comm);
    if (census.window) mask(*census.window);
}

void Redaction::mask(model::Activity& activity) {
    for (model::ThreadActivity& thread : activity.threads) mask(thread.comm);
    for (model::Sleep& sleep : activity.sleeps)
        if (sleep.file) {
            mask(sleep.file->name);
            mask(sleep.file->remote);
        }
    for (model::Actor& waker : activity.wakers) mask(waker);
    for (model::Stack& stack : activity.stacks) mask(stack);
}

}  // namespace waitclose::bundle
