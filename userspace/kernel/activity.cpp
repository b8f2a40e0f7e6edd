// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/activity.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <set>
#include <span>
#include <utility>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <linux/types.h>

#include "kernel/budget.h"
#include "kernel/collected.h"
#include "kernel/maps.h"
#include "kernel/resting.h"
#include "kernel/sampling.h"
#include "system/files.h"
#include "system/host.h"
#include "waitclose.skel.h"

namespace waitclose::kernel {
namespace {

/// What a record costs in the kernel where that is not measured: measured on 6.18, with a stack.
constexpr std::uint64_t kCostOfRecord = 4000;
/// Of one drain: who writes faster than this is read does not keep it here for ever.
constexpr std::uint64_t kMostOfOneDrain = 200'000;

int handle_record(void* context, void* data, std::size_t size) {
    auto& [collected, left] = *static_cast<std::pair<Collected, std::uint64_t>*>(context);
    collected.add(data, size);
    return left-- > 1 ? 0 : -EAGAIN;
}

bool has(const Probes& probes, std::string_view need) {
    return probes.program_for(need, 0) != nullptr;
}

std::vector<std::string> missing_hooks(const Probes& probes) {
    std::vector<std::string> lacks;
    for (const Need& need : all_needs())
        if (need.of_capture && !has(probes, need.name)) lacks.emplace_back(need.without);
    return lacks;
}

double share_of(std::uint64_t part, std::uint64_t whole) {
    return whole ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

/// What an earlier capture with the same probes left behind.
void forget_earlier(const waitclose_bpf& skeleton) {
    const int fd = bpf_map__fd(skeleton.maps.stretches);
    wc_u32 key = 0;
    while (bpf_map_get_next_key(fd, nullptr, &key) == 0 && bpf_map_delete_elem(fd, &key) == 0) {
    }
    skeleton.bss->was_paused = false;
    skeleton.bss->ran_out_ns = 0;
    skeleton.bss->resumed_ns = 0;
}

}  // namespace

struct ActivityTracer::Parts {
    Parts(const Probes& attached, const ActivitySettings& wanted)
        : probes(&attached),
          settings(wanted),
          budget(wanted.max_overhead, wanted.sample_hz),
          reading(Collected(wanted.max_bytes), 0) {}
    ~Parts() { close(); }
    Parts(const Parts&) = delete;
    Parts& operator=(const Parts&) = delete;

    Result<void> open();
    Result<void> look_first();
    Result<void> follow(std::span<const std::uint32_t> processes);
    Result<void> mark(std::span<const std::uint32_t> processes);
    Result<void> look_at(std::span<const std::uint32_t> processes);
    bool is_preferred(const wc_resting& thread) const;
    Result<void> read_preferred();
    void begin();
    void drain(std::uint64_t most);
    void shed_load();
    void allow_records();
    void let_go_if_dear(const Spent& now);
    std::uint64_t run_of_any_tracing() const;
    void look_last();
    std::uint64_t paused_ns(std::uint64_t now) const;
    void apply(const Load& load);
    void close();
    Spent spent() const;
    void add_open_stretches();
    Watched watched() const;
    std::vector<std::string> lacks() const;

    const Probes* probes;
    ActivitySettings settings;
    Budget budget;
    std::pair<Collected, std::uint64_t> reading;  // and how many records more are taken now
    Ring ring;
    std::optional<RestingReader> reader;  // nothing where this kernel cannot tell what threads do
    std::set<std::uint32_t> followed;     // processes
    std::vector<Process> newborn;         // of those that the kernel follows by itself
    std::size_t stacks_read = 0;
    system::Descriptor statistics;
    SamplingTime sampling;
    std::vector<std::string> shed;
    std::uint64_t first_pause_ns = 0;
    std::uint64_t pauses = 0;
    std::uint64_t paused_before_ns = 0;  // in the pauses that are over
    std::uint64_t from_ns = 0;
    std::uint64_t closed_ns = 0;
    bool begun = false;  // what was spent before that cannot be given up
    std::uint64_t cpu_before = 0;
    std::uint64_t run_before = 0;
    std::uint64_t all_run_before = 0;   // with the programs that any tracing has
    std::uint64_t of_any_tracing = 0;   // when it was closed, in ns
    std::optional<Spent> paused_since;  // as it was when the pause began that still goes on
    bool let_go = false;                // no switches of threads are seen any more
    Spent last;
};

Result<void> ActivityTracer::Parts::open() {
    waitclose_bpf& skeleton = probes->skeleton();
    ring.reset(ring_buffer__new(bpf_map__fd(skeleton.maps.activity), handle_record, &reading, nullptr));
    if (!ring)
        return tl::unexpected(
            Failure{fmt::format("the ring buffer of the capture cannot be mapped: {}", std::strerror(errno)),
                    "free some memory, or raise the memory limit of this process"});
    forget_earlier(skeleton);
    statistics = system::Descriptor(bpf_enable_stats(BPF_STATS_RUN_TIME));
    return {};
}

/// First marks whose threads are followed, then begins, and then looks what each of them does: so nothing
/// happens between the look and the first record.
Result<void> ActivityTracer::Parts::look_first() {
    auto prepared = RestingReader::prepare(*probes);
    if (!prepared) return tl::unexpected(prepared.error());
    reader = std::move(*prepared);
    if (reader)
        if (auto marked = mark(settings.processes); !marked) return marked;
    begin();
    followed.insert(settings.processes.begin(), settings.processes.end());
    reading.first.prefer(settings.preferred);
    return reader ? look_at(settings.processes) : Result<void>();
}

Result<void> ActivityTracer::Parts::mark(std::span<const std::uint32_t> processes) {
    waitclose_bpf& skeleton = probes->skeleton();
    skeleton.bss->marks_processes = true;
    const auto marked = reader->read(processes);
    skeleton.bss->marks_processes = false;
    if (!marked) return tl::unexpected(marked.error());
    return {};
}

Result<void> ActivityTracer::Parts::look_at(std::span<const std::uint32_t> processes) {
    auto threads = reader->read(processes);
    if (!threads) return tl::unexpected(threads.error());
    for (const wc_resting& thread : *threads) reading.first.add_first(thread);
    const auto others = std::ranges::stable_partition(
        *threads, [&](const wc_resting& thread) { return is_preferred(thread); });
    StackLimits limits;
    limits.threads =
        std::max<std::size_t>(settings.max_threads - std::min<std::size_t>(settings.max_threads, stacks_read),
                              static_cast<std::size_t>(others.begin() - threads->begin()));
    limits.bytes_of_all = static_cast<std::size_t>(settings.max_bytes / 2);
    auto stacks = read_stacks(*reader, *threads, limits);
    if (!stacks) return tl::unexpected(stacks.error());
    stacks_read += stacks->size();
    for (model::RawStack& stack : *stacks) reading.first.add_first(std::move(stack));
    return {};
}

bool ActivityTracer::Parts::is_preferred(const wc_resting& thread) const {
    return settings.preferred.contains({thread.thread.tgid, thread.thread.tid});
}

/// A look before the stacks and one after them: who was switched in between has its stack read elsewhere.
Result<void> ActivityTracer::Parts::read_preferred() {
    std::set<std::uint32_t> processes;
    for (const auto& [pid, tid] : settings.preferred)
        if (followed.contains(pid)) processes.insert(pid);
    if (!reader || processes.empty()) return {};
    const std::vector<std::uint32_t> pids(processes.begin(), processes.end());
    auto threads = reader->read(pids);
    if (!threads) return tl::unexpected(threads.error());
    std::erase_if(*threads, [&](const wc_resting& thread) {
        return !is_preferred(thread) || !reading.first.lacks_resting_stack(thread);
    });
    if (threads->empty()) return {};
    auto stacks = read_stacks(*reader, *threads, StackLimits{});
    if (!stacks) return tl::unexpected(stacks.error());
    const auto after = reader->read(pids);
    if (!after) return tl::unexpected(after.error());
    for (const wc_resting& thread : *after) {
        const auto stack = std::ranges::find_if(*stacks, [&](const model::RawStack& one) {
            return one.tid == thread.thread.tid && one.start_ns == thread.thread.start_ns && !one.moved;
        });
        if (stack != stacks->end() && reading.first.lacks_resting_stack(thread))
            reading.first.add_first(std::move(*stack));
    }
    return {};
}

/// As look_first(): what was recorded of them before all are marked lies before they are followed. Not of
/// those that the kernel has followed from their birth on.
Result<void> ActivityTracer::Parts::follow(std::span<const std::uint32_t> processes) {
    if (!closed_ns) drain(kMostOfOneDrain);
    std::vector<std::uint32_t> fresh;
    for (const std::uint32_t pid : processes)
        if (followed.insert(pid).second) fresh.push_back(pid);
    if (fresh.empty() || !reader || closed_ns) return {};
    if (auto marked = mark(fresh); !marked) return marked;
    const std::uint64_t now = system::boottime_ns();
    for (const std::uint32_t pid : fresh) reading.first.follow_from(pid, now);
    return look_at(fresh);
}

void ActivityTracer::Parts::begin() {
    waitclose_bpf& skeleton = probes->skeleton();
    skeleton.bss->capture_is_open = true;
    from_ns = system::boottime_ns();
    allow_records();
    apply(budget.load());
}

void ActivityTracer::Parts::apply(const Load& load) {
    waitclose_bpf& skeleton = probes->skeleton();
    probes->set_sample_rate(load.sample_hz);
    sampling.change(load.sample_hz, system::boottime_ns());
    skeleton.data->stack_pages = load.stack_bytes ? WC_STACK_PAGES : 0;
    skeleton.data->with_stacks = load.stacks;
    skeleton.data->most_in_round = load.most_in_round;
}

void ActivityTracer::Parts::drain(std::uint64_t most) {
    reading.second = most;
    ring_buffer__consume(ring.get());
    for (const SeenProcess& process : reading.first.take_newcomers())
        if (process.start_ns >= from_ns && followed.insert(process.pid).second)
            newborn.push_back({process.pid, process.start_ns});
}

Spent ActivityTracer::Parts::spent() const {
    if (closed_ns) return last;
    const std::uint64_t in_kernel =
        statistics ? probes->capture_run_ns() - run_before : reading.first.records() * kCostOfRecord;
    const std::uint64_t now = system::boottime_ns();
    return {.wall_ns = now - from_ns,
            .cpu_ns = begun ? system::own_cpu_ns() - cpu_before + in_kernel : 0,
            .paused_ns = paused_ns(now),
            .records = reading.first.records()};
}

std::uint64_t ActivityTracer::Parts::paused_ns(std::uint64_t now) const {
    const std::uint64_t since = probes->skeleton().bss->ran_out_ns;
    return paused_before_ns + (since ? now - std::min(now, since) : 0);
}

/// Where the records allowed have run out, nothing is recorded until there are more.
void ActivityTracer::Parts::allow_records() {
    waitclose_bpf& skeleton = probes->skeleton();
    const std::int64_t count = let_go ? 0 : budget.records_to_come(spent());
    const std::uint64_t now = system::boottime_ns();
    if (count <= 0 && !skeleton.bss->ran_out_ns) {
        skeleton.bss->records_left = 0;
        skeleton.bss->was_paused = true;
        skeleton.bss->ran_out_ns = now;
    }
    if (skeleton.bss->ran_out_ns && !first_pause_ns) first_pause_ns = skeleton.bss->ran_out_ns;
    if (count <= 0) return;
    if (skeleton.bss->ran_out_ns) {
        paused_before_ns = paused_ns(now);
        ++pauses;
        skeleton.bss->resumed_ns = now;
        skeleton.bss->ran_out_ns = 0;
    }
    ++skeleton.bss->round_number;
    skeleton.bss->records_left = count;
}

void ActivityTracer::Parts::shed_load() {
    const Spent now = spent();
    if (auto given_up = budget.judge(now)) {
        shed.push_back(std::move(*given_up));
        apply(budget.load());
    }
    allow_records();
    let_go_if_dear(now);
}

/// The last resort: hooks that record nothing cost something, too, on a machine that switches threads all the
/// time.
void ActivityTracer::Parts::let_go_if_dear(const Spent& now) {
    constexpr std::uint64_t kLongEnough = 250'000'000;
    if (!probes->skeleton().bss->ran_out_ns || let_go) return paused_since.reset();
    if (!paused_since) paused_since = now;
    const std::uint64_t wall_ns = now.wall_ns - paused_since->wall_ns;
    if (wall_ns < kLongEnough) return;
    const double share =
        static_cast<double>(now.cpu_ns - paused_since->cpu_ns) / static_cast<double>(wall_ns);
    if (share <= settings.max_overhead * 0.8) return;
    let_go = true;
    probes->detach("intervals");
    probes->detach("wakeups");
    shed.push_back(
        fmt::format("threads were followed no further after {:.1f} s, since only to see them switched took "
                    "{:.1f} % of a core",
                    static_cast<double>(now.wall_ns) / 1e9, share * 100));
}

std::uint64_t ActivityTracer::Parts::run_of_any_tracing() const {
    if (closed_ns || !begun || !statistics) return of_any_tracing;
    const std::uint64_t all = probes->run_ns() - all_run_before;
    return all - std::min(all, probes->capture_run_ns() - run_before);
}

void ActivityTracer::Parts::close() {
    if (!from_ns || closed_ns) return;
    waitclose_bpf& skeleton = probes->skeleton();
    skeleton.bss->capture_is_open = false;
    last = spent();
    of_any_tracing = run_of_any_tracing();
    closed_ns = system::boottime_ns();
    const double any = share_of(of_any_tracing, last.wall_ns);
    if (any > settings.max_overhead / 2)
        shed.push_back(fmt::format(
            "the hooks that any tracing needs took {:.1f} % of a core, which a capture cannot give up",
            any * 100));
    if (first_pause_ns)
        shed.push_back(fmt::format(
            "for {:.2f} s in {} parts, from {:.1f} s on, it was not recorded what threads did that got or "
            "lost "
            "a CPU, to keep the overhead allowed",
            static_cast<double>(last.paused_ns) / 1e9, pauses + (skeleton.bss->ran_out_ns ? 1 : 0),
            static_cast<double>(first_pause_ns - std::min(first_pause_ns, from_ns)) / 1e9));
    sampling.change(0, closed_ns);
    probes->set_sample_rate(0);
}

void ActivityTracer::Parts::add_open_stretches() {
    for_each_entry<wc_u32, wc_followed>(
        probes->skeleton().maps.stretches,
        [&](wc_u32, const wc_followed& followed_thread) { reading.first.add_open(followed_thread.stretch); });
}

/// Who has not been switched since it was seen still does the same; of who went to sleep when stacks were not
/// read any more, the stack is read now.
void ActivityTracer::Parts::look_last() {
    if (!reader || (shed.empty() && !first_pause_ns)) return;
    const std::vector<std::uint32_t> processes(followed.begin(), followed.end());
    const auto threads = reader->read(processes);
    if (!threads) return shed.push_back(threads.error().what);
    std::vector<wc_resting> wanted;
    for (const wc_resting& thread : *threads)
        if (reading.first.add_last(thread) && (wanted.size() < settings.max_threads || is_preferred(thread)))
            wanted.push_back(thread);
    StackLimits limits;
    limits.bytes_of_all = static_cast<std::size_t>(settings.max_bytes / 4);
    auto stacks = read_stacks(*reader, wanted, limits);
    if (!stacks) return shed.push_back(stacks.error().what);
    std::map<std::pair<std::uint32_t, std::uint64_t>, const wc_resting*> by_thread;
    for (const wc_resting& thread : wanted) by_thread[{thread.thread.tid, thread.thread.start_ns}] = &thread;
    for (model::RawStack& stack : *stacks)
        reading.first.add_last(*by_thread.at({stack.tid, stack.start_ns}), std::move(stack));
}

Watched ActivityTracer::Parts::watched() const {
    const bpf_program* intervals = probes->program_for("intervals", 0);
    const waitclose_bpf& skeleton = probes->skeleton();
    return {.arrivals = intervals && intervals == skeleton.progs.on_interval_switch,
            .wakeups = has(*probes, "wakeups"),
            .complete = skeleton.bss->lost_followed == 0,
            .paused = skeleton.bss->was_paused};
}

std::vector<std::string> ActivityTracer::Parts::lacks() const {
    std::vector<std::string> lacks = missing_hooks(*probes);
    lacks.insert(lacks.end(), shed.begin(), shed.end());
    const waitclose_bpf& skeleton = probes->skeleton();
    if (const std::uint64_t lost = skeleton.bss->lost_stacks)
        lacks.push_back(fmt::format("{} stacks of threads found no room in the buffer", lost));
    if (const std::uint64_t lost = skeleton.bss->lost_followed)
        lacks.push_back(fmt::format("{} times there was no room to follow one more thread", lost));
    if (const std::uint64_t lost = skeleton.bss->lost_children)
        lacks.push_back(fmt::format("{} processes born meanwhile found no room to be followed", lost));
    if (reading.first.cut())
        lacks.push_back(
            fmt::format("{} stacks were kept without their memory, since all of it together was "
                        "more than {} MiB",
                        reading.first.cut(), settings.max_bytes >> 20U));
    if (reading.first.left_out())
        lacks.push_back(
            fmt::format("{} threads that did less than the {} shown were left out (--max-threads)",
                        reading.first.left_out(), settings.max_threads));
    if (!statistics)
        lacks.emplace_back(
            "what the programs in the kernel cost was estimated from their records, since "
            "the kernel's statistics could not be enabled");
    return lacks;
}

ActivityTracer::ActivityTracer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
ActivityTracer::ActivityTracer(ActivityTracer&&) noexcept = default;
ActivityTracer& ActivityTracer::operator=(ActivityTracer&&) noexcept = default;
ActivityTracer::~ActivityTracer() = default;

Result<ActivityTracer> ActivityTracer::start(const Probes& probes, const ActivitySettings& settings) {
    auto parts = std::make_unique<Parts>(probes, settings);
    if (auto opened = parts->open(); !opened) return tl::unexpected(opened.error());
    if (auto looked = parts->look_first(); !looked) return tl::unexpected(looked.error());
    parts->cpu_before = system::own_cpu_ns();
    parts->run_before = probes.capture_run_ns();
    parts->all_run_before = probes.run_ns();
    parts->begun = true;
    return ActivityTracer(std::move(parts));
}

void ActivityTracer::drain() {
    parts_->drain(kMostOfOneDrain);
    parts_->shed_load();
}

Result<void> ActivityTracer::follow(const std::vector<std::uint32_t>& processes) {
    return parts_->follow(processes);
}

void ActivityTracer::prefer(const std::set<std::pair<std::uint32_t, std::uint32_t>>& threads) {
    parts_->settings.preferred = threads;
    parts_->reading.first.prefer(threads);
    if (auto read = parts_->read_preferred(); !read) parts_->shed.push_back(read.error().what);
}

std::vector<ActivityTracer::Process> ActivityTracer::take_newborn() {
    return std::exchange(parts_->newborn, {});
}

std::uint64_t ActivityTracer::from_ns() const {
    return parts_->from_ns;
}

RawActivity ActivityTracer::finish(std::uint64_t to_ns) {
    parts_->close();
    parts_->drain(~0ULL);
    parts_->add_open_stretches();
    parts_->look_last();
    Collected& collected = parts_->reading.first;
    RawActivity raw;
    raw.activity = collected.join({.from_ns = parts_->from_ns,
                                   .to_ns = std::clamp(to_ns, parts_->from_ns, parts_->closed_ns),
                                   .max_threads = parts_->settings.max_threads,
                                   .watched = parts_->watched()});
    raw.stacks = collected.take_stacks();
    raw.activity.sample_period_ns = parts_->sampling.period_ns();
    raw.activity.lost += parts_->probes->skeleton().bss->lost_activity;
    raw.activity.lacks = parts_->lacks();
    return raw;
}

const std::vector<std::string>& ActivityTracer::shed() const {
    return parts_->shed;
}

double ActivityTracer::overhead() const {
    const Spent spent = parts_->spent();
    const std::uint64_t cpu_ns = spent.cpu_ns + parts_->run_of_any_tracing();
    return spent.wall_ns ? static_cast<double>(cpu_ns) / static_cast<double>(spent.wall_ns) : 0;
}

}  // namespace waitclose::kernel
