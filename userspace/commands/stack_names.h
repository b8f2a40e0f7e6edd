// SPDX-License-Identifier: BSD-2-Clause
// Call stacks by name while a session runs: where sockets were opened is told to the censuses that show them.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>

#include "failure.h"
#include "kernel/openings.h"
#include "kernel/probes.h"
#include "model/census.h"
#include "model/stack.h"
#include "symbols/kernel_symbols.h"
#include "symbols/naming.h"

namespace waitclose::commands {

class StackNames {
public:
    /// Before capabilities are given up. `probes` must outlive it.
    static Result<std::unique_ptr<StackNames>> open(const kernel::Probes& probes,
                                                    const kernel::ProbeSettings& settings);

    /// Takes the openings of sockets that have happened, and names as many of their stacks as there is time
    /// for: a twentieth of one CPU. To be called often.
    void drain();

    /// The same at the end, for so long at most.
    void finish(std::uint64_t most_ns);

    /// Sets Touches::opened_at of the sockets of which it is known.
    void give_openings(model::Census& census) const;

    /// Openings whose place is not told: there was no room, or no time.
    std::uint64_t unnamed_openings() const;

    symbols::Naming& naming() { return naming_; }

private:
    /// A deed that no two sockets share: at one moment a thread opens one.
    struct Moment {
        std::uint64_t start_ns = 0;
        std::uint64_t at_ns = 0;
        std::uint32_t tid = 0;
        bool operator==(const Moment&) const = default;
    };
    struct MomentHash {
        std::size_t operator()(const Moment& moment) const {
            return std::hash<std::uint64_t>{}((moment.at_ns ^ moment.start_ns) * 0x9e3779b97f4a7c15U ^
                                              moment.tid);
        }
    };
    using Raw = std::shared_ptr<const model::RawStack>;

    StackNames() : naming_(kernel_symbols_) {}
    void remember(const kernel::Opening& opening);
    void forget();
    void name_waiting();
    void name_next();
    bool meet(const model::RawStack& stack);

    symbols::KernelSymbols kernel_symbols_;
    symbols::Naming naming_;
    std::optional<kernel::OpeningReader> openings_;
    std::unordered_map<Moment, Raw, MomentHash> opened_;
    std::deque<Moment> in_order_;
    std::map<Raw, model::StackRef> named_;  // null: it could not be
    std::deque<Raw> waiting_;
    struct Met {
        std::uint64_t start_ns = 0;
        std::uint64_t at_ns = 0;
    };
    std::map<std::uint32_t, Met> met_;  // by pid
    std::int64_t saved_ns_ = 0;
    std::uint64_t counted_until_ns_ = 0;
    std::uint64_t unnamed_ = 0;
};

}  // namespace waitclose::commands
