// SPDX-License-Identifier: BSD-2-Clause
// The live view as it runs: what it does by itself while time goes on, and what keys make it do.
#pragma once

#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>

#include "commands/live_looks.h"
#include "commands/live_notice.h"
#include "commands/live_record_key.h"
#include "commands/live_write_key.h"
#include "commands/options.h"
#include "commands/rhythm.h"
#include "live/chronicle.h"
#include "live/state.h"
#include "live/terminal.h"
#include "output/style.h"
#include "system/files.h"

namespace waitclose::commands {

struct LiveRequest {
    Request common;
    std::uint64_t interval_ns = 0;
};

/// Draws, and is the only one that does. Whatever takes long is done beside its thread: a key is answered
/// from the last picture at once.
class LiveView {
public:
    LiveView(const LiveRequest& request, live::Terminal& terminal, Looks& looks, output::TextStyle style);
    /// Waits for whoever still reads the census that is shown.
    ~LiveView() { looks_.wait(); }
    LiveView(const LiveView&) = delete;
    LiveView& operator=(const LiveView&) = delete;

    /// Until the user has had enough, a signal comes, or the terminal goes away.
    Result<void> run(const system::Descriptor& signals);

    /// What is still being written when the view ends.
    WriteKey& writing() { return write_key_; }

private:
    // What time brings: live_view.cpp.
    Result<void> look();
    bool holds_still() const;
    Result<void> take(live::Look look, std::uint64_t now);
    void take_ended();
    void follow_recording();
    void beat();
    void follow(std::uint64_t now);
    Result<void> tell_ready();
    void show();

    // What keys do: live_keys.cpp.
    bool answer_keys();
    void press(const live::Key& key);
    void filter();
    void begin_sorting();
    void record();
    void write();
    void say_in_view(Notice notice);
    void notify(Notice notice);
    void let_go_of_notice();
    std::string name_of_file() const;

    // One part in 25 of a CPU for censuses: with drawing it stays below one in twenty.
    static constexpr std::int64_t kPart = 25;
    // A recording is worth more to whoever asked for it.
    static constexpr std::int64_t kRecordingPart = 10;

    const LiveRequest& request_;
    live::Terminal& terminal_;
    Looks& looks_;
    output::TextStyle style_;
    Wanted wanted_;
    Rhythm rhythm_{kPart};
    live::Chronicle chronicle_;
    live::State state_;
    RecordKey record_key_;
    WriteKey write_key_;
    std::future<void> freed_;  // the census before
    Notice notice_;            // what was said last without a key having asked for it just now
    std::uint64_t notice_until_ns_ = 0;
    std::uint64_t message_until_ns_ = 0;  // what is at the foot now
    std::uint64_t beat_at_ns_ = 0;
    bool drawn_ = false;
    bool sort_anew_ = false;
    bool told_ready_ = false;
};

}  // namespace waitclose::commands
