// SPDX-License-Identifier: BSD-2-Clause
// The ledger of holds: opened and closed by events, brought back to the truth by a census.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "model/census.h"
#include "model/events.h"

namespace waitclose::model {

/// An open hold.
struct Hold {
    Connection connection;
    std::uint64_t since_ns = 0;
    Precision precision = Precision::kExact;
    bool consumed_before = false;  // its end of stream had been read before the ledger knew of it
    std::uint64_t seen_by = 0;     // number of the last census that saw it, or that it was too young for
    std::uint64_t seen_ns = 0;     // when it was seen last
    std::uint64_t told = 0;        // fingerprint of the last line told about it; 0 when none was
    std::uint32_t place = 0;       // of its socket in the census that it was told of from
};

/// A hold that has ended.
struct Closed {
    Hold hold;
    std::uint64_t held_ns = 0;
    std::optional<Left> left;  // absent when the end itself was missed and a census found it gone
};

struct Totals {
    std::uint64_t entered = 0;
    std::uint64_t closed = 0;
    std::uint64_t already_open = 0;  // found by the first census: older than the tracer
    std::uint64_t reconciled = 0;    // begins and ends that no event told
};

class Ledger {
public:
    /// Opens a hold. A second entry of the same socket (its end was lost) replaces the first.
    const Hold& apply(const Entered& event);

    /// Closes a hold; nothing when it was not open (it began before the tracer and before any census).
    std::optional<Closed> apply(const Left& event);

    /// To be called when a census begins, all events so far having been applied.
    void begin_census(std::uint64_t now_ns);

    /// Compares with the census since begun, all events up to its end having been applied. Gives its sockets
    /// the begin of their holds, takes out those that have ended meanwhile, opens holds no event told of, and
    /// closes those that a second census in a row does not see (before 6.17 a single one may skip a socket,
    /// commit "bpf: tcp: Make sure iter->batch always contains a full bucket snapshot"). Returns what it
    /// closed. At the first call whatever is found is simply older than the tracer; afterwards it was missed.
    std::vector<Closed> reconcile(Census& census);

    /// The open hold of a socket, or null.
    Hold* find(const SocketKey& key);

    std::size_t open() const { return holds_.size(); }
    /// How many begins it keeps in mind: of the order of the open holds, however many there have been.
    std::size_t kept_begins() const { return in_order_.size(); }
    const std::unordered_map<SocketKey, Hold, SocketKeyHash>& holds() const { return holds_; }
    const Totals& totals() const { return totals_; }

    /// Whether a hold not yet told of has lasted `min_held_ns` at `now_ns`.
    bool has_untold(std::uint64_t now_ns, std::uint64_t min_held_ns);

private:
    void adopt(Socket& socket);
    bool is_untold(const std::pair<std::uint64_t, SocketKey>& begin) const;
    void forget_told();
    std::vector<Closed> close_missing();

    std::unordered_map<SocketKey, Hold, SocketKeyHash> holds_;
    std::deque<std::pair<std::uint64_t, SocketKey>>
        in_order_;  // holds by begin, those told of or ended included
    std::unordered_set<SocketKey, SocketKeyHash> left_meanwhile_;  // ended since the census began
    std::uint64_t census_begun_ns_ = 0;
    std::uint64_t census_number_ = 0;
    Totals totals_;
};

}  // namespace waitclose::model
