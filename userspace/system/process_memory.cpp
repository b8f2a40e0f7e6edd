// SPDX-License-Identifier: BSD-2-Clause
#include "system/process_memory.h"

#include <algorithm>
#include <array>

#include <sys/uio.h>

namespace waitclose::system {

bool read_memory(std::uint32_t pid, std::uint64_t address, std::span<std::byte> to) {
    const iovec here{to.data(), to.size()};
    const iovec there{reinterpret_cast<void*>(address), to.size()};
    return ::process_vm_readv(static_cast<pid_t>(pid), &here, 1, &there, 1, 0) ==
           static_cast<ssize_t>(to.size());
}

std::size_t read_memory_up_to(std::uint32_t pid, std::uint64_t address, std::span<std::byte> to) {
    constexpr std::uint64_t kPage = 4096;  // no page is smaller
    constexpr std::size_t kMostPieces = 64;
    std::size_t got = 0;
    while (got < to.size()) {
        std::array<iovec, kMostPieces> pieces{};
        std::size_t count = 0;
        std::size_t asked = 0;
        // What is read of a piece that cannot be read to its end is not told, so no piece crosses a page.
        while (count < kMostPieces && got + asked < to.size()) {
            const std::uint64_t at = address + got + asked;
            const auto length = std::min<std::uint64_t>(kPage - at % kPage, to.size() - got - asked);
            pieces[count++] = {reinterpret_cast<void*>(at), static_cast<std::size_t>(length)};
            asked += length;
        }
        iovec here{to.data() + got, asked};
        const ssize_t read = ::process_vm_readv(static_cast<pid_t>(pid), &here, 1, pieces.data(), count, 0);
        if (read <= 0) return got;
        got += static_cast<std::size_t>(read);
        if (static_cast<std::size_t>(read) < asked) return got;
    }
    return got;
}

}  // namespace waitclose::system
