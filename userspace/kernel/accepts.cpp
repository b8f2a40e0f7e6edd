// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/accepts.h"

#include <array>
#include <cerrno>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/types.h>

#include "waitclose.skel.h"

namespace waitclose::kernel {

bool counts_accepts(const Probes& probes) {
    return probes.program_for("accept-count", 0) != nullptr;
}

std::vector<AcceptRecord> read_accepts(const Probes& probes) {
    constexpr __u32 kBatch = 256;
    const bpf_map* map = probes.skeleton().maps.accept_results;
    std::vector<AcceptRecord> records;
    std::array<wc_accept_key, kBatch> keys{};
    std::array<wc_accept_count, kBatch> counts{};
    __u32 place = 0;  // the kernel's own bookmark
    const std::size_t most = std::size_t{2} * bpf_map__max_entries(map);
    for (bool first = true; records.size() < most; first = false) {
        __u32 got = kBatch;
        const int done = bpf_map_lookup_batch(bpf_map__fd(map), first ? nullptr : &place, &place, keys.data(),
                                              counts.data(), &got, nullptr);
        const bool ended = done != 0;
        // -ENOENT comes with the last of them, any other error with none.
        if (ended && done != -ENOENT) return records;
        for (__u32 i = 0; i < got; ++i) records.push_back({keys[i], counts[i]});
        if (ended) return records;
    }
    return records;
}

}  // namespace waitclose::kernel
