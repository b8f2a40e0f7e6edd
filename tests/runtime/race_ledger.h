// SPDX-License-Identifier: BSD-2-Clause
// Checks names that waitclose gave against the ledger of the race program.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "../culprits/race.h"

namespace runtime {

using nlohmann::json;

struct Span {
    std::int64_t from_ns, until_ns;  // CLOCK_BOOTTIME
};

class RaceLedger {
public:
    RaceLedger(const race::Ledger& ledger, std::uint32_t port);

    /// A sentence for every name in a socket object that cannot have been right at any time of the span.
    std::vector<std::string> wrong_names(const json& socket, const Span& looked) const;
    /// The same for the one who is said to have ended the hold.
    std::vector<std::string> wrong_closer(const json& event, const Span& closed) const;

    bool is_about(const json& socket) const;  // the accepting end of one of its connections

private:
    bool names(std::uint32_t process, const json& name) const;
    std::string holds_of(std::uint32_t port, const Span& span) const;
    bool lived(std::uint32_t process, const Span& span) const;
    bool held(std::uint32_t process, std::uint32_t port, int fd, const Span& span) const;
    bool did(std::uint32_t process, std::uint32_t thread, std::uint32_t port, const std::string& basis,
             const Span& span) const;
    std::vector<std::uint32_t> processes(int pid, const Span& span) const;
    bool right_holder(const json& holder, std::uint32_t port, const Span& span) const;
    bool right_thread(const json& culprit, std::uint32_t process, std::uint32_t port, const Span& span) const;
    bool right_culprit(const json& culprit, const json& socket, const Span& span) const;

    const race::Ledger& ledger_;
    std::uint32_t port_;
    std::multimap<int, std::uint32_t> by_pid_;
    std::multimap<std::uint32_t, const race::Entry*> by_port_;     // of the peer
    std::multimap<std::uint32_t, const race::Entry*> threads_of_;  // by process
};

}  // namespace runtime
