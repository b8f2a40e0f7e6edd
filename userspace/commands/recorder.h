// SPDX-License-Identifier: BSD-2-Clause
// What commands that record have in common: a session handed on to a writer, and the diagnoses kept with it.
#pragma once

#include "commands/options.h"
#include "commands/session.h"
#include "model/selection.h"
#include "store/recording.h"
#include "store/writer.h"

namespace waitclose::commands {

/// Hands everything on to the writer, which must outlive it.
class Recorder : public HoldListener, public Witness {
public:
    explicit Recorder(store::Writer& writer) : writer_(writer) {}

    void entered(const model::Hold&) override {}
    void transition(const model::Transition&) override {}
    void closed(const model::Closed& closed) override {
        if (!closed.left) writer_.missed(closed);
    }

    void on(const model::Entered& event) override { writer_.on(event); }
    void on(const model::Left& event) override { writer_.on(event); }
    void on(const model::Transition& event) override { writer_.on(event); }
    void look_begins(std::uint64_t at_ns) override { writer_.look_begins(at_ns); }
    void look(model::Census& census) override { writer_.look(census); }

private:
    store::Writer& writer_;
};

/// What the next look depends on.
struct Outlook {
    bool unsettled = false;  // a cause may soon be known better
    bool lasting = false;    // something is held for longer than was asked for
};

/// Records what is new of losses and diagnoses in a census of the session, which was recorded on the way.
Outlook record_diagnoses(store::Writer& writer, Session& session, const model::Census& census,
                         const model::Selection& selection);

/// The circumstances of a recording that begins now.
store::About about_of(const Session& session, const Request& request);

}  // namespace waitclose::commands
