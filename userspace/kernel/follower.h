// SPDX-License-Identifier: BSD-2-Clause
// Follows wait chains out of the processes that hold sockets: further looks of the same census, each for all
// chains at once, and only when something is asked for.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "bpf/records.h"
#include "failure.h"
#include "kernel/iterator.h"
#include "kernel/probes.h"
#include "model/provider.h"

namespace waitclose::kernel {

struct Readings;

/// A TCP connection as one end shows it.
struct Connection {
    wc_socket socket;
    wc_sequence sequence;
};

/// Two sockets are the two ends of one connection: their addresses mirror each other, and each has received
/// what the other has sent. Addresses alone prove nothing across network namespaces, nor after a while.
bool are_two_ends(const Connection& one, const Connection& other);

class Follower {
public:
    /// `probes` must outlive it. Where the kernel allows none of it, chains end at their process.
    static Result<Follower> prepare(const Probes& probes);

    /// Before the readings are joined: remembers what the model does not keep.
    void begin(const Readings& readings);
    /// Adds to the census who could end the waits of its threads, and those processes of which only one
    /// could.
    void follow(model::Census& census, const Iterator& threads);

private:
    struct Key {
        std::uint32_t pid = 0;
        std::uint64_t start_ns = 0;
        auto operator<=>(const Key&) const = default;
    };
    /// Threads whose waits are not explained yet.
    using Waiters = std::vector<std::pair<std::uint32_t, std::uint32_t>>;  // indices of process and thread

    Follower(const Probes& probes, std::optional<Iterator>&& ends, std::optional<Iterator>&& children)
        : probes_(&probes), ends_(std::move(ends)), children_(std::move(children)) {}

    void remember(const wc_census_thread& record);
    Waiters find_waiters(const model::Census& census);
    bool ask(model::Census& census, const Waiters& waiters);
    bool ask_for_ends(const std::vector<model::Question>& questions, std::vector<model::Answer>& found);
    bool ask_for_children(const std::vector<model::Question>& questions, std::vector<model::Answer>& found);
    void add_answers(const wc_census_end& record, std::vector<model::Answer>& found) const;
    bool read_processes(model::Census& census, const Waiters& waiters, const Iterator& threads);
    void add_process(model::Census& census, const Key& key, const std::vector<wc_census_thread>& records);
    void tie_answers(model::Census& census) const;

    const Probes* probes_;
    std::optional<Iterator> ends_;
    std::optional<Iterator> children_;

    // Of one census.
    std::map<std::uint64_t, Connection> connections_;             // by the address of the asking end
    std::multimap<std::uint32_t, std::uint64_t> asked_by_ports_;  // ports of the other end → asking address
    std::set<std::uint64_t> asked_files_;
    std::set<model::Question> asked_;
    std::map<Key, std::int32_t> known_;  // processes of the census
    std::vector<std::uint32_t> seeds_;   // those of which any thread may be accused
};

}  // namespace waitclose::kernel
