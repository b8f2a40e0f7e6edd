// SPDX-License-Identifier: BSD-2-Clause
// A tracing session: probes, census and ledger kept in step. What snapshot and watch have in common.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "commands/stack_names.h"
#include "failure.h"
#include "kernel/census.h"
#include "kernel/probes.h"
#include "kernel/window.h"
#include "model/ledger.h"

namespace waitclose::commands {

/// Told of holds as they begin and end.
class HoldListener {
public:
    virtual ~HoldListener() = default;
    virtual void entered(const model::Hold& hold) = 0;
    virtual void closed(const model::Closed& closed) = 0;
    virtual void transition(const model::Transition& transition) = 0;
};

/// Told everything that the ledger is told, before it is: the stream from which all can be worked out again.
class Witness {
public:
    virtual ~Witness() = default;
    virtual void on(const model::Entered& event) = 0;
    virtual void on(const model::Left& event) = 0;
    virtual void on(const model::Transition& event) = 0;
    virtual void look_begins(std::uint64_t at_ns) = 0;
    virtual void look(model::Census& census) = 0;
};

class Session : private kernel::EventSink {
public:
    /// Loads and attaches. Capabilities that are of no more use afterwards are given up; of a session that
    /// captures by who opened it, once everything has begun. `listener` and `witness` must outlive it.
    static Result<std::unique_ptr<Session>> open(const kernel::ProbeSettings& settings,
                                                 HoldListener& listener, Witness* witness = nullptr);

    /// Applies all waiting events to the ledger.
    void drain();

    /// Takes a census and, when tracing, brings ledger and census to one truth.
    Result<model::Census> take_census();

    /// The same, with a window that began a second ago or somewhat earlier, at the census before.
    Result<model::Census> take_next_census();

    /// Takes a census with which a window begins; the next one ends it and tells what happened in it.
    Result<model::Census> open_window();

    /// Takes a census in the midst of a window, which goes on.
    Result<model::Census> take_census_within_window();

    /// Ends the tracing, and applies what was reported until then.
    void end_tracing();

    model::Losses losses() const;
    model::ProbeFacts probe_facts() const;
    model::Ledger& ledger() { return ledger_; }
    const model::Ledger& ledger() const { return ledger_; }
    const kernel::Probes& probes() const { return probes_; }
    /// Null unless the settings ask for stacks.
    StackNames* stack_names() { return stack_names_.get(); }

private:
    Session(kernel::Probes&& probes, const kernel::ProbeSettings& settings, HoldListener& listener,
            Witness* witness);
    void on(const model::Entered& event) override;
    void on(const model::Left& event) override;
    void on(const model::Transition& event) override;
    Result<model::Census> take(bool ends_window);

    kernel::Probes probes_;
    bool traces_;
    kernel::Purpose purpose_;
    HoldListener& listener_;
    Witness* witness_;
    std::optional<kernel::CensusTaker> taker_;
    std::optional<kernel::WindowTaker> window_;
    std::unique_ptr<StackNames> stack_names_;
    model::Ledger ledger_;
};

}  // namespace waitclose::commands
