// SPDX-License-Identifier: BSD-2-Clause
// The loop of the live view, and what time brings: looks, the recording, the beat of the clock.
#include "commands/live_view.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <poll.h>
#include <unistd.h>

#include "commands/background.h"
#include "commands/command.h"
#include "live/draw.h"
#include "system/host.h"

namespace waitclose::commands {

LiveView::LiveView(const LiveRequest& request, live::Terminal& terminal, Looks& looks,
                   output::TextStyle style)
    : request_(request), terminal_(terminal), looks_(looks), style_(style) {
    wanted_.selection = request.common.selection;
    const wc_filter& filter = request.common.probes.filter;
    wanted_.selects_addresses = filter.by_local_port || filter.by_remote_port || !filter.ipv4 || !filter.ipv6;
    live::Picture& picture = chronicle_.picture();
    picture.host = system::host_facts();
    picture.wall_offset_ns = system::wall_offset_ns();
    picture.probes = looks.session().probe_facts();
    chronicle_.select(wanted_.shown());
}

Result<void> LiveView::run(const system::Descriptor& signals) {
    constexpr int kRoundMs = 50;
    constexpr int kSoonMs = 10;
    for (;;) {
        if (auto looked = look(); !looked) return looked;
        if (const auto written = write_key_.follow()) notify(*written);
        let_go_of_notice();
        beat();
        if (!drawn_) show();
        pollfd awaited[]{{signals.get(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
        const bool soon = terminal_.is_waiting() || terminal_.is_taking();
        ::poll(awaited, std::size(awaited), soon ? kSoonMs : kRoundMs);
        if (awaited[0].revents != 0) return {};
        if ((awaited[1].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) return {};
        // Before anything else: whoever types waits for nothing but the drawing.
        if (!answer_keys()) return {};
    }
}

/// There must be something to hold still.
bool LiveView::holds_still() const {
    return state_.paused && chronicle_.picture().census;
}

/// Takes up a look that is done, and begins one that is due. A paused view looks on only for a recording.
Result<void> LiveView::look() {
    const std::uint64_t now = system::boottime_ns();
    if (!write_key_.busy()) {
        if (auto found = looks_.take()) {
            if (!*found) return tl::unexpected(found->error());
            rhythm_.took(looks_.cost_ns(), now);
            if (auto taken = take(std::move(**found), now); !taken) return taken;
        }
    }
    if (looks_.busy()) return {};
    follow_recording();
    if (looks_.busy()) return {};
    looks_.drain();  // the ring must not overflow, whatever is shown
    if (looks_.busy() || looks_.is_begun() || (holds_still() && !chronicle_.picture().recording)) return {};
    if (!state_.paused) take_ended();
    if (sort_anew_ && chronicle_.picture().census) {
        sort_anew_ = false;
        looks_.begin_sorting(*chronicle_.picture().census, wanted_);
        return {};
    }
    const bool wanted = looks_.session().ledger().has_untold(now, wanted_.selection.min_held_ns);
    if (rhythm_.is_due(now, wanted, request_.interval_ns)) looks_.begin(wanted_);
    return {};
}

Result<void> LiveView::take(live::Look look, std::uint64_t now) {
    std::unique_ptr<model::Census> before;
    if (holds_still()) {
        sort_anew_ = sort_anew_ || !look.census;
        look.diagnoser.reset();
        before = std::move(look.census);
    } else {
        // What has ended until now is no part of the new look, but of what is shown.
        take_ended();
        before = chronicle_.take(std::move(look));
        follow(now);
        beat_at_ns_ = 0;
    }
    // To free a large one takes time that keys would wait for.
    if (before) freed_ = in_background([before = std::move(before)]() mutable { before.reset(); });
    return tell_ready();
}

/// Drawn with the next beat or key: where thousands end a second, nobody reads twenty screens of it.
void LiveView::take_ended() {
    const live::Ends::Taken ended = looks_.take_ended();
    if (ended.latest.empty()) return;
    if (ended.before > 0) {
        const model::Closed& oldest = ended.latest.front();
        chronicle_.end_unknown(oldest.hold.since_ns + oldest.held_ns);
    }
    for (const model::Closed& closed : ended.latest) chronicle_.end(closed);
    live::note_end(state_, chronicle_.picture());  // before the next census takes its place
    chronicle_.recount(looks_.session().ledger().open());
}

/// What became of the recording since, which only now may be asked.
void LiveView::follow_recording() {
    const Recorded& recorded = looks_.recorded();
    auto& shown = chronicle_.picture().recording;
    if (shown.has_value() != recorded.on) rhythm_ = Rhythm(recorded.on ? kRecordingPart : kPart);
    shown.reset();
    if (recorded.on) shown = live::Recording{recorded.path, recorded.bytes};
    const auto name = [this] { return name_of_file() + ".db"; };
    if (const auto news = record_key_.follow(looks_, name, !state_.filter.empty())) notify(*news);
}

Result<void> LiveView::tell_ready() {
    if (!request_.common.ready_file || std::exchange(told_ready_, true)) return {};
    return create_ready_file(*request_.common.ready_file);
}

/// Once an interval the counters go on, and with them the clock.
void LiveView::beat() {
    const std::uint64_t now = system::boottime_ns();
    if (state_.paused || now - beat_at_ns_ < request_.interval_ns) return;
    beat_at_ns_ = now;
    live::Picture& picture = chronicle_.picture();
    picture.now_ns = now;
    if (!looks_.busy()) {
        const model::Ledger& ledger = looks_.session().ledger();
        picture.losses = looks_.session().losses();
        chronicle_.beat(now, {ledger.open(), ledger.totals().entered, ledger.totals().closed});
    }
    follow(now);
}

void LiveView::follow(std::uint64_t now) {
    live::Picture& picture = chronicle_.picture();
    picture.now_ns = std::max(now, picture.now_ns);
    if (picture.census) state_ = live::follow(std::move(state_), picture);
    drawn_ = false;
}

/// A terminal that has not yet taken what was drawn last gets the newest once it has.
void LiveView::show() {
    if (!terminal_.is_ready()) return;
    live::Frame frame = live::draw(chronicle_.picture(), state_, terminal_.size(), style_.charset);
    state_.scrolled.back() = frame.scrolled;
    state_.page = frame.page;
    terminal_.show(frame.screen);
    drawn_ = true;
}

}  // namespace waitclose::commands
