// SPDX-License-Identifier: BSD-2-Clause
#include "system/process_memory.h"

#include <sys/uio.h>

namespace waitclose::system {

bool read_memory(std::uint32_t pid, std::uint64_t address, std::span<std::byte> to) {
    const iovec here{to.data(), to.size()};
    const iovec there{reinterpret_cast<void*>(address), to.size()};
    return ::process_vm_readv(static_cast<pid_t>(pid), &here, 1, &there, 1, 0) ==
           static_cast<ssize_t>(to.size());
}

}  // namespace waitclose::system
