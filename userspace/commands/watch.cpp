// SPDX-License-Identifier: BSD-2-Clause
// waitclose watch: holds as they begin, last, change and end, a line each.
#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "commands/command.h"
#include "commands/named.h"
#include "commands/options.h"
#include "commands/rhythm.h"
#include "commands/session.h"
#include "commands/told.h"
#include "commands/tracing.h"
#include "diagnose/diagnoser.h"
#include "output/json.h"
#include "output/sink.h"
#include "output/watch_json.h"
#include "output/watch_text.h"
#include "system/files.h"
#include "system/host.h"

namespace waitclose::commands {
namespace {

using output::WatchEvent;

/// Writes the lines. Text tells only of holds that lasted; JSON tells of every one.
class Reporter : public HoldListener {
public:
    Reporter(output::Sink& sink, const Request& request)
        : sink_(sink),
          json_(request.json),
          style_(output::style_for(request.color, output::read_terminal(sink.descriptor()))),
          selects_holders_(request.selection.by_holder()) {}

    void entered(const model::Hold& hold) override {
        // Whose socket it is no event can tell: where holders select, the first census speaks.
        if (json_ && !selects_holders_)
            sink_.write(output::watch_line(WatchEvent::kEntered, wall(hold.since_ns),
                                           output::socket_json(hold, 0, offset_)));
    }

    void closed(const model::Closed& closed) override {
        const auto told = last_told_.find(closed.hold.connection.key);
        const bool was_told = closed.hold.told > Told::kUnwanted;
        if (json_ && (was_told || !selects_holders_)) {
            auto socket = told != last_told_.end()
                              ? nlohmann::ordered_json::parse(told->second)
                              : output::socket_json(closed.hold, closed.held_ns, offset_);
            output::set_hold(socket, closed.held_ns, closed.hold.since_ns, closed.hold.precision, offset_);
            sink_.write(output::watch_line(WatchEvent::kClosed, wall(closed.hold.since_ns + closed.held_ns),
                                           std::move(socket), closed.left ? &*closed.left : nullptr));
        } else if (!json_ && was_told) {
            sink_.write(output::watch_text(closed, wall(closed.hold.since_ns + closed.held_ns), style_));
        }
        if (told != last_told_.end()) last_told_.erase(told);
    }

    void transition(const model::Transition& transition) override {
        sink_.write(json_ ? output::transition_line(transition, offset_)
                          : output::transition_text(transition, offset_, style_));
    }

    /// Tells of a hold that lasted, if there is something new to tell. `diagnoser` is that of the census.
    /// Returns whether the cause may soon be known better: it is young, and its thread may still be on its
    /// way to close().
    bool lasting(const model::Census& census, diagnose::Diagnoser& diagnoser, const model::Socket& socket,
                 model::Hold& hold) {
        const diagnose::Verdict verdict = diagnoser.decide(socket).verdict;
        const bool unsettled = may_soon_settle(verdict, census.held_ns(socket));
        const std::uint64_t now_told = fingerprint(census, socket, verdict);
        if (hold.told == now_told) return unsettled;
        const auto event = hold.told > Told::kUnwanted ? WatchEvent::kChanged : WatchEvent::kHeld;
        hold.told = now_told;
        const auto diagnosis = diagnoser.diagnose(socket);
        if (json_) {
            auto object = output::socket_json(census, socket, diagnosis);
            remember(hold.connection.key, object);
            sink_.write(output::watch_line(event, wall(census.taken_ns), std::move(object)));
        } else {
            sink_.write(output::watch_text(event, wall(census.taken_ns), census, socket, diagnosis, style_));
        }
        return unsettled;
    }

    void set_wall_offset(std::int64_t offset_ns) { offset_ = offset_ns; }

private:
    static constexpr std::size_t kMostRemembered = 20'000;

    std::int64_t wall(std::uint64_t boottime_ns) const {
        return static_cast<std::int64_t>(boottime_ns) + offset_;
    }

    /// What a `closed` line repeats. Bounded: past that a consumer joins by id.
    void remember(const model::SocketKey& key, const nlohmann::ordered_json& object) {
        if (last_told_.size() < kMostRemembered || last_told_.contains(key))
            last_told_[key] = object.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
    }

    /// Changes when the cause, how sure it is, the culprit or the holders do, and when end-of-file was read.
    static std::uint64_t fingerprint(const model::Census& census, const model::Socket& socket,
                                     const diagnose::Verdict& verdict) {
        Told told(verdict, diagnose::eof_read(census, socket));
        told.mix(verdict.who.process ? verdict.who.process->pid : 0);
        for (const model::Holder& holder : census.holders_of(socket)) {
            told.mix(census.process_of(holder).pid);
            told.mix(static_cast<std::uint64_t>(holder.fd));
        }
        return told.value();
    }

    output::Sink& sink_;
    bool json_;
    output::TextStyle style_;
    bool selects_holders_;
    std::int64_t offset_ = system::wall_offset_ns();
    std::unordered_map<model::SocketKey, std::string, model::SocketKeyHash> last_told_;
};

/// Takes a census and tells what is new. Returns whether another look soon may tell more.
Result<bool> look(Session& session, Reporter& reporter, const model::Selection& selection) {
    auto census = session.take_next_census();
    if (!census) return tl::unexpected(census.error());
    reporter.set_wall_offset(census->wall_offset_ns);
    diagnose::Diagnoser diagnoser(*census);
    bool unsettled = false;
    for (const model::Socket& socket : census->sockets) {
        model::Hold* hold = session.ledger().find({socket.netns, socket.cookie});
        if (!hold || census->held_ns(socket) < selection.min_held_ns) continue;
        if (model::is_wanted(*census, socket, selection))
            unsettled |= reporter.lasting(*census, diagnoser, socket, *hold);
        else
            Told::looked_at(*hold);
    }
    return unsettled;
}

Result<void> loop(Session& session, Reporter& reporter, const TracedRequest& request, output::Sink& sink,
                  const system::Descriptor& signals) {
    constexpr int kRoundMs = 50;
    Rhythm rhythm;
    bool unsettled = true;
    std::uint64_t lost = 0;
    const std::uint64_t begun = system::boottime_ns();
    for (;;) {
        session.drain();
        const std::uint64_t now = system::boottime_ns();
        const std::uint64_t min_held = request.common.selection.min_held_ns;
        const bool has_lost = std::exchange(lost, session.losses().ring) != lost;
        unsettled = unsettled || has_lost;
        if (rhythm.is_due(now, unsettled || session.ledger().has_untold(now, min_held))) {
            const std::uint64_t cpu_before_ns = system::own_cpu_ns();
            const auto looked = look(session, reporter, request.common.selection);
            if (!looked) return tl::unexpected(looked.error());
            unsettled = *looked;
            rhythm.took(system::own_cpu_ns() - cpu_before_ns, system::boottime_ns());
        }
        if (auto flushed = sink.flush(); !flushed)
            return tl::unexpected(Failure{flushed.error(), "free some space or name another file with -o"});
        pollfd ended{signals.get(), POLLIN, 0};
        const bool over = request.is_over(now - begun);
        if (over || sink.ended() || ::poll(&ended, 1, kRoundMs) > 0) return {};
    }
}

struct WatchOptions : TracedOptions {
    bool stacks = false;
};

Result<TracedRequest> check_watch(const WatchOptions& options) {
    auto request = check_traced(options);
    if (request) request->common.probes.opening_stacks = options.stacks;
    return request;
}

/// On stderr, if there are any.
void say_unnamed_openings(Session& session) {
    const StackNames* names = session.stack_names();
    if (const std::uint64_t unnamed = names ? names->unnamed_openings() : 0)
        say(fmt::format("waitclose: of {} sockets that were opened it is not known where in the program",
                        unnamed));
}

Result<int> run(const TracedRequest& request) {
    if (auto named = look_for_named(request.common.selection); !named) return tl::unexpected(named.error());
    const system::Descriptor signals(open_signal_descriptor());
    auto sink = open_stream(request.common.output);
    if (!sink) return tl::unexpected(sink.error());
    Reporter reporter(*sink, request.common);
    const auto session = Session::open(request.common.probes, reporter);
    if (!session) return tl::unexpected(session.error());
    say_what_is_missing(**session);
    if (auto looked = look(**session, reporter, request.common.selection); !looked)
        return tl::unexpected(looked.error());
    if (request.common.ready_file)
        if (auto created = create_ready_file(*request.common.ready_file); !created)
            return tl::unexpected(created.error());
    if (auto looped = loop(**session, reporter, request, *sink, signals); !looped)
        return tl::unexpected(looped.error());
    if (auto settled = settle(**session); !settled) return tl::unexpected(settled.error());
    print_totals(**session);
    say_unnamed_openings(**session);
    if (auto finished = finish(*sink); !finished) return tl::unexpected(finished.error());
    return kDone;
}

}  // namespace

void add_watch(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("watch", "holds as they begin, last, change and end, a line each");
    auto options = std::make_shared<WatchOptions>();
    add_selection_options(*command, *options);
    add_common_options(*command, *options);
    add_traced_options(*command, *options, "print every state change of every socket");
    command->add_flag("--stacks", options->stacks,
                      "tell where in its program a socket was opened; costs some microseconds a connection");
    command->callback([options, &exit_code] { exit_code = carry_out(check_watch(*options), run); });
}

}  // namespace waitclose::commands
