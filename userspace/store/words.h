// SPDX-License-Identifier: BSD-2-Clause
// How enumerators are spelled in a recording. Part of its public interface: words stay, new ones come last.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

#include "model/activity.h"
#include "model/answer.h"
#include "model/events.h"
#include "model/process.h"
#include "model/socket.h"
#include "model/watch.h"
#include "store/recording.h"

namespace waitclose::store {

using namespace std::string_view_literals;

/// The words of an enumeration, by the value of its enumerators.
template <typename Enum>
inline constexpr std::array<std::string_view, 0> kWords{};

template <>
inline constexpr std::array kWords<model::Family> = {"ipv4"sv, "ipv6"sv};
template <>
inline constexpr std::array kWords<model::TcpState> = {
    "UNKNOWN"sv, "ESTABLISHED"sv, "SYN_SENT"sv, "SYN_RECV"sv, "FIN_WAIT1"sv, "FIN_WAIT2"sv,   "TIME_WAIT"sv,
    "CLOSE"sv,   "CLOSE_WAIT"sv,  "LAST_ACK"sv, "LISTEN"sv,   "CLOSING"sv,   "NEW_SYN_RECV"sv};
template <>
inline constexpr std::array kWords<model::Role> = {"unknown"sv, "server"sv, "client"sv};
template <>
inline constexpr std::array kWords<model::Precision> = {"exact"sv, "at-least"sv};
template <>
inline constexpr std::array kWords<model::End> = {"program"sv, "exit"sv, "error"sv, "kernel"sv, "shutdown"sv};
template <>
inline constexpr std::array kWords<model::Operation> = {"none"sv, "read"sv, "write"sv, "accept"sv,
                                                        "connect"sv};
template <>
inline constexpr std::array kWords<model::RunState> = {"running"sv, "sleeping"sv, "disk-sleep"sv, "stopped"sv,
                                                       "traced"sv,  "frozen"sv,   "zombie"sv,     "other"sv};
template <>
inline constexpr std::array kWords<model::FileKind> = {"other"sv, "regular"sv, "directory"sv, "pipe"sv,
                                                       "tcp"sv,   "unix"sv,    "device"sv};
template <>
inline constexpr std::array kWords<model::Watching> = {"unknown"sv, "nobody"sv, "some"sv};
template <>
inline constexpr std::array kWords<model::WatchKind> = {"other"sv, "epoll"sv, "poll"sv, "ring"sv};
template <>
inline constexpr std::array kWords<model::InFlight::Where> = {"message"sv, "ring"sv};
template <>
inline constexpr std::array kWords<model::Question::Kind> = {"file"sv, "children"sv};
template <>
inline constexpr std::array kWords<model::Doing> = {"unknown"sv, "running"sv, "runnable"sv, "blocked"sv};
template <>
inline constexpr std::array kWords<Ending> = {"not"sv, "asked"sv, "duration"sv, "size"sv, "failed"sv};

/// The word of a value; of a foreign value the first.
template <typename Enum>
std::string_view word_of(Enum value) {
    static_assert(!kWords<Enum>.empty());
    const auto index = static_cast<std::size_t>(value);
    return kWords<Enum>[index < kWords<Enum>.size() ? index : 0];
}

/// The value of a word, or nothing.
template <typename Enum>
std::optional<Enum> value_of(std::string_view word) {
    for (std::size_t i = 0; i < kWords<Enum>.size(); ++i)
        if (kWords<Enum>[i] == word) return static_cast<Enum>(i);
    return std::nullopt;
}

}  // namespace waitclose::store
