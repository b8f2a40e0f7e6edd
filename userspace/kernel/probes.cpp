// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/probes.h"

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <limits>
#include <optional>
#include <set>
#include <vector>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <linux/types.h>
#include <unistd.h>

#include "kernel/log.h"
#include "kernel/maps.h"
#include "kernel/records.h"
#include "kernel/sampling.h"
#include "model/remedies.h"
#include "system/capabilities.h"
#include "system/host.h"
#include "waitclose.skel.h"

namespace waitclose::kernel {
namespace {

constexpr const char* kBtf = "/sys/kernel/btf/vmlinux";

struct LinkDeleter {
    void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};

/// Everything the plan attaches, with the hook it belongs to.
template <typename Use>
void for_each_point(const Facts& facts, const Plan& plan, const Use& use) {
    for (const Alternative* hook : plan)
        for (const AttachPoint& point : hook ? hook->points : std::span<const AttachPoint>{})
            if (!point.optional || facts.has(point)) use(*hook, point);
}

/// The hook whose program the kernel refused to load, by what libbpf said; null when it was none of a hook's.
const Alternative* refused_hook(const Facts& facts, const Plan& plan, std::string_view log) {
    const Alternative* found = nullptr;
    for_each_point(facts, plan, [&](const Alternative& hook, const AttachPoint& point) {
        if (log.find(fmt::format("prog '{}': failed", point.program)) != std::string_view::npos)
            found = &hook;
    });
    return found;
}

/// Why nothing can be loaded, when that is a matter of privileges or of the kernel's configuration.
std::optional<Failure> general_failure(int error) {
    if (const std::string missing = system::missing_capabilities(); error == EPERM && !missing.empty())
        return Failure{
            fmt::format("loading BPF programs needs capabilities this process does not have: {}", missing),
            "run it as root (sudo), or give the binary its capabilities as the README's section on "
            "privileges says"};
    if (::access(kBtf, R_OK) != 0)
        return Failure{fmt::format("this kernel gives no type information ({} cannot be read)", kBtf),
                       "boot a kernel built with CONFIG_DEBUG_INFO_BTF=y, or mount /sys where you are"};
    return std::nullopt;
}

Failure load_failure(int error, std::string_view log) {
    const bool by_verifier = log.find("BEGIN PROG LOAD LOG") != std::string_view::npos;
    if (error == EACCES && !by_verifier) error = EPERM;
    if (const auto general = general_failure(error)) return *general;
    // Before 5.11 (bdfbca2c8b6d and others) maps count against the limit on locked memory.
    if (error == EPERM)
        return {"the kernel refuses to load BPF programs although the capabilities are there",
                "look at 'waitclose doctor'; a container, lockdown mode, a security module or, before Linux "
                "5.11, the limit on locked memory (ulimit -l) may forbid it"};
    return {
        fmt::format("the kernel refused the BPF programs: {} ({})", std::strerror(error), telling_line(log)),
        "please report this with the output of 'waitclose doctor --json'"};
}

/// The last resort of a need was refused: says what is missing and from which release it works.
Failure unmet_failure(const Need& need, const Refusals& refused) {
    if (const auto general = general_failure(EPERM)) return *general;
    const Alternative& last = need.alternatives.back();
    const auto reason = refused.find(last.hook);
    if (is_switched_off(refused, last.hook))
        return {fmt::format("without {} nothing can serve '{}', so {}", last.hook, need.name, need.without),
                fmt::format("leave out --no-hook {}", last.hook)};
    const auto taken = std::find_if(need.alternatives.begin(), need.alternatives.end(),
                                    [&](const Alternative& hook) { return is_taken(refused, hook.hook); });
    if (taken != need.alternatives.end())
        return {fmt::format("nothing can serve '{}' here, so {}: {}: {}", need.name, need.without,
                            taken->hook, refused.find(taken->hook)->second),
                std::string(model::kEndOtherTracers)};
    return {fmt::format("nothing can serve '{}' here, so {}: {} (works from Linux {})", need.name,
                        need.without, reason == refused.end() ? "it is refused" : reason->second, last.since),
            need.of_census
                ? "'waitclose doctor' shows what was tried"
                : "'waitclose doctor' shows what was tried; 'waitclose snapshot' works without tracing"};
}

/// What is not asked for takes no memory.
void size_maps(const waitclose_bpf& skeleton, const ProbeSettings& settings) {
    const auto page = static_cast<__u32>(::getpagesize());
    const auto& maps = skeleton.maps;
    const auto keep = [](bool wanted, bpf_map* map, __u32 least) {
        if (!wanted) bpf_map__set_max_entries(map, least);
    };
    keep(settings.trace, maps.events, page);
    keep(settings.trace, maps.touches, 1);
    keep(settings.windowed, maps.switched, 1);
    keep(settings.windowed, maps.slept, 1);
    keep(settings.windowed || settings.captures, maps.followed_processes, 1);
    keep(settings.captures, maps.stretches, 1);
    keep(settings.captures, maps.activity, page);
    keep(settings.captures, maps.activity_stacks, 1);
    keep(settings.opening_stacks, maps.openings, page);
    keep(settings.opening_stacks, maps.opening_sent, 1);
    keep(settings.captures || settings.opening_stacks, maps.stack_rooms, 1);
}

bpf_link* attach(bpf_program* program, const AttachPoint& point) {
    const std::string target(point.target);
    if (point.mechanism == Mechanism::kKprobe)
        return bpf_program__attach_kprobe(program, false, target.c_str());
    if (point.mechanism != Mechanism::kTracepoint) return bpf_program__attach(program);
    const std::size_t slash = target.find('/');
    return bpf_program__attach_tracepoint(program, target.substr(0, slash).c_str(),
                                          target.substr(slash + 1).c_str());
}

std::uint64_t run_ns_of(const bpf_program* program) {
    bpf_prog_info info{};
    __u32 size = sizeof(info);
    return bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) == 0 ? info.run_time_ns : 0;
}

/// How often the kernel did not run a program because it was running on that CPU already, interrupted by a
/// softirq (bpf_prog_info.recursion_misses, since 5.12): each time something happened that was not seen.
std::uint64_t times_skipped(const bpf_program* program) {
    bpf_prog_info info{};
    __u32 size = sizeof(info);
    return bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size) == 0 ? info.recursion_misses : 0;
}

template <typename Record>
const Record* as(const void* data, std::size_t size) {
    return size >= sizeof(Record) ? static_cast<const Record*>(data) : nullptr;
}

int handle_event(void* context, void* data, std::size_t size) {
    EventSink& sink = **static_cast<EventSink**>(context);
    const auto* header = as<wc_header>(data, size);
    if (!header) return 0;
    if (header->kind == WC_KIND_ENTERED) {
        if (const auto* record = as<wc_entered>(data, size)) sink.on(entered_of(*record));
    } else if (header->kind == WC_KIND_LEFT) {
        if (const auto* record = as<wc_left>(data, size)) sink.on(left_of(*record));
    } else if (header->kind == WC_KIND_TRANSITION) {
        if (const auto* record = as<wc_transition>(data, size)) sink.on(transition_of(*record));
    }
    return 0;
}

}  // namespace

struct Probes::Parts {
    struct Link {
        const bpf_program* program;
        std::unique_ptr<bpf_link, LinkDeleter> link;
    };
    std::vector<Link> links;
    std::set<const bpf_program*> attached;
    EventSink* sink = nullptr;  // where drain() sends events now
    Ring ring;
    std::optional<SamplingClock> clock;
};

Purpose purpose_of(const ProbeSettings& settings) {
    return {settings.trace, settings.windowed, settings.captures};
}

void Probes::SkeletonDeleter::operator()(waitclose_bpf* skeleton) const {
    waitclose_bpf::destroy(skeleton);
}

Probes::Probes() : parts_(std::make_unique<Parts>()) {}
Probes::Probes(Probes&&) noexcept = default;
Probes& Probes::operator=(Probes&&) noexcept = default;
Probes::~Probes() = default;

Result<Probes> Probes::attach(const ProbeSettings& settings) {
    Refusals refused;
    return attach(settings, refused);
}

Result<Probes> Probes::attach(const ProbeSettings& settings, Refusals& refused) {
    refused = switched_off(settings.disabled_hooks);
    const Facts facts = Facts::of_this_kernel();
    // Each round settles at least one hook, so this ends.
    for (;;) {
        refuse_impossible(facts, all_needs(), purpose_of(settings), Trying::kUntilOneIsFound, refused);
        Probes probes;
        probes.plan_ = make_plan(all_needs(), refused, purpose_of(settings));
        if (const Need* unmet = first_unmet(all_needs(), probes.plan_, settings.trace))
            return tl::unexpected(unmet_failure(*unmet, refused));
        const std::size_t known = refused.size();
        auto skeleton = load(settings, facts, probes.plan_, refused);
        if (refused.size() > known) continue;
        if (!skeleton) return tl::unexpected(skeleton.error());
        probes.skeleton_ = std::move(*skeleton);
        if (!probes.attach_programs(facts, refused)) continue;
        if (settings.trace)
            if (auto opened = probes.open_ring(); !opened) return tl::unexpected(opened.error());
        probes.refusals_ = refused;
        return probes;
    }
}

Result<Probes::Skeleton> Probes::load(const ProbeSettings& settings, const Facts& facts, const Plan& plan,
                                      Refusals& refused) {
    const LogCapture log;
    Skeleton skeleton(waitclose_bpf::open());
    if (!skeleton) return tl::unexpected(load_failure(errno, log.text()));
    std::set<std::string_view> wanted;
    for_each_point(facts, plan,
                   [&](const Alternative&, const AttachPoint& point) { wanted.insert(point.program); });
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, skeleton->obj)
        bpf_program__set_autoload(program, wanted.contains(bpf_program__name(program)));
    const bool own_identities = !facts.gives_cookies() || wanted.contains("on_classic_transition");
    size_maps(*skeleton, settings);
    if (!wanted.contains("on_accept_done") && !wanted.contains("on_accept_result"))
        bpf_map__set_max_entries(skeleton->maps.accept_results, 1);
    if (!own_identities) bpf_map__set_max_entries(skeleton->maps.identities, 1);
    if (!wanted.contains("on_touch_exit")) bpf_map__set_max_entries(skeleton->maps.touches_to_come, 1);
    std::memcpy(const_cast<wc_filter*>(&skeleton->rodata->filter), &settings.filter, sizeof(wc_filter));
    skeleton->rodata->all_transitions = settings.all_transitions;
    skeleton->rodata->tracing = settings.trace;
    skeleton->rodata->want_peers = settings.want_peers;
    skeleton->rodata->opening_stacks = settings.opening_stacks;
    skeleton->rodata->own_identities = own_identities;
    skeleton->bss->tick_ns = system::tick_ns();
    skeleton->bss->counters.tick_phase_ns = std::numeric_limits<wc_i64>::max();
    if (const int error = waitclose_bpf::load(skeleton.get())) {
        if (const Alternative* hook = refused_hook(facts, plan, log.text()))
            refused[std::string(hook->hook)] =
                fmt::format("{} ({})", std::strerror(-error), telling_line(log.text()));
        return tl::unexpected(load_failure(-error, log.text()));
    }
    return skeleton;
}

bpf_program* Probes::find_program(std::string_view name) const {
    return bpf_object__find_program_by_name(skeleton_->obj, std::string(name).c_str());
}

bpf_program* Probes::program_for(std::string_view need, std::size_t index) const {
    for (std::size_t i = 0; i < plan_.size(); ++i)
        if (all_needs()[i].name == need && plan_[i]) return find_program(plan_[i]->points[index].program);
    return nullptr;
}

bool Probes::attach_programs(const Facts& facts, Refusals& refused) {
    bool all = true;
    for_each_point(facts, plan_, [&](const Alternative& hook, const AttachPoint& point) {
        if (!all || point.mechanism == Mechanism::kIterator) return;
        const LogCapture log;
        bpf_program* program = find_program(point.program);
        const bool samples = point.mechanism == Mechanism::kSamplingClock;
        if (samples) parts_->clock = SamplingClock::attach(program);
        bpf_link* link = samples ? nullptr : kernel::attach(program, point);
        if (samples ? !parts_->clock : !link) {
            const int error = errno;
            refused[std::string(hook.hook)] =
                error == E2BIG ? taken_text(point)
                               : fmt::format("{} ({})", std::strerror(error), telling_line(log.text()));
            all = false;
            return;
        }
        if (link) parts_->links.push_back({program, std::unique_ptr<bpf_link, LinkDeleter>(link)});
        parts_->attached.insert(program);
    });
    return all;
}

Result<void> Probes::open_ring() {
    parts_->ring.reset(
        ring_buffer__new(bpf_map__fd(skeleton_->maps.events), handle_event, &parts_->sink, nullptr));
    if (!parts_->ring)
        return tl::unexpected(
            Failure{fmt::format("the ring buffer cannot be mapped: {}", std::strerror(errno)),
                    "free some memory, or raise the memory limit of this process"});
    return {};
}

void Probes::detach() {
    parts_->links.clear();
}

void Probes::drain(EventSink& sink) {
    parts_->sink = &sink;
    ring_buffer__consume(parts_->ring.get());
}

KernelTotals Probes::totals() const {
    const volatile wc_counters& counters = skeleton_->bss->counters;
    KernelTotals totals{counters.entered, counters.left,
                        counters.lost_entered + counters.lost_left + counters.lost_transitions,
                        counters.lost_storage};
    const auto& programs = skeleton_->progs;
    for (const bpf_program* program : parts_->attached) {
        const bool sends_events =
            program == programs.on_transition || program == programs.on_classic_transition;
        (sends_events ? totals.lost_events : totals.lost_storage) += times_skipped(program);
    }
    return totals;
}

std::uint64_t Probes::run_ns() const {
    std::uint64_t sum = 0;
    for (const bpf_program* program : parts_->attached) sum += run_ns_of(program);
    return sum;
}

std::uint64_t Probes::capture_run_ns() const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < plan_.size(); ++i) {
        if (!all_needs()[i].of_capture || !plan_[i]) continue;
        for (const AttachPoint& point : plan_[i]->points)
            if (const bpf_program* program = find_program(point.program)) sum += run_ns_of(program);
    }
    return sum;
}

void Probes::detach(std::string_view need) const {
    for (std::size_t i = 0; i < plan_.size(); ++i) {
        if (all_needs()[i].name != need || !plan_[i]) continue;
        for (const AttachPoint& point : plan_[i]->points) {
            const bpf_program* program = find_program(point.program);
            std::erase_if(parts_->links, [&](const Parts::Link& one) { return one.program == program; });
        }
    }
}

void Probes::set_sample_rate(std::uint32_t hz) const {
    if (parts_->clock) parts_->clock->set_rate(hz);
}

}  // namespace waitclose::kernel
