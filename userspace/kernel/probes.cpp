// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/probes.h"

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <limits>
#include <vector>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <linux/types.h>
#include <unistd.h>

#include "kernel/log.h"
#include "kernel/records.h"
#include "system/capabilities.h"
#include "system/host.h"
#include "waitclose.skel.h"

namespace waitclose::kernel {
namespace {

constexpr const char* kBtf = "/sys/kernel/btf/vmlinux";

struct LinkDeleter {
    void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};

struct RingDeleter {
    void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
};

/// The hook whose program the kernel refused to load, by what libbpf said; null when it was none of a hook's.
const Alternative* refused_hook(const Plan& plan, std::string_view log) {
    for (const Alternative* hook : plan)
        for (const std::string_view program : hook ? hook->programs : std::span<const std::string_view>{})
            if (log.find(fmt::format("prog '{}': failed", program)) != std::string_view::npos) return hook;
    return nullptr;
}

Failure load_failure(int error, std::string_view log) {
    const bool by_verifier = log.find("BEGIN PROG LOAD LOG") != std::string_view::npos;
    if (error == EPERM || (error == EACCES && !by_verifier)) {
        const std::string missing = system::missing_capabilities();
        if (!missing.empty())
            return {fmt::format("loading BPF programs needs capabilities this process does not have: {}",
                                missing),
                    "run it as root (sudo), or give the binary its capabilities as the README's section on "
                    "privileges says"};
        return {"the kernel refuses to load BPF programs although the capabilities are there",
                "look at 'waitclose doctor'; a container, lockdown mode or a security module may forbid it"};
    }
    if (::access(kBtf, R_OK) != 0)
        return {fmt::format("this kernel gives no type information ({} cannot be read)", kBtf),
                "boot a kernel built with CONFIG_DEBUG_INFO_BTF=y, or mount /sys where you are"};
    return {fmt::format("the kernel refused the BPF programs: {} ({})", std::strerror(error), last_line(log)),
            "please report this with the output of 'waitclose doctor --json'"};
}

std::string why_not_attached(const Alternative& hook, int error, std::string_view log) {
    if (error == ENOENT && hook.hook.starts_with("tp/"))
        return "tracefs does not show it; if it is not mounted: mount -t tracefs tracefs /sys/kernel/tracing";
    if (error == EACCES && hook.hook.starts_with("tp/"))
        return "tracefs cannot be read; that takes root or cap_dac_read_search";
    return fmt::format("{} ({})", std::strerror(error), last_line(log));
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
    std::vector<std::unique_ptr<bpf_link, LinkDeleter>> links;
    EventSink* sink = nullptr;  // where drain() sends events now
    std::unique_ptr<ring_buffer, RingDeleter> ring;
};

void Probes::SkeletonDeleter::operator()(waitclose_bpf* skeleton) const {
    waitclose_bpf::destroy(skeleton);
}

Probes::Probes() : parts_(std::make_unique<Parts>()) {}
Probes::Probes(Probes&&) noexcept = default;
Probes& Probes::operator=(Probes&&) noexcept = default;
Probes::~Probes() = default;

Result<Probes> Probes::attach(const ProbeSettings& settings) {
    Refusals refused;
    for (const std::string& hook : settings.disabled_hooks) refused[hook] = "switched off with --no-hook";
    // Each round settles at least one hook, so this ends.
    for (;;) {
        Probes probes;
        probes.plan_ = settings.trace ? make_plan(all_needs(), refused) : Plan(all_needs().size(), nullptr);
        for (std::size_t i = 0; settings.trace && i < all_needs().size(); ++i)
            if (all_needs()[i].required && !probes.plan_[i])
                return tl::unexpected(
                    Failure{fmt::format("no hook for '{}' can be used here, so {}", all_needs()[i].name,
                                        all_needs()[i].without),
                            "'waitclose doctor' shows why; 'waitclose snapshot' works without tracing"});
        const std::size_t known = refused.size();
        auto skeleton = load(settings, probes.plan_, refused);
        if (refused.size() > known) continue;
        if (!skeleton) return tl::unexpected(skeleton.error());
        probes.skeleton_ = std::move(*skeleton);
        if (!probes.attach_programs(refused)) continue;
        if (settings.trace)
            if (auto opened = probes.open_ring(); !opened) return tl::unexpected(opened.error());
        probes.refusals_ = std::move(refused);
        return probes;
    }
}

Result<Probes::Skeleton> Probes::load(const ProbeSettings& settings, const Plan& plan, Refusals& refused) {
    const LogCapture log;
    Skeleton skeleton(waitclose_bpf::open());
    if (!skeleton) return tl::unexpected(load_failure(errno, log.text()));
    for (const Need& need : all_needs())
        for (const Alternative& hook : need.alternatives)
            for (const std::string_view program : hook.programs) {
                bpf_program* found =
                    bpf_object__find_program_by_name(skeleton->obj, std::string(program).c_str());
                bpf_program__set_autoload(found, std::find(plan.begin(), plan.end(), &hook) != plan.end());
            }
    if (!settings.trace) {
        bpf_map__set_max_entries(skeleton->maps.events, static_cast<__u32>(::getpagesize()));
        bpf_map__set_max_entries(skeleton->maps.touches, 1);
    }
    std::memcpy(const_cast<wc_filter*>(&skeleton->rodata->filter), &settings.filter, sizeof(wc_filter));
    skeleton->rodata->all_transitions = settings.all_transitions;
    skeleton->rodata->tracing = settings.trace;
    skeleton->rodata->want_peers = settings.want_peers;
    skeleton->bss->tick_ns = system::tick_ns();
    skeleton->bss->counters.tick_phase_ns = std::numeric_limits<wc_i64>::max();
    if (const int error = waitclose_bpf::load(skeleton.get())) {
        if (const Alternative* hook = refused_hook(plan, log.text()); hook && -error != EPERM)
            refused[std::string(hook->hook)] =
                fmt::format("{} ({})", std::strerror(-error), last_line(log.text()));
        return tl::unexpected(load_failure(-error, log.text()));
    }
    return skeleton;
}

bool Probes::attach_programs(Refusals& refused) {
    for (const Alternative* hook : plan_) {
        for (const std::string_view name : hook ? hook->programs : std::span<const std::string_view>{}) {
            const LogCapture log;
            bpf_program* program =
                bpf_object__find_program_by_name(skeleton_->obj, std::string(name).c_str());
            bpf_link* link = bpf_program__attach(program);
            if (!link) {
                refused[std::string(hook->hook)] = why_not_attached(*hook, errno, log.text());
                return false;
            }
            parts_->links.emplace_back(link);
        }
    }
    return true;
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

void Probes::drain(EventSink& sink) {
    parts_->sink = &sink;
    ring_buffer__consume(parts_->ring.get());
}

KernelTotals Probes::totals() const {
    const volatile wc_counters& counters = skeleton_->bss->counters;
    KernelTotals totals{counters.entered, counters.left,
                        counters.lost_entered + counters.lost_left + counters.lost_transitions,
                        counters.lost_storage};
    for (const Alternative* hook : plan_)
        for (const std::string_view name : hook ? hook->programs : std::span<const std::string_view>{}) {
            const bpf_program* program =
                bpf_object__find_program_by_name(skeleton_->obj, std::string(name).c_str());
            const bool sends_events = program == skeleton_->progs.on_transition;
            (sends_events ? totals.lost_events : totals.lost_storage) += times_skipped(program);
        }
    return totals;
}

}  // namespace waitclose::kernel
