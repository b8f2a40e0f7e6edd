// SPDX-License-Identifier: BSD-2-Clause
// Taking a census: every iterator once, every network namespace once.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <unordered_set>
#include <vector>

#include "failure.h"
#include "kernel/follower.h"
#include "kernel/iterator.h"
#include "kernel/probes.h"
#include "model/accept_history.h"
#include "model/census.h"
#include "symbols/kernel_symbols.h"

namespace waitclose::kernel {

struct Readings;

class CensusTaker {
public:
    /// Before capabilities are given up. `probes` must outlive it. `netns`: the only network namespace to
    /// read, 0 for all.
    static Result<CensusTaker> prepare(const Probes& probes, std::uint32_t netns);

    /// One complete reading, joined, processes described. The first one is taken twice where it found sockets
    /// without a descriptor: of those that a program was just closing, or accepting, the second tells.
    Result<model::Census> take();

private:
    CensusTaker(const Probes& probes, std::uint32_t netns, Iterator&& sockets, Iterator&& descriptors,
                Iterator&& threads, Iterator&& namespaces, Follower&& follower);

    using Visited = std::set<std::uint32_t>;

    Result<model::Census> take_once();
    bool mark_away(model::Census& census);
    Result<void> read(Readings& readings, Visited& visited);
    Result<std::vector<wc_census_namespace>> read_namespaces() const;
    Result<void> read_sockets(Readings& readings, const std::vector<wc_census_namespace>& lived_in,
                              Visited& visited) const;
    Result<void> read_sockets_here(Readings& readings) const;
    Result<void> read_descriptors(Readings& readings) const;
    Result<void> read_threads(Readings& readings) const;
    void complete(model::Census& census);
    void complete_accept_side(model::Census& census);

    const Probes* probes_;
    std::uint32_t netns_;
    using Away = std::unordered_set<model::SocketKey, model::SocketKeyHash>;
    /// Sockets of which the look before found no descriptor; nothing before the first look.
    std::optional<Away> away_;
    bool found_netns_ = false;  // --netns was entered once; when it is gone later, nothing is held there
    Iterator sockets_;
    Iterator descriptors_;
    Iterator threads_;
    Iterator namespaces_;
    symbols::KernelSymbols symbols_;
    Follower follower_;
    model::AcceptHistory accept_history_;
};

}  // namespace waitclose::kernel
