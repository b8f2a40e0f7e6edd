// SPDX-License-Identifier: BSD-2-Clause
// waitclose live: the full-screen view.
#include <algorithm>
#include <cctype>
#include <future>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "commands/background.h"
#include "commands/command.h"
#include "commands/live_looks.h"
#include "commands/named.h"
#include "commands/options.h"
#include "commands/rhythm.h"
#include "commands/tracing.h"
#include "diagnose/diagnoser.h"
#include "live/draw.h"
#include "live/terminal.h"
#include "output/format.h"
#include "output/snapshot_json.h"
#include "system/files.h"
#include "system/host.h"

namespace waitclose::commands {
namespace {

struct LiveOptions : Options {
    std::string interval = "1s";
};

struct LiveRequest {
    Request common;
    std::uint64_t interval_ns = 0;
};

/// "waitclose-20261120-200000"
std::string name_for(std::int64_t epoch_ns) {
    std::string name = "waitclose-";
    for (const char c : output::date_time_text(epoch_ns).substr(0, 19))
        if (std::isdigit(static_cast<unsigned char>(c)))
            name += c;
        else if (c == ' ')
            name += '-';
    return name;
}

class LiveView {
public:
    LiveView(const LiveRequest& request, live::Terminal& terminal, Looks& looks, output::TextStyle style)
        : request_(request), terminal_(terminal), looks_(looks), style_(style) {
        wanted_.selection = request.common.selection;
        const wc_filter& filter = request.common.probes.filter;
        wanted_.selects_addresses =
            filter.by_local_port || filter.by_remote_port || !filter.ipv4 || !filter.ipv6;
        live::Picture& picture = chronicle_.picture();
        picture.host = system::host_facts();
        picture.probes = looks.session().probe_facts();
        chronicle_.select(wanted_.selection.min_held_ns, wanted_.is_selective());
    }

    /// Until the user has had enough, a signal comes, or the terminal goes away.
    Result<void> run(const system::Descriptor& signals) {
        constexpr int kRoundMs = 50;
        for (;;) {
            if (auto looked = look(); !looked) return looked;
            follow_writing();
            beat();
            while (const auto input = terminal_.read()) {
                if (input->key) press(*input->key);
                drawn_ = false;
            }
            if (state_.wish == live::Wish::kQuit) return {};
            if (!drawn_) show();
            pollfd awaited[]{{signals.get(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
            ::poll(awaited, std::size(awaited), kRoundMs);
            if (awaited[0].revents != 0) return {};
            if ((awaited[1].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) return {};
        }
    }

private:
    /// Takes up a look that is done, and begins one that is due. A paused view looks on only for a recording.
    Result<void> look() {
        const std::uint64_t now = system::boottime_ns();
        if (!is_writing()) {
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
        if (looks_.busy() || looks_.is_begun() || (state_.paused && !chronicle_.picture().recording))
            return {};
        if (!state_.paused)
            for (const model::Closed& closed : looks_.take_ended()) chronicle_.end(closed);
        if (!is_writing() && sort_anew_ && chronicle_.picture().census) {
            sort_anew_ = false;
            chronicle_.take(looks_.sort(chronicle_.give_back().census, wanted_));
            beat_at_ns_ = 0;
            follow(now);
        }
        const bool wanted = looks_.session().ledger().has_untold(now, wanted_.selection.min_held_ns);
        if (rhythm_.is_due(now, wanted, request_.interval_ns)) looks_.begin(wanted_);
        return {};
    }

    Result<void> take(live::Look look, std::uint64_t now) {
        std::unique_ptr<model::Census> before;
        if (state_.paused) {
            look.diagnoser.reset();
            before = std::move(look.census);
        } else {
            before = chronicle_.take(std::move(look));
            follow(now);
            beat_at_ns_ = 0;
        }
        freed_ = in_background([before = std::move(before)]() mutable { before.reset(); });
        return tell_ready();
    }

    /// What became of the recording since, which only now may be asked.
    void follow_recording() {
        const Recorded& recorded = looks_.recorded();
        auto& shown = chronicle_.picture().recording;
        const bool was_on = shown.has_value();
        if (recorded.on)
            shown = live::Recording{recorded.path, recorded.bytes};
        else
            shown.reset();
        if (was_on != recorded.on) rhythm_ = Rhythm(recorded.on ? kRecordingPart : kPart);
        if (wants_recording_ && *wants_recording_ == recorded.on && !recorded.failure) {
            wants_recording_.reset();
            notify(recorded.on ? recording_began(recorded)
                               : fmt::format("recorded: {0}; 'waitclose report {0}' tells what happened",
                                             recorded.path),
                   false);
        } else if (recorded.failure && (wants_recording_ || was_on)) {
            wants_recording_.reset();
            notify(fmt::format("{}; {}", recorded.failure->what, recorded.failure->remedy), true);
        }
        if (!std::exchange(asked_recording_, false)) return;
        wants_recording_ = !recorded.on;
        if (recorded.on)
            looks_.stop_recording();
        else
            looks_.record(name_for(wall_now()) + ".db");
    }

    std::string recording_began(const Recorded& recorded) const {
        return fmt::format("recording to {}{}; r ends it", recorded.path,
                           state_.filter.empty() ? "" : ", the filter aside");
    }

    std::int64_t wall_now() const {
        return static_cast<std::int64_t>(system::boottime_ns()) + chronicle_.picture().wall_offset_ns;
    }

    Result<void> tell_ready() {
        if (!request_.common.ready_file || std::exchange(told_ready_, true)) return {};
        return create_ready_file(*request_.common.ready_file);
    }

    /// Once an interval the counters go on, and with them the clock.
    void beat() {
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

    void follow(std::uint64_t now) {
        chronicle_.picture().now_ns = std::max(now, chronicle_.picture().now_ns);
        if (chronicle_.picture().census) state_ = live::follow(std::move(state_), chronicle_.picture());
        drawn_ = false;
    }

    void press(const live::Key& key) {
        if (!chronicle_.picture().census && key.text != "q") return;
        state_ = live::press(std::move(state_), key, chronicle_.picture());
        const live::Wish wish = state_.wish;
        if (wish == live::Wish::kQuit) return;
        state_.wish = live::Wish::kNone;
        if (wish == live::Wish::kFilter) filter();
        if (wish == live::Wish::kWrite) write();
        if (wish == live::Wish::kRecord) asked_recording_ = true;
        if (state_.message.empty() && !state_.typing && system::boottime_ns() < notice_until_ns_)
            say_in_view(notice_, notice_is_error_);
    }

    void say_in_view(std::string message, bool is_error) {
        state_.message = std::move(message);
        state_.message_is_error = is_error;
        drawn_ = false;
    }

    /// Says what no key has asked for just now: the next key does not take it away at once.
    void notify(std::string message, bool is_error) {
        constexpr std::uint64_t kStaysNs = 5'000'000'000;
        notice_ = message;
        notice_is_error_ = is_error;
        notice_until_ns_ = system::boottime_ns() + kStaysNs;
        say_in_view(std::move(message), is_error);
    }

    void filter() {
        auto parsed = parse_filter(*state_.typing);
        if (!parsed)
            return say_in_view(fmt::format("{}; {}", parsed.error().what, parsed.error().remedy), true);
        state_.filter = *std::exchange(state_.typing, std::nullopt);
        wanted_.filter = std::move(*parsed);
        state_.paused = false;
        sort_anew_ = true;
        chronicle_.select(wanted_.selection.min_held_ns, wanted_.is_selective());
    }

    /// What the view shows: all groups, one, or one hold.
    std::vector<std::uint32_t> shown() const {
        const live::Picture& picture = chronicle_.picture();
        std::vector<std::uint32_t> sockets;
        if (state_.view() == live::View::kHold) {
            if (const model::Socket* socket = live::socket_of(state_, picture))
                sockets.push_back(static_cast<std::uint32_t>(socket - picture.census->sockets.data()));
            return sockets;
        }
        const live::GroupRow* only = state_.path.size() > 1 ? live::group_of(state_, picture) : nullptr;
        for (const live::GroupRow& row : picture.groups)
            if (!only || only == &row)
                sockets.insert(sockets.end(), row.group.all.begin(), row.group.all.end());
        return sockets;
    }

    bool is_writing() const { return written_.valid(); }

    /// Writes beside the thread that draws. Until that is done the census stays the one that is shown.
    void write() {
        if (is_writing()) return say_in_view("still writing", false);
        const live::Picture& picture = chronicle_.picture();
        say_in_view("writing ...", false);
        written_ = in_background(
            [name = name_for(wall_now()), census = picture.census, selected = shown(),
             text = live::text_of(live::draw(picture, state_, terminal_.size(), style_.charset).screen),
             host = picture.host, probes = picture.probes, losses = picture.losses]() -> Result<std::string> {
                const auto shown = write_file(name + ".txt", [&](output::Sink& sink) { sink.write(text); });
                if (!shown) return tl::unexpected(shown.error());
                diagnose::Diagnoser diagnoser(*census);
                const auto groups = diagnose::group(*census, selected);
                const auto explain = [&](const model::Socket& socket) { return diagnoser.diagnose(socket); };
                const auto json = write_file(name + ".json", [&](output::Sink& sink) {
                    output::write_snapshot_json(
                        sink, {*census, selected, groups, host, probes, losses, explain, {}});
                });
                if (!json) return tl::unexpected(json.error());
                return name;
            });
    }

    /// Says that it is written, once it is.
    void follow_writing() {
        if (!is_writing() || is_running(written_)) return;
        const Result<std::string> name = written_.get();
        if (name)
            notify(fmt::format("written: {0}.txt and {0}.json", *name), false);
        else
            notify(name.error().what, true);
    }

    template <typename Write>
    static Result<void> write_file(const std::string& path, Write write) {
        auto sink = open_output(path);
        if (!sink) return tl::unexpected(sink.error());
        write(*sink);
        return finish(*sink);
    }

    void show() {
        live::Frame frame = live::draw(chronicle_.picture(), state_, terminal_.size(), style_.charset);
        state_.scrolled.back() = frame.scrolled;
        state_.page = frame.page;
        terminal_.show(frame.screen);
        drawn_ = true;
    }

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
    std::future<void> freed_;  // the census before
    std::future<Result<std::string>> written_;
    std::optional<bool> wants_recording_;  // what was begun or ended, and is not yet said
    bool asked_recording_ = false;
    std::string notice_;
    bool notice_is_error_ = false;
    std::uint64_t notice_until_ns_ = 0;
    std::uint64_t beat_at_ns_ = 0;
    bool drawn_ = false;
    bool sort_anew_ = false;
    bool told_ready_ = false;
};

void wait_for(const Looks& looks) {
    while (looks.busy()) ::poll(nullptr, 0, 10);
}

/// A recording that is still being written ends with the view.
Result<void> end_recording(Looks& looks) {
    wait_for(looks);
    if (!looks.recorded().on) return {};
    looks.stop_recording();
    wait_for(looks);
    if (const auto& failure = looks.recorded().failure) return tl::unexpected(*failure);
    say(fmt::format("waitclose: recorded to {0}; 'waitclose report {0}' tells what happened",
                    looks.recorded().path));
    return {};
}

Result<int> run(const LiveRequest& request) {
    const output::TerminalFacts facts = output::read_terminal(STDOUT_FILENO);
    if (!facts.is_terminal || ::isatty(STDIN_FILENO) != 1)
        return tl::unexpected(
            Failure{"the live view needs a terminal to draw on and to read keys from",
                    "'waitclose watch' tells the same in lines, 'waitclose snapshot' once"});
    if (auto named = look_for_named(request.common.selection); !named) return tl::unexpected(named.error());
    const system::Descriptor signals(open_signal_descriptor());
    const auto looks = Looks::open(request.common);
    if (!looks) return tl::unexpected(looks.error());
    const auto style = output::style_for(request.common.color, facts);
    Result<void> ran;
    {
        const auto terminal = live::Terminal::open(style);
        if (!terminal) return tl::unexpected(terminal.error());
        ran = LiveView(request, **terminal, **looks, style).run(signals);
    }
    const auto recorded = end_recording(**looks);
    if (!ran) return tl::unexpected(ran.error());
    if (!recorded) return tl::unexpected(recorded.error());
    if (auto settled = settle((*looks)->session()); !settled) return tl::unexpected(settled.error());
    print_totals((*looks)->session());
    return kDone;
}

Result<LiveRequest> check_live(const LiveOptions& options) {
    constexpr std::uint64_t kShortest = 100'000'000;
    LiveRequest request;
    auto common = check(options);
    if (!common) return tl::unexpected(common.error());
    request.common = std::move(*common);
    request.common.probes.trace = true;
    request.common.probes.want_peers = true;
    const auto interval = check_duration("--interval", options.interval);
    if (!interval) return tl::unexpected(interval.error());
    if (*interval < kShortest)
        return tl::unexpected(Failure{"--interval: at least 100ms", "the view follows keys at once anyway"});
    request.interval_ns = *interval;
    return request;
}

}  // namespace

void add_live(CLI::App& app, int& exit_code) {
    CLI::App* command =
        app.add_subcommand("live", "the full-screen view: who, how many, why; look inside with Enter");
    auto options = std::make_shared<LiveOptions>();
    add_selection_options(*command, *options);
    add_screen_options(*command, *options);
    add_tracing_options(*command, *options);
    command->add_option("--interval", options->interval, "draw anew, and look again, this often")
        ->type_name("DUR")
        ->capture_default_str();
    command->callback([options, &exit_code] { exit_code = carry_out(check_live(*options), run); });
}

}  // namespace waitclose::commands
