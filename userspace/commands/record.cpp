// SPDX-License-Identifier: BSD-2-Clause
// waitclose record: traces into a recording.
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include "commands/command.h"
#include "commands/named.h"
#include "commands/options.h"
#include "commands/recorder.h"
#include "commands/rhythm.h"
#include "commands/session.h"
#include "commands/tracing.h"
#include "store/writer.h"
#include "system/host.h"

namespace waitclose::commands {
namespace {

struct RecordOptions : TracedOptions {
    bool force = false;
    std::string max_size = "1G";
};

struct RecordRequest : TracedRequest {
    std::uint64_t max_bytes = 0;
    bool force = false;
};

/// Takes a census, which is recorded on the way, and tells what is new of the diagnoses.
Result<Outlook> look(Session& session, store::Writer& writer, const model::Selection& selection) {
    auto census = session.take_next_census();
    if (!census) return tl::unexpected(census.error());
    return record_diagnoses(writer, session, *census, selection);
}

/// On a terminal, what there is so far; at most once a second.
class Progress {
public:
    void show(std::uint64_t now_ns, const Session& session, const store::Writer& writer) {
        constexpr std::uint64_t kEveryNs = 1'000'000'000;
        if (!terminal_ || now_ns - shown_ns_ < kEveryNs) return;
        shown_ns_ = now_ns;
        fmt::print(stderr, "\r\033[Krecording for {} s: {} holds open, {} lost, {} KiB written",
                   (now_ns - begun_ns_) / kEveryNs, session.ledger().open(), session.losses().ring,
                   writer.bytes() >> 10);
        std::fflush(stderr);
    }
    ~Progress() {
        if (shown_ns_) fmt::print(stderr, "\r\033[K");
    }

private:
    bool terminal_ = ::isatty(STDERR_FILENO) == 1;
    std::uint64_t begun_ns_ = system::boottime_ns();
    std::uint64_t shown_ns_ = 0;
};

/// Until a signal, the end of the time, or the end of what can be written. Why it ended.
Result<store::Ending> loop(Session& session, store::Writer& writer, const RecordRequest& request,
                           const system::Descriptor& signals) {
    constexpr int kRoundMs = 50;
    constexpr std::uint64_t kSampleNs = 1'000'000'000;  // what threads do is seen by looks alone
    Rhythm rhythm;
    Progress progress;
    Outlook outlook{.unsettled = true, .lasting = false};
    std::uint64_t lost = 0;
    const std::uint64_t begun = system::boottime_ns();
    for (;;) {
        session.drain();
        const std::uint64_t now = system::boottime_ns();
        const std::uint64_t min_held = request.common.selection.min_held_ns;
        const bool has_lost = std::exchange(lost, session.losses().ring) != lost;
        outlook.unsettled |= has_lost;
        if (has_lost) writer.losses(now, session.losses());
        if (!writer.keep_up(now)) return writer.ending();
        if (rhythm.is_due(now, outlook.unsettled || session.ledger().has_untold(now, min_held),
                          outlook.lasting ? kSampleNs : Rhythm::kUsual)) {
            const std::uint64_t cpu_before_ns = system::own_cpu_ns();
            const auto looked = look(session, writer, request.common.selection);
            if (!looked) return tl::unexpected(looked.error());
            outlook = *looked;
            rhythm.took(system::own_cpu_ns() - cpu_before_ns, system::boottime_ns());
        }
        progress.show(now, session, writer);
        pollfd ended{signals.get(), POLLIN, 0};
        if (request.is_over(now - begun)) return store::Ending::kDuration;
        if (::poll(&ended, 1, kRoundMs) > 0) return store::Ending::kAsked;
    }
}

/// From the first look to the last.
Result<store::Ending> trace(Session& session, store::Writer& writer, const RecordRequest& request,
                            const system::Descriptor& signals) {
    auto ending = loop(session, writer, request, signals);
    if (!ending) return ending;
    // What threads have done since the last look only another one tells.
    if (*ending == store::Ending::kAsked || *ending == store::Ending::kDuration)
        if (auto looked = look(session, writer, request.common.selection); !looked)
            return tl::unexpected(looked.error());
    if (auto settled = settle(session); !settled) return tl::unexpected(settled.error());
    writer.losses(system::boottime_ns(), session.losses());
    return ending;
}

Result<std::unique_ptr<Session>> begin(Recorder& recorder, store::Writer& writer,
                                       const RecordRequest& request) {
    auto session = Session::open(request.common.probes, recorder, &recorder);
    if (!session) return session;
    say_what_is_missing(**session);
    writer.about(about_of(**session, request.common));
    if (auto looked = look(**session, writer, request.common.selection); !looked)
        return tl::unexpected(looked.error());
    writer.keep_up(system::boottime_ns());
    if (request.common.ready_file)
        if (auto created = create_ready_file(*request.common.ready_file); !created)
            return tl::unexpected(created.error());
    return session;
}

void say_how_it_ended(store::Ending ending, const store::Writer& writer, const RecordRequest& request) {
    if (ending == store::Ending::kSize)
        say(fmt::format("waitclose: '{}' has reached its size (--max-size): the recording ends here",
                        *request.common.output));
    if (writer.dropped())
        say(fmt::format("waitclose: {} holds {} were not kept", writer.dropped(),
                        request.common.selection.by_holder()
                            ? "that no look saw, so that nobody knows whose they were,"
                            : "shorter than --min-held"));
}

Result<int> run(const RecordRequest& request) {
    if (auto named = look_for_named(request.common.selection); !named) return tl::unexpected(named.error());
    const system::Descriptor signals(open_signal_descriptor());
    auto writer = store::Writer::create({.path = *request.common.output,
                                         .force = request.force,
                                         .max_bytes = request.max_bytes,
                                         .selection = request.common.selection});
    if (!writer) return tl::unexpected(writer.error());
    Recorder recorder(**writer);
    const auto session = begin(recorder, **writer, request);
    if (!session) {
        (*writer)->discard();
        return tl::unexpected(session.error());
    }
    const auto ending = trace(**session, **writer, request, signals);
    if (!ending) (*writer)->fail(ending.error());
    const auto finished = (*writer)->finish(ending.value_or(store::Ending::kFailed), system::boottime_ns());
    say_how_it_ended((*writer)->ending(), **writer, request);
    print_totals(**session, request.common.selection.by_holder());
    if (!finished) return tl::unexpected(finished.error());
    return kDone;
}

Result<void> check_name(const std::string& name) {
    if (name.empty())
        return tl::unexpected(Failure{"-o: the name of the recording is empty", "name a file, e.g. -o F.db"});
    if (name == "-")
        return tl::unexpected(Failure{"-o: a recording is a file, and cannot go to stdout",
                                      "name a file, e.g. -o F.db, and export it later"});
    return {};
}

/// An empty recording alone takes a good part of that.
constexpr std::uint64_t kLeastBytes = 1 << 20;

Result<RecordRequest> check_record(const RecordOptions& options) {
    auto traced = check_traced(options);
    if (!traced) return tl::unexpected(traced.error());
    RecordRequest request{std::move(*traced)};
    request.common.probes.want_peers = true;
    request.force = options.force;
    if (auto named = check_name(options.output.value_or("")); !named) return tl::unexpected(named.error());
    const auto size = check_size("--max-size", options.max_size);
    if (!size) return tl::unexpected(size.error());
    if (*size < kLeastBytes)
        return tl::unexpected(Failure{fmt::format("--max-size: '{}' is too small", options.max_size),
                                      "give at least 1M, e.g. --max-size 500M"});
    request.max_bytes = *size;
    return request;
}

}  // namespace

void add_record(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("record", "trace into a recording, for report and export");
    auto options = std::make_shared<RecordOptions>();
    add_selection_options(*command, *options);
    command->add_option("-o,--output", options->output, "the recording (an SQLite file)")
        ->type_name("FILE")
        ->required();
    command->add_flag("--force", options->force, "replace a recording that is there");
    add_traced_options(*command, *options,
                       "keep every state change of every socket, not only what concerns holds");
    command
        ->add_option("--max-size", options->max_size, "stop when the recording has this size (at least 1M)")
        ->type_name("SIZE")
        ->capture_default_str();
    add_tracing_options(*command, *options);
    command->callback([options, &exit_code] { exit_code = carry_out(check_record(*options), run); });
}

}  // namespace waitclose::commands
