// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/sampling.h"

#include <cerrno>
#include <charconv>
#include <cstring>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "system/files.h"

namespace waitclose::kernel {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kFirstPeriod = kSecond / 99;

system::Descriptor open_clock(int cpu) {
    perf_event_attr attributes{};
    attributes.size = sizeof(attributes);
    attributes.type = PERF_TYPE_SOFTWARE;
    attributes.config = PERF_COUNT_SW_CPU_CLOCK;
    attributes.sample_period = kFirstPeriod;
    attributes.disabled = 1;
    attributes.exclude_idle = 1;
    constexpr int kAnyProcess = -1;
    constexpr int kNoGroup = -1;
    return system::Descriptor(static_cast<int>(
        ::syscall(SYS_perf_event_open, &attributes, kAnyProcess, cpu, kNoGroup, PERF_FLAG_FD_CLOEXEC)));
}

std::vector<int> online_cpus() {
    const auto text = system::read_line("/sys/devices/system/cpu/online");
    std::vector<int> cpus = text ? parse_cpus(*text) : std::vector<int>{};
    if (cpus.empty()) cpus.push_back(0);
    return cpus;
}

}  // namespace

void SamplingClock::LinkDeleter::operator()(bpf_link* link) const {
    bpf_link__destroy(link);
}

std::optional<SamplingClock> SamplingClock::attach(bpf_program* program) {
    SamplingClock clock;
    for (const int cpu : online_cpus()) {
        const system::Descriptor event = open_clock(cpu);
        if (!event && errno == ENODEV) continue;  // taken offline since
        if (!event) return std::nullopt;
        const int fd = ::dup(event.get());
        bpf_link* link = fd < 0 ? nullptr : bpf_program__attach_perf_event(program, fd);
        if (!link) {
            const int error = errno;
            if (fd >= 0) ::close(fd);
            errno = error;
            return std::nullopt;
        }
        ::ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
        clock.cpus_.push_back({fd, std::unique_ptr<bpf_link, LinkDeleter>(link)});
    }
    return clock;
}

void SamplingClock::set_rate(std::uint32_t hz) const {
    for (const OfOneCpu& cpu : cpus_) {
        if (hz == 0) {
            ::ioctl(cpu.event, PERF_EVENT_IOC_DISABLE, 0);
            continue;
        }
        std::uint64_t period = kSecond / hz;
        ::ioctl(cpu.event, PERF_EVENT_IOC_PERIOD, &period);
        ::ioctl(cpu.event, PERF_EVENT_IOC_ENABLE, 0);
    }
}

std::optional<std::string> why_not_sampling() {
    const int cpu = online_cpus().front();
    if (open_clock(cpu)) return std::nullopt;
    return fmt::format("a sampling clock of CPU {} is refused: {}", cpu, std::strerror(errno));
}

std::vector<int> parse_cpus(std::string_view text) {
    constexpr int kMost = 4096;
    std::vector<int> cpus;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at != end) {
        int first = 0;
        const auto [after, error] = std::from_chars(at, end, first);
        if (error != std::errc()) return {};
        int last = first;
        at = after;
        if (at != end && *at == '-') {
            const auto [after_last, bad] = std::from_chars(at + 1, end, last);
            if (bad != std::errc()) return {};
            at = after_last;
        }
        if (first < 0 || last < first || last >= kMost) return {};
        for (int cpu = first; cpu <= last; ++cpu) cpus.push_back(cpu);
        if (cpus.size() > kMost || (at != end && *at++ != ',')) return {};
    }
    return cpus;
}

}  // namespace waitclose::kernel
