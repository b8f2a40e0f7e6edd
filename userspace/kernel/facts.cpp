// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/facts.h"

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <fmt/format.h>
#include <linux/btf.h>
#include <linux/perf_event.h>
#include <linux/types.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/log.h"
#include "kernel/sampling.h"
#include "system/files.h"
#include "system/tracefs.h"

namespace waitclose::kernel {
namespace {

constexpr const char* kKprobeType = "/sys/bus/event_source/devices/kprobe/type";

std::optional<std::uint32_t> number_in(const std::string& path) {
    const auto text = system::read_file(path);
    std::uint32_t number = 0;
    if (!text || std::from_chars(text->data(), text->data() + text->size(), number).ec != std::errc())
        return std::nullopt;
    return number;
}

std::optional<std::string> why_not_kprobe(const AttachPoint& point) {
    const auto type = number_in(kKprobeType);
    if (!type) return "this kernel has no kprobes (CONFIG_KPROBE_EVENTS)";
    const std::string function(point.target);
    perf_event_attr attributes{};
    attributes.size = sizeof(attributes);
    attributes.type = *type;
    attributes.config1 = reinterpret_cast<std::uintptr_t>(function.c_str());
    constexpr int kAnyProcess = -1;
    constexpr int kFirstCpu = 0;
    constexpr int kNoGroup = -1;
    const system::Descriptor event(static_cast<int>(
        ::syscall(SYS_perf_event_open, &attributes, kAnyProcess, kFirstCpu, kNoGroup, PERF_FLAG_FD_CLOEXEC)));
    if (event) return std::nullopt;
    if (errno == ENOENT)
        return fmt::format("this kernel has no function {} that can be probed", point.target);
    return fmt::format("a kprobe on {} is refused: {}", point.target, std::strerror(errno));
}

/// That it is listed has to do: opening one and closing it again takes tens of milliseconds.
std::optional<std::string> why_not_tracepoint(const AttachPoint& point) {
    const std::string path = fmt::format("{}/events/{}/id", system::tracefs(), point.target);
    if (system::read_file(path)) return std::nullopt;
    if (errno == EACCES) return "tracefs cannot be read; that takes root or cap_dac_read_search";
    if (!system::has_tracefs()) return "tracefs is not mounted: mount -t tracefs tracefs /sys/kernel/tracing";
    return fmt::format("this kernel has no tracepoint {}", point.target);
}

bpf_attach_type attach_type_of(Mechanism mechanism) {
    switch (mechanism) {
    case Mechanism::kFentry: return BPF_TRACE_FENTRY;
    case Mechanism::kFexit: return BPF_TRACE_FEXIT;
    case Mechanism::kIterator: return BPF_TRACE_ITER;
    default: return BPF_TRACE_RAW_TP;
    }
}

std::string_view name_of(Mechanism mechanism) {
    switch (mechanism) {
    case Mechanism::kFentry: return "fentry programs";
    case Mechanism::kFexit: return "fexit programs";
    case Mechanism::kIterator: return "iterators";
    default: return "typed tracepoint programs";
    }
}

}  // namespace

void Facts::BtfDeleter::operator()(btf* types) const {
    btf__free(types);
}

Facts::Facts(Facts&&) noexcept = default;
Facts& Facts::operator=(Facts&&) noexcept = default;
Facts::~Facts() = default;

Facts Facts::of_this_kernel() {
    const LogCapture log;
    return Facts(btf__load_vmlinux_btf());
}

/// What the kernel calls the place in its type information (bpf_check_attach_target).
int Facts::type_of(const AttachPoint& point) const {
    if (!types_) return -ENOENT;
    const bool is_tracepoint = point.mechanism == Mechanism::kTypedTracepoint;
    const std::string_view prefix = is_tracepoint                             ? "btf_trace_"
                                    : point.mechanism == Mechanism::kIterator ? "bpf_iter_"
                                                                              : "";
    return btf__find_by_name_kind(types_.get(), fmt::format("{}{}", prefix, point.target).c_str(),
                                  is_tracepoint ? BTF_KIND_TYPEDEF : BTF_KIND_FUNC);
}

bool Facts::has(const AttachPoint& point) const {
    return point.mechanism == Mechanism::kTracepoint || point.mechanism == Mechanism::kSamplingClock ||
           type_of(point) > 0;
}

bool Facts::has_function(std::string_view name) const {
    return types_ && btf__find_by_name_kind(types_.get(), std::string(name).c_str(), BTF_KIND_FUNC) > 0;
}

bool Facts::gives_cookies() const {
    return has_function("bpf_get_socket_ptr_cookie");
}

std::optional<std::string> Facts::why_not_typed(const AttachPoint& point) const {
    if (!types_) return "this kernel gives no type information (CONFIG_DEBUG_INFO_BTF)";
    const int type = type_of(point);
    if (type <= 0) {
        if (point.mechanism == Mechanism::kTypedTracepoint)
            return fmt::format("this kernel has no tracepoint {}", point.target);
        if (point.mechanism == Mechanism::kIterator)
            return fmt::format("this kernel has no iterator {}", point.target);
        return fmt::format("this kernel has no function {} that can be hooked", point.target);
    }
    const bpf_insn nothing_to_do[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .src_reg = 0, .off = 0, .imm = 0},
        {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
    LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = attach_type_of(point.mechanism),
                .attach_btf_id = static_cast<__u32>(type));
    const system::Descriptor program(bpf_prog_load(BPF_PROG_TYPE_TRACING, "trial", "GPL", nothing_to_do,
                                                   std::size(nothing_to_do), &options));
    if (program) return std::nullopt;
    return fmt::format("the kernel refuses {}: {}", name_of(point.mechanism), std::strerror(errno));
}

std::optional<std::string> Facts::why_not(const AttachPoint& point) const {
    if (point.optional && !has(point)) return std::nullopt;
    if (!point.helper.empty() && !has_function(point.helper))
        return fmt::format("this kernel has no helper function {}", point.helper);
    switch (point.mechanism) {
    case Mechanism::kKprobe: return why_not_kprobe(point);
    case Mechanism::kTracepoint: return why_not_tracepoint(point);
    case Mechanism::kSamplingClock: return why_not_sampling();
    default: return why_not_typed(point);
    }
}

std::optional<std::string> Facts::why_not(const Alternative& hook) const {
    for (const AttachPoint& point : hook.points)
        if (auto reason = why_not(point)) return reason;
    return std::nullopt;
}

void refuse_impossible(const Facts& facts, std::span<const Need> needs, const Purpose& purpose, Trying trying,
                       Refusals& refused) {
    for (const Need& need : needs) {
        if (!is_wanted(need, purpose)) continue;
        for (const Alternative& hook : need.alternatives) {
            if (refused.contains(hook.hook)) continue;
            if (auto reason = facts.why_not(hook))
                refused.emplace(hook.hook, std::move(*reason));
            else if (trying == Trying::kUntilOneIsFound)
                break;
        }
    }
}

}  // namespace waitclose::kernel
