// SPDX-License-Identifier: BSD-2-Clause
// What an Interner wrote, by number. The file is hostile.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>

#include "model/process.h"
#include "model/socket.h"
#include "store/database.h"

namespace waitclose::store {

/// Each says whether there is something under that number, and it is what it should be.
class Dictionary {
public:
    Dictionary() = default;
    /// False when a table is missing.
    bool prepare(Database& database);

    bool text(std::int64_t id, std::string& text);
    bool address(std::int64_t id, model::Family family, model::Endpoint& endpoint);
    bool actor(std::int64_t id, model::Actor& actor);
    bool stack(std::int64_t id, model::KernelStack& stack);
    /// Recordings of earlier builds have none.
    bool call_stack(std::int64_t id, model::StackRef& stack);

private:
    /// Bounds what a hostile file can make us remember.
    static constexpr std::size_t kMostRemembered = 200'000;
    static constexpr std::size_t kDeepestStack = 256;
    static constexpr std::size_t kDeepestCallStack = 1024;
    /// Of all names in call stacks together: a frame that refers to a long text again and again is short.
    static constexpr std::size_t kMostNameBytes = std::size_t{1} << 27;

    template <typename Value, typename Read>
    static bool look_up(std::unordered_map<std::int64_t, Value>& known, std::int64_t id, Value& value,
                        const Read& read);
    bool read_actor(std::int64_t id, model::Actor& actor);
    bool read_stack(std::int64_t id, model::KernelStack& stack);
    bool read_call_stack(std::int64_t id, model::StackRef& stack);
    bool read_call_frame(model::Frame& frame);

    using Address = std::pair<model::Family, std::array<std::uint8_t, 16>>;

    std::unordered_map<std::int64_t, std::string> texts_;
    std::unordered_map<std::int64_t, Address> addresses_;
    std::unordered_map<std::int64_t, model::Actor> actors_;
    std::unordered_map<std::int64_t, model::KernelStack> stacks_;
    std::unordered_map<std::int64_t, model::StackRef> call_stacks_;
    std::size_t name_bytes_ = 0;
    Statement select_text_;
    Statement select_address_;
    Statement select_actor_;
    Statement select_frames_;
    Statement select_stack_;
    Statement select_call_frames_;
    Statement select_call_stack_;
};

}  // namespace waitclose::store
