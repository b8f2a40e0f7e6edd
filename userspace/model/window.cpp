// SPDX-License-Identifier: BSD-2-Clause
#include "model/window.h"

#include <algorithm>
#include <tuple>

namespace waitclose::model {

const ThreadTime* Window::find(std::uint32_t tid, std::uint64_t start_ns) const {
    const auto key_of = [](const ThreadTime& one) { return std::tuple(one.start_ns, one.tid); };
    const auto at = std::ranges::lower_bound(threads, std::tuple(start_ns, tid), {}, key_of);
    return at != threads.end() && key_of(*at) == std::tuple(start_ns, tid) ? &*at : nullptr;
}

std::uint64_t Window::eof_reads_of(const SocketKey& socket) const {
    const auto found = eof_reads.find(socket);
    return found == eof_reads.end() ? 0 : found->second;
}

}  // namespace waitclose::model
