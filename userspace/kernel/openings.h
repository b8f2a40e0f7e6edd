// SPDX-License-Identifier: BSD-2-Clause
// Where in its program a socket was opened: the stack of the thread at accept() and connect().
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "failure.h"
#include "kernel/probes.h"
#include "model/events.h"
#include "model/stack.h"

namespace waitclose::kernel {

/// A socket was opened. Its deed is the very one that the census will tell of as Touches::opened: the same
/// thread (start_ns and tid) at the same at_ns, which no other socket has.
struct Opening {
    model::Deed deed;  // kAccept or kConnect
    std::uint32_t netns = 0;
    std::uint64_t cookie = 0;   // of the socket; 0: not known where accept() is seen
    std::uint64_t address = 0;  // of the socket in the kernel
    std::uint64_t inode = 0;    // of its file
    /// Openings at the same place share it. Null: it could not be had.
    std::shared_ptr<const model::RawStack> stack;
};

/// Receives openings. Needs probes attached with ProbeSettings::opening_stacks.
class OpeningReader {
public:
    /// `probes` must outlive it.
    static Result<OpeningReader> open(const Probes& probes);

    OpeningReader(OpeningReader&&) noexcept;
    OpeningReader& operator=(OpeningReader&&) noexcept;
    ~OpeningReader();

    /// Those that have happened since it was asked last, in their order.
    std::vector<Opening> take();

    /// Openings there was no room for.
    std::uint64_t lost() const;

private:
    struct Parts;
    explicit OpeningReader(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

}  // namespace waitclose::kernel
