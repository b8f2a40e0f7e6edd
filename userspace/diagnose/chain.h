// SPDX-License-Identifier: BSD-2-Clause
// Wait chains in words: whom a thread waits for, and whom that one waits for.
#pragma once

#include <string>
#include <vector>

#include "diagnose/diagnosis.h"
#include "model/provider.h"

namespace waitclose::diagnose {

/// Thread by thread, from one to the one it waits for, across processes, up to eight.
struct Chain {
    std::vector<Link> links;
    bool returns = false;    // the last one waits for one that is in the chain already
    bool deadlock = false;   // and no thread of that circle can go on
    std::size_t circle = 0;  // how many threads it has
    bool by_memory = false;  // some link rests on what a program's own memory says, not on the kernel's word
};

/// `process` is that of `first`, and both are of the census.
Chain chain_from(const model::Census& census, const model::Process& process, const model::Thread& first);

/// What follows on the sentence about the first thread: " on auditor, which waits for the disk: fdatasync(fd
/// 12, /var/log/audit.log) for 0.9 s"; empty when the chain has one link.
std::string end_of_chain_text(const Chain& chain);

}  // namespace waitclose::diagnose
