// SPDX-License-Identifier: BSD-2-Clause
// What is said often is written once: texts, addresses, threads that did something, stacks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/process.h"
#include "model/socket.h"
#include "store/database.h"

namespace waitclose::store {

/// Gives the number under which something is in its table, having written it there if it is new. Forgets
/// everything past a bound: then something may be in its table twice, under two numbers.
class Interner {
public:
    Interner() = default;
    /// The tables exist already. False when a statement cannot be prepared.
    bool prepare(Database& database);

    std::int64_t text(std::string_view text);
    std::int64_t address(model::Family family, const model::Endpoint& endpoint);
    std::int64_t actor(const model::Actor& actor);
    std::int64_t stack(const std::vector<std::string>& frames);
    std::int64_t call_stack(const model::Stack& frames);

    /// A small number for an address in the kernel, which no file needs to know. 0 stays 0.
    std::uint64_t identity(std::uint64_t address);

private:
    static constexpr std::size_t kMostRemembered = 500'000;

    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };
    using Known = std::unordered_map<std::string, std::int64_t, TextHash, std::equal_to<>>;

    /// The number of `key`; `is_new` tells that it has to be written.
    static std::int64_t number_of(Known& known, std::int64_t& last, std::string_view key, bool& is_new);

    Known texts_;
    Known addresses_;
    Known actors_;
    Known stacks_;
    Known call_stacks_;
    std::unordered_map<std::uint64_t, std::uint64_t> identities_;
    std::int64_t last_text_ = 0;
    std::int64_t last_address_ = 0;
    std::int64_t last_actor_ = 0;
    std::int64_t last_stack_ = 0;
    std::int64_t last_call_stack_ = 0;
    std::uint64_t last_identity_ = 0;
    Statement insert_text_;
    Statement insert_address_;
    Statement insert_actor_;
    Statement insert_stack_;
    Statement insert_frame_;
    Statement insert_call_stack_;
    Statement insert_call_frame_;
};

}  // namespace waitclose::store
