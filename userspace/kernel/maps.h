// SPDX-License-Identifier: BSD-2-Clause
// What every reader of the kernel side's maps and ring buffers needs.
#pragma once

#include <memory>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/types.h>

namespace waitclose::kernel {

struct RingDeleter {
    void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
};

/// A ring buffer that is read here.
using Ring = std::unique_ptr<ring_buffer, RingDeleter>;

/// Every entry of a map. What is added or taken out meanwhile may be missing or not.
template <typename Key, typename Value, typename Use>
void for_each_entry(const bpf_map* map, const Use& use) {
    const int fd = bpf_map__fd(map);
    Key key{};
    Value value{};
    const void* before = nullptr;
    for (__u32 left = bpf_map__max_entries(map); left > 0; --left) {
        Key next{};
        if (bpf_map_get_next_key(fd, before, &next) != 0) return;
        key = next;
        before = &key;
        if (bpf_map_lookup_elem(fd, &key, &value) == 0) use(key, value);
    }
}

}  // namespace waitclose::kernel
