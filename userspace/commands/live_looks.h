// SPDX-License-Identifier: BSD-2-Clause
// Looks of the live view: censuses, taken and sorted beside the thread that draws, so that keys never wait.
#pragma once

#include <deque>
#include <future>
#include <memory>
#include <optional>
#include <vector>

#include "commands/live_filter.h"
#include "commands/session.h"
#include "live/chronicle.h"

namespace waitclose::commands {

/// What to look at: what the command line selects, and of that what the filter lets pass.
struct Wanted {
    model::Selection selection;
    bool selects_addresses = false;  // on the command line: ports or families
    LiveFilter filter;

    bool is_selective() const {
        return filter.any || !selection.pids.empty() || selection.comm || selection.cgroup;
    }
};

/// Owns the session. While a look is under way, nothing else of it may be used.
class Looks : private HoldListener {
public:
    static Result<std::unique_ptr<Looks>> open(const kernel::ProbeSettings& settings);

    /// A look is being taken: hands off the session.
    bool busy() const;
    /// A look was begun, and not yet taken up.
    bool is_begun() const { return look_.valid(); }
    /// Begins a look.
    void begin(const Wanted& wanted);
    /// The look that was begun, once it is there; nothing before.
    std::optional<Result<live::Look>> take();
    /// The CPU time that it took, in ns.
    std::uint64_t cost_ns() const { return cost_ns_; }

    /// Sorts a census that was looked at already.
    live::Look sort(std::unique_ptr<model::Census> census, const Wanted& wanted);

    /// Applies the events that wait. Returns the holds that have ended.
    std::vector<model::Closed> drain();

    Session& session() { return *session_; }

private:
    Looks() = default;
    void entered(const model::Hold&) override {}
    void closed(const model::Closed& closed) override;
    void transition(const model::Transition&) override {}

    Result<live::Look> look(const Wanted& wanted);
    void remember(model::Census& census);

    std::unique_ptr<Session> session_;
    std::vector<model::Closed> ended_;
    std::deque<model::EarlierLook> earlier_;  // of the last minutes, the oldest first
    std::uint64_t cost_ns_ = 0;
    std::future<Result<live::Look>> look_;
};

}  // namespace waitclose::commands
