// SPDX-License-Identifier: BSD-2-Clause
// Looks of the live view: censuses, taken and sorted beside the thread that draws, so that keys never wait;
// and the recording of what they see.
#pragma once

#include <deque>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "commands/background.h"
#include "commands/live_filter.h"
#include "commands/recorder.h"
#include "commands/session.h"
#include "live/chronicle.h"
#include "live/ends.h"

namespace waitclose::commands {

/// What to look at: what the command line selects, and of that what the filter lets pass.
struct Wanted {
    model::Selection selection;
    bool selects_addresses = false;  // on the command line: ports or families
    LiveFilter filter;
    std::uint64_t number = 0;  // of the filter: counts up

    /// What is shown of that.
    live::Shown shown() const;
};

/// How it stands with a recording.
struct Recorded {
    std::string path;
    std::uint64_t bytes = 0;
    bool on = false;
    std::optional<Failure> failure;  // why it could not begin, or ended by itself
};

/// Owns the session. While a look or another work is under way, nothing else of it may be used.
class Looks : private HoldListener, private Witness {
public:
    static Result<std::unique_ptr<Looks>> open(const Request& request);

    /// A look is being taken, or something is being recorded: hands off the session.
    bool busy() const { return is_running(look_) || is_running(work_); }
    /// Until it is so no longer.
    void wait() const;
    /// A look was begun, and not yet taken up.
    bool is_begun() const { return look_.valid(); }
    /// Begins a look.
    void begin(const Wanted& wanted);
    /// Sorts a census that was looked at already, which has to stay until then: a look without a census.
    void begin_sorting(const model::Census& census, const Wanted& wanted);
    /// The look that was begun, once it is there; nothing before.
    std::optional<Result<live::Look>> take();
    /// The CPU time that it took, in ns.
    std::uint64_t cost_ns() const { return cost_ns_; }

    /// Applies the events that wait; while it records, beside the thread that draws, where a slow disk may
    /// take its time.
    void drain();
    /// The holds that have ended since it was asked last.
    live::Ends::Taken take_ended() { return ended_.take(); }

    /// Begins a recording of what the command line selects, in a new file; and ends it.
    void record(std::string path);
    void stop_recording();
    /// Not while busy().
    const Recorded& recorded() const { return recorded_; }

    Session& session() { return *session_; }

private:
    explicit Looks(const Request& request) : request_(request) {}
    void entered(const model::Hold&) override {}
    void closed(const model::Closed& closed) override;
    void transition(const model::Transition&) override {}
    void on(const model::Entered& event) override;
    void on(const model::Left& event) override;
    void on(const model::Transition& event) override;
    void look_begins(std::uint64_t at_ns) override;
    void look(model::Census& census) override;

    template <typename Work>
    void in_look(Work work);
    Result<live::Look> take_look(const Wanted& wanted);
    live::Look sort(const model::Census& census, const Wanted& wanted);
    void tell(const model::Census& census, const std::vector<std::uint32_t>& sockets, std::uint64_t told);
    void remember(model::Census& census);
    void begin_recording();
    void tell_begins();
    void end_recording();
    void keep_up();
    void finish(store::Ending ending);

    const Request& request_;
    std::unique_ptr<Session> session_;
    std::unique_ptr<store::Writer> writer_;
    std::optional<Recorder> recorder_;  // while it records
    Recorded recorded_;
    std::uint64_t kept_up_ns_ = 0;
    live::Ends ended_;
    std::deque<model::EarlierLook> earlier_;  // of the last minutes, the oldest first
    std::uint64_t cost_ns_ = 0;
    std::future<Result<live::Look>> look_;
    std::future<void> work_;
};

}  // namespace waitclose::commands
