// SPDX-License-Identifier: BSD-2-Clause
// The kernel side, loaded and attached according to a plan. The only holder of libbpf's objects.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "bpf/records.h"
#include "failure.h"
#include "kernel/facts.h"
#include "kernel/plan.h"
#include "model/census.h"
#include "model/events.h"

struct bpf_program;
struct waitclose_bpf;

namespace waitclose::kernel {

struct ProbeSettings {
    wc_filter filter{};
    bool trace = false;           // attach the hooks; else only a census can be taken
    bool windowed = false;        // and those that tell what threads do over a window
    bool captures = false;        // and those that tell it moment by moment, with stacks
    bool opening_stacks = false;  // and those that tell where in its program a socket was opened
    bool all_transitions = false;
    bool want_peers = false;  // the census looks for the other ends of held connections, too
    std::set<std::string, std::less<>> disabled_hooks;
};

/// What the settings need hooks for.
Purpose purpose_of(const ProbeSettings& settings);

/// Receives what the kernel reports, in the order in which it happened.
class EventSink {
public:
    virtual ~EventSink() = default;
    virtual void on(const model::Entered& event) = 0;
    virtual void on(const model::Left& event) = 0;
    virtual void on(const model::Transition& event) = 0;
};

/// What the kernel counted since the probes were attached.
struct KernelTotals {
    std::uint64_t entered = 0;
    std::uint64_t left = 0;
    std::uint64_t lost_events = 0;
    std::uint64_t lost_storage = 0;
};

class Probes {
public:
    /// Loads the kernel side and attaches what the plan chooses; what this kernel refuses is found by trying,
    /// and the plan made again. Fails when nothing useful can be attached, saying what is missing.
    static Result<Probes> attach(const ProbeSettings& settings);
    /// `refused`: is told every hook that was found to be impossible, also where it fails.
    static Result<Probes> attach(const ProbeSettings& settings, Refusals& refused);

    Probes(Probes&&) noexcept;
    Probes& operator=(Probes&&) noexcept;
    ~Probes();

    /// Hands every event waiting in the ring buffer to the sink.
    void drain(EventSink& sink);

    /// Ends the tracing: nothing new is reported, what waits stays to be drained. A census can be taken
    /// still.
    void detach();

    KernelTotals totals() const;

    /// How long the attached programs have run, in ns; counted only while somebody has enabled the kernel's
    /// statistics (kernel.bpf_stats_enabled, BPF_ENABLE_STATS).
    std::uint64_t run_ns() const;

    /// Of run_ns(), that of the programs that only a capture needs, in ns.
    std::uint64_t capture_run_ns() const;
    /// Detaches the programs of one need for good.
    void detach(std::string_view need) const;
    /// How often each CPU is sampled in a second; 0, as at first: never.
    void set_sample_rate(std::uint32_t hz) const;

    const Plan& plan() const { return plan_; }
    const Refusals& refusals() const { return refusals_; }
    waitclose_bpf& skeleton() const { return *skeleton_; }

    /// A program of the hook that the plan chose for a need of the census, in the order of the table.
    bpf_program* program_for(std::string_view need, std::size_t index) const;

private:
    struct Parts;
    struct SkeletonDeleter {
        void operator()(waitclose_bpf* skeleton) const;
    };
    using Skeleton = std::unique_ptr<waitclose_bpf, SkeletonDeleter>;

    Probes();
    static Result<Skeleton> load(const ProbeSettings& settings, const Facts& facts, const Plan& plan,
                                 Refusals& refused);
    bool attach_programs(const Facts& facts, Refusals& refused);
    bpf_program* find_program(std::string_view name) const;
    Result<void> open_ring();

    Skeleton skeleton_;
    Plan plan_;
    Refusals refusals_;
    std::unique_ptr<Parts> parts_;
};

}  // namespace waitclose::kernel
