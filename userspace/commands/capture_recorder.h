// SPDX-License-Identifier: BSD-2-Clause
// What a capture records: everything a recording has, with addresses replaced where that was asked for.
#pragma once

#include <functional>
#include <utility>

#include "bundle/redaction.h"
#include "commands/recorder.h"

namespace waitclose::commands {

class CaptureRecorder : public Recorder {
public:
    /// `redaction`: null where addresses stay.
    CaptureRecorder(store::Writer& writer, bundle::Redaction* redaction)
        : Recorder(writer), redaction_(redaction) {}

    /// Before the next look is recorded this is done with it.
    void before_next_look(std::function<void(model::Census&)> use) { before_look_ = std::move(use); }

    void on(const model::Entered& event) override { Recorder::on(masked(event)); }
    void on(const model::Transition& event) override { Recorder::on(masked(event)); }
    void on(const model::Left& event) override {
        model::Left left = event;
        if (redaction_ && left.closer) redaction_->mask(*left.closer);
        Recorder::on(left);
    }
    void look(model::Census& census) override {
        if (auto use = std::exchange(before_look_, {})) use(census);
        if (redaction_) redaction_->mask(census);
        Recorder::look(census);
    }

private:
    template <typename Event>
    Event masked(Event event) {
        if (redaction_) redaction_->mask(event.connection);
        return event;
    }

    bundle::Redaction* redaction_;
    std::function<void(model::Census&)> before_look_;
};

}  // namespace waitclose::commands
