// SPDX-License-Identifier: BSD-2-Clause
// The clock that looks what each CPU does, so many times a second: a software perf event for each.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct bpf_link;
struct bpf_program;

namespace waitclose::kernel {

class SamplingClock {
public:
    /// Attaches the program to every CPU that is online; it stands still at first. Nothing where the kernel
    /// refuses; errno tells why.
    static std::optional<SamplingClock> attach(bpf_program* program);

    /// 0: it stands still.
    void set_rate(std::uint32_t hz) const;

private:
    struct LinkDeleter {
        void operator()(bpf_link* link) const;
    };
    struct OfOneCpu {
        int event;  // of the link, which closes it
        std::unique_ptr<bpf_link, LinkDeleter> link;
    };
    std::vector<OfOneCpu> cpus_;
};

/// The rates at which was sampled, and for how long.
class SamplingTime {
public:
    void change(std::uint32_t hz, std::uint64_t now_ns) {
        if (hz_) {
            sampled_ns_ += now_ns - since_ns_;
            ticks_ += static_cast<double>(now_ns - since_ns_) / 1e9 * hz_;
        }
        hz_ = hz;
        since_ns_ = now_ns;
    }
    std::uint64_t period_ns() const {
        return ticks_ > 0 ? static_cast<std::uint64_t>(static_cast<double>(sampled_ns_) / ticks_) : 0;
    }

private:
    std::uint32_t hz_ = 0;
    std::uint64_t since_ns_ = 0;
    std::uint64_t sampled_ns_ = 0;
    double ticks_ = 0;
};

/// Why there can be no such clock, in words; nothing when there can.
std::optional<std::string> why_not_sampling();

/// The numbers in a list as the kernel writes it, "0-3,8"; empty when it is none. At most 4096.
std::vector<int> parse_cpus(std::string_view text);

}  // namespace waitclose::kernel
