// SPDX-License-Identifier: BSD-2-Clause
// The course of a capture: the first look, threads followed, the last look, names.
#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/resource.h>

#include "commands/capture.h"
#include "commands/capture_recorder.h"
#include "commands/capture_stacks.h"
#include "commands/command.h"
#include "commands/second_signal.h"
#include "commands/session.h"
#include "commands/tracing.h"
#include "kernel/activity.h"
#include "model/give_stacks.h"
#include "model/scope.h"
#include "output/json.h"
#include "store/writer.h"
#include "system/capabilities.h"
#include "system/host.h"
#include "version.h"

namespace waitclose::commands {
namespace {

constexpr std::size_t kMostProcesses = 1'000;
constexpr std::uint64_t kNamingNs = 30'000'000'000;
constexpr std::uint64_t kOpeningsNs = 5'000'000'000;

/// From here on the calling thread has a tenth of the weight of others, for good. Not less: on a machine
/// whose CPUs are all taken, which may be why it is looked at, what is left to do would never end.
void give_way() {
    constexpr int kTenth = 10;  // nice 10 has the weight 110, nice 0 has 1024 (sched_prio_to_weight)
    static_cast<void>(::setpriority(PRIO_PROCESS, 0, kTenth));
}

class Course {
public:
    Course(const bundle::Place& place, const CaptureRequest& request, bundle::Redaction* redaction,
           const system::Descriptor& signals)
        : place_(place), request_(request), redaction_(redaction), signals_(signals) {}

    Result<Captured> run();

private:
    Result<void> begin();
    Result<void> look_first();
    Result<void> follow();
    Result<void> look_within();
    Result<void> end();
    void finish_activity(model::Census& census);
    void meet(const model::Census& census);
    void meet_newborn();
    std::size_t most_named() const { return std::min<std::size_t>(request_.max_threads, 256); }
    Result<void> follow_new(const model::Census& census);
    std::vector<std::uint32_t> scope_of(const model::Census& census) const;
    std::vector<std::uint32_t> followed_in(const model::Census& census) const;
    void meet_all(const model::Census& census, symbols::Naming& naming,
                  std::vector<std::string>& lacks) const;
    void describe(const model::Activity& activity);
    void sum_up();

    const bundle::Place& place_;
    const CaptureRequest& request_;
    bundle::Redaction* redaction_;
    const system::Descriptor& signals_;

    std::unique_ptr<store::Writer> writer_;
    std::optional<CaptureRecorder> recorder_;
    std::unique_ptr<Session> session_;
    std::optional<kernel::ActivityTracer> tracer_;
    std::optional<bundle::EvidenceTaker> evidence_;
    std::set<std::pair<std::uint32_t, std::uint64_t>> met_;
    std::set<std::uint32_t> followed_;                      // pids
    std::vector<kernel::ActivityTracer::Process> newborn_;  // met a moment ago
    store::Ending ending_ = store::Ending::kDuration;
    model::Activity activity_;
    std::uint64_t begun_cpu_ns_ = 0;    // of waitclose, when threads began to be followed
    std::uint64_t look_cpu_ns_ = 0;     // that a look takes
    std::uint64_t looks_left_out_ = 0;  // to keep the overhead
    Captured captured_;
};

/// Indices of processes: those that were asked for, then those they wait for.
std::vector<std::uint32_t> Course::scope_of(const model::Census& census) const {
    const model::Selection& selection = request_.common.selection;
    return model::processes_in_scope(census, model::select(census, selection), kMostProcesses);
}

/// Their pids. Where nothing is held yet, those that were asked for by name, or listen where it was asked
/// for.
std::vector<std::uint32_t> Course::followed_in(const model::Census& census) const {
    std::set<std::uint32_t> pids;
    for (const std::uint32_t index : scope_of(census)) pids.insert(census.processes[index].pid);
    const model::Selection& selection = request_.common.selection;
    for (const std::uint64_t pid : selection.pids) pids.insert(static_cast<std::uint32_t>(pid));
    if (!selection.local_ports.empty() || selection.by_holder())
        for (const std::uint32_t index :
             model::processes_meant(census, model::select(census, selection), selection))
            pids.insert(census.processes[index].pid);
    return {pids.begin(), pids.end()};
}

void Course::meet(const model::Census& census) {
    for (const std::uint32_t index : scope_of(census)) {
        const model::Process& process = census.processes[index];
        if (met_.emplace(process.pid, process.start_ns).second)
            session_->stack_names()->naming().meet(process.pid, process.start_ns);
    }
}

/// A child may soon be gone, and nothing could name its stacks then. It may execute another program right
/// after it was met: so each is met once more, a round later.
void Course::meet_newborn() {
    constexpr std::size_t kMostAtOnce = 8;  // a round: the files of /proc cost some 0.1 ms each
    symbols::Naming& naming = session_->stack_names()->naming();
    for (const auto& [pid, start_ns] : newborn_) naming.meet(pid, start_ns);
    newborn_ = tracer_->take_newborn();
    for (const auto& [pid, start_ns] : newborn_) followed_.insert(pid);
    if (newborn_.size() > kMostAtOnce) newborn_.resize(kMostAtOnce);
    for (const auto& [pid, start_ns] : newborn_)
        if (met_.size() < kMostProcesses && met_.emplace(pid, start_ns).second) naming.meet(pid, start_ns);
}

/// Those that have come into the scope since.
Result<void> Course::follow_new(const model::Census& census) {
    const std::vector<std::uint32_t> pids = followed_in(census);
    followed_.insert(pids.begin(), pids.end());
    return tracer_->follow(pids);
}

Result<void> Course::begin() {
    auto writer = store::Writer::create({.path = place_.file(kRecordingName),
                                         .force = false,
                                         .max_bytes = request_.max_bytes / 2,
                                         .selection = request_.common.selection});
    if (!writer) return tl::unexpected(writer.error());
    writer_ = std::move(*writer);
    recorder_.emplace(*writer_, redaction_);
    auto session = Session::open(request_.common.probes, *recorder_, &*recorder_);
    if (!session) return tl::unexpected(session.error());
    session_ = std::move(*session);
    say_what_is_missing(*session_);
    store::About about = about_of(*session_, request_.common);
    if (redaction_) {
        about.hostname = "(left out)";
        about.arguments = redaction_->masked_text(about.arguments);
    }
    writer_->about(about);
    return {};
}

Result<void> Course::look_first() {
    const std::uint64_t before_ns = system::own_cpu_ns();
    auto census = session_->open_window();
    if (!census) return tl::unexpected(census.error());
    look_cpu_ns_ = system::own_cpu_ns() - before_ns;
    if (request_.hold && model::select(*census, request_.common.selection).empty())
        return tl::unexpected(
            Failure{fmt::format("no hold has the id {}", *request_.hold),
                    "'waitclose snapshot --sockets --min-held 0 --json' lists what is held, with the ids"});
    record_diagnoses(*writer_, *session_, *census, request_.common.selection);
    if (!writer_->keep_up(system::boottime_ns()) && writer_->ending() == store::Ending::kSize)
        return tl::unexpected(
            Failure{fmt::format("the {} connections in CLOSE_WAIT take more room than --max-size leaves them",
                                census->sockets.size()),
                    "give more, e.g. --max-size 1G, or name a port, a process or a hold"});
    meet(*census);
    evidence_.emplace(*census, scope_of(*census));
    kernel::ActivitySettings settings;
    settings.processes = followed_in(*census);
    settings.max_threads = request_.max_threads;
    settings.preferred = threads_named(*census, request_.common.selection, most_named());
    settings.max_overhead = request_.max_overhead;
    auto tracer = kernel::ActivityTracer::start(session_->probes(), settings);
    if (!tracer) return tl::unexpected(tracer.error());
    tracer_.emplace(std::move(*tracer));
    // To ask a runtime as the user whose program it is, and to end who asks when it does not answer.
    constexpr std::array kToAsk{CAP_SETUID, CAP_SETGID, CAP_KILL};
    system::drop_capabilities(request_.ask_runtime ? std::span<const int>(kToAsk) : std::span<const int>());
    begun_cpu_ns_ = system::own_cpu_ns();
    captured_.manifest.cost.before_ns = begun_cpu_ns_;
    followed_.insert(settings.processes.begin(), settings.processes.end());
    return {};
}

/// A look in between, if it can be paid for, or as long as there is nothing yet to follow.
Result<void> Course::look_within() {
    const auto elapsed = static_cast<double>(system::boottime_ns() - tracer_->from_ns());
    const double to_spend = request_.max_overhead * elapsed - tracer_->overhead() * elapsed;
    if (!followed_.empty() && static_cast<double>(look_cpu_ns_) > to_spend) {
        ++looks_left_out_;
        return {};
    }
    const std::uint64_t before_ns = system::own_cpu_ns();
    auto census = session_->take_census_within_window();
    if (!census) return tl::unexpected(census.error());
    record_diagnoses(*writer_, *session_, *census, request_.common.selection);
    meet(*census);
    if (auto following = follow_new(*census); !following) return following;
    look_cpu_ns_ = system::own_cpu_ns() - before_ns;
    return {};
}

Result<void> Course::follow() {
    constexpr int kRoundMs = 25;
    constexpr std::uint64_t kOftenNs = 250'000'000;
    constexpr std::uint64_t kSeldomNs = 1'000'000'000;
    const std::uint64_t look_every_ns = std::clamp(request_.duration_ns / 4, kOftenNs, kSeldomNs);
    std::uint64_t looked_ns = tracer_->from_ns();
    const std::uint64_t until_ns = tracer_->from_ns() + request_.duration_ns;
    for (;;) {
        session_->drain();
        tracer_->drain();
        meet_newborn();
        const std::uint64_t now = system::boottime_ns();
        if (!writer_->keep_up(now)) {
            ending_ = writer_->ending();
            return {};
        }
        if (now >= until_ns) return {};
        if (now - looked_ns >= look_every_ns && until_ns - now > look_every_ns / 2) {
            looked_ns = now;
            if (auto looked = look_within(); !looked) return looked;
        }
        const auto left_ms =
            static_cast<int>(std::min<std::uint64_t>((until_ns - now) / 1'000'000 + 1, kRoundMs));
        pollfd asked{signals_.get(), POLLIN, 0};
        if (::poll(&asked, 1, left_ms) > 0 && take_signal(signals_)) {
            ending_ = store::Ending::kAsked;
            return {};
        }
    }
}

/// Meets the processes of the last look, and asks their runtimes if that is wanted.
void Course::meet_all(const model::Census& census, symbols::Naming& naming,
                      std::vector<std::string>& lacks) const {
    std::vector<std::uint32_t> not_asked;
    for (const std::uint32_t index : scope_of(census)) {
        const model::Process& process = census.processes[index];
        naming.meet(process.pid, process.start_ns);
        if (request_.ask_runtime) {
            if (auto asked = naming.ask_runtime(process.pid); !asked) lacks.push_back(asked.error().what);
        } else if (naming.must_be_asked(process.pid)) {
            not_asked.push_back(process.pid);
        }
    }
    if (request_.ask_runtime) system::drop_capabilities();
    if (!not_asked.empty())
        lacks.push_back(
            fmt::format("the Java functions of pid {}{} have no names: a JVM tells them only when "
                        "it is asked (--ask-runtime)",
                        not_asked.front(),
                        not_asked.size() > 1 ? fmt::format(" and {} more", not_asked.size() - 1) : ""));
}

/// While the last look is made: ends the following and the tracing, and gives the look's threads their
/// stacks.
void Course::finish_activity(model::Census& census) {
    bundle::Manifest& manifest = captured_.manifest;
    // Of those that are new now, where they sleep is known at least.
    const auto following = follow_new(census);
    manifest.processes = followed_.size();
    manifest.cost.overhead = tracer_->overhead();
    tracer_->prefer(threads_named(census, request_.common.selection, most_named()));
    manifest.cost.window_ns = system::own_cpu_ns() - begun_cpu_ns_;
    evidence_->end();
    kernel::RawActivity raw = tracer_->finish(system::boottime_ns());
    if (!following) raw.activity.lacks.push_back(following.error().what);
    manifest.shed = tracer_->shed();
    session_->end_tracing();
    give_way();
    meet_newborn();
    symbols::Naming& naming = session_->stack_names()->naming();
    meet_all(census, naming, raw.activity.lacks);
    activity_ = name_stacks(std::move(raw), naming, kNamingNs);
    session_->stack_names()->finish(kOpeningsNs);
    session_->stack_names()->give_openings(census);
    if (looks_left_out_)
        manifest.shed.push_back(fmt::format("{} look{} in between {} left out to keep the overhead allowed",
                                            looks_left_out_, looks_left_out_ == 1 ? "" : "s",
                                            looks_left_out_ == 1 ? "was" : "were"));
    for (const std::string& shed : manifest.shed)
        if (std::ranges::find(activity_.lacks, shed) == activity_.lacks.end())
            activity_.lacks.push_back(shed);
    if (redaction_) redaction_->mask(activity_);
    model::give_stacks(census, activity_);
}

Result<void> Course::end() {
    const bool can_write = ending_ == store::Ending::kDuration || ending_ == store::Ending::kAsked;
    recorder_->before_next_look([&](model::Census& census) { finish_activity(census); });
    auto census = session_->take_census();
    if (!census) return tl::unexpected(census.error());
    record_diagnoses(*writer_, *session_, *census, request_.common.selection);
    describe(activity_);
    writer_->losses(system::boottime_ns(), session_->losses());
    writer_->activity(activity_);
    const auto finished = writer_->finish(ending_, system::boottime_ns());
    if (!finished) return finished;
    if (!can_write || writer_->ending() == store::Ending::kSize)
        say("waitclose: the recording has reached its part of --max-size: it ends early");
    const auto scope = scope_of(*census);
    std::set<std::uint32_t> owners;
    for (const std::uint32_t index : model::select(*census, request_.common.selection))
        for (const model::Holder& holder : model::owners_of(*census, census->sockets[index]))
            owners.insert(holder.process);
    captured_.evidence = evidence_->finish(*census, scope, owners.size(), request_.arguments);
    captured_.manifest.holds = model::select(*census, request_.common.selection).size();
    captured_.manifest.wall_offset_ns = census->wall_offset_ns;
    captured_.last = std::move(*census);
    return {};
}

/// What the manifest says of the activity.
void Course::describe(const model::Activity& activity) {
    bundle::Manifest& manifest = captured_.manifest;
    manifest.from_ns = activity.from_ns;
    manifest.to_ns = activity.to_ns;
    manifest.threads = activity.threads.size();
    manifest.stacks = activity.stacks.size();
    manifest.lost_activity = activity.lost;
    manifest.lacks = activity.lacks;
    std::erase_if(manifest.lacks, [&](const std::string& lack) {
        return std::ranges::find(manifest.shed, lack) != manifest.shed.end();
    });
    for (const model::ThreadActivity& thread : activity.threads) {
        manifest.intervals += thread.intervals.size();
        manifest.samples += thread.samples.size();
    }
}

void Course::sum_up() {
    bundle::Manifest& manifest = captured_.manifest;
    manifest.program = fmt::format("waitclose {}", kVersion);
    manifest.host = system::host_facts();
    if (redaction_) manifest.host.hostname = {};
    manifest.kernel_version = captured_.evidence.kernel_version.value_or("");
    manifest.ended = ending_ == store::Ending::kAsked  ? "asked"
                     : ending_ == store::Ending::kSize ? "size"
                                                       : "duration";
    manifest.probes = session_->probe_facts();
    manifest.losses = session_->losses();
    bundle::Asked& asked = manifest.asked;
    asked.duration_ns = request_.duration_ns;
    asked.selects = redaction_ ? redaction_->masked_text(request_.common.selects) : request_.common.selects;
    asked.hold = request_.hold;
    asked.min_held_ns = request_.common.selection.min_held_ns;
    asked.max_threads = request_.max_threads;
    asked.max_bytes = request_.max_bytes;
    asked.max_overhead = request_.max_overhead;
    asked.redact = request_.redact;
    asked.arguments = request_.arguments;
    asked.ask_runtime = request_.ask_runtime;
    const auto& hooks = request_.common.probes.disabled_hooks;
    asked.disabled_hooks.assign(hooks.begin(), hooks.end());
    if (const std::uint64_t unnamed = session_->stack_names()->unnamed_openings())
        manifest.lacks.push_back(
            fmt::format("of {} sockets that were opened it is not known where in the program", unnamed));
}

Result<Captured> Course::run() {
    if (auto begun = begin(); !begun) return tl::unexpected(begun.error());
    if (auto looked = look_first(); !looked) return tl::unexpected(looked.error());
    if (request_.common.ready_file)
        if (auto created = create_ready_file(*request_.common.ready_file); !created)
            return tl::unexpected(created.error());
    if (auto followed = follow(); !followed) return tl::unexpected(followed.error());
    if (auto ended = end(); !ended) return tl::unexpected(ended.error());
    sum_up();
    return std::move(captured_);
}

}  // namespace

Result<Captured> capture_into(const bundle::Place& place, const CaptureRequest& request,
                              bundle::Redaction* redaction, const system::Descriptor& signals) {
    return Course(place, request, redaction, signals).run();
}

}  // namespace waitclose::commands
