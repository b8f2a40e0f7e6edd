// SPDX-License-Identifier: BSD-2-Clause
// Do the peers give up after a fixed time? It contributes to a hold, and never is its cause.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "diagnose/diagnosis.h"
#include "model/census.h"

namespace waitclose::diagnose {

/// A cluster of silences. Spans in ns.
struct PeerTimeout {
    std::uint64_t centre_ns = 0;  // the median
    std::uint64_t spread_ns = 0;  // between the quartiles
    std::uint64_t n = 0;          // silences in the cluster
    std::uint64_t of = 0;         // silences measured in all
    std::uint64_t low_ns = 0;     // its members
    std::uint64_t high_ns = 0;
};

/// From the peer's last data to its FIN, with nothing sent to it in between, so that it was the peer that
/// waited (for an answer; or, where this side is the client, for the next request). The data's stamp is in
/// ticks and read as the latest it can mean; where the FIN was traced that is made good, to a tick and what
/// ticks were counted late. Else both are stamps alike. Nothing when either end was not measured.
std::optional<std::uint64_t> silence_before_fin_ns(const model::Socket& socket);

/// The clusters in such silences. A histogram on a log scale, eight bins an octave (each 9 % wide); three
/// neighbouring bins hold a cluster when at least 8 silences and a third of all are within it, and its
/// quartiles lie within 5 % of its median: a timeout is a number in somebody's configuration, whereas
/// the patience of people, or the duration of requests, spreads. Silences under 100 ms (a peer that sends and
/// closes) count in `of` and form no cluster.
std::vector<PeerTimeout> clusters_of(std::vector<std::uint64_t> silences_ns);

/// "3.0 s": rounded to the nearest, as a timeout would be configured.
std::string rounded_text(std::uint64_t ns);

/// All held sockets' silences by service: the local port, or the remote service where this side is the
/// client.
class PeerTimeouts {
public:
    explicit PeerTimeouts(const model::Census& census);

    /// The cluster that a socket's own silence is in, or null.
    const PeerTimeout* of(const model::Socket& socket) const;

    /// Adds it to what contributed, with the evidence.
    void contribute(const model::Socket& socket, Diagnosis& diagnosis) const;

private:
    using Service = std::tuple<std::uint32_t, bool, std::array<std::uint8_t, 16>, std::uint16_t>;
    static Service service_of(const model::Socket& socket);

    std::map<Service, std::vector<PeerTimeout>> by_service_;
};

}  // namespace waitclose::diagnose
