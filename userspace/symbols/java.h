// SPDX-License-Identifier: BSD-2-Clause
// What a HotSpot JVM tells of its threads and of the code that it compiled, when it is asked (jcmd).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "failure.h"
#include "symbols/address_space.h"
#include "symbols/standing.h"
#include "symbols/unwinder.h"

namespace waitclose::symbols {

/// A thread's methods, innermost first.
using JavaStack = std::vector<model::Frame>;

/// The stacks in the text of `Thread.print`, by the ids that the threads have for themselves: "nid=0x1f" or,
/// since JDK 21, "nid=31". What is no thread or no frame is passed over.
std::map<std::uint32_t, JavaStack> java_stacks_in(std::string_view thread_print);

/// What one thread told, and what it had on its stack before and afterwards.
struct AskedThread {
    Standing before;
    Standing after;
    JavaStack stack;
};
/// By tid, as the whole machine knows it. Threads that were on a CPU before or afterwards are missing.
using AskedThreads = std::map<std::uint32_t, AskedThread>;

struct AskedJvm {
    AskedThreads threads;
    bool has_map = false;  // it wrote its map of compiled code
};

bool has_java(const AddressSpace& space);

/// Has the JVM write its map of compiled code (Compiler.perfmap, since JDK 17) to /tmp/perf-PID.map of its
/// own root, where it stays, and asks it for the stacks of its threads. Fails in one sentence.
Result<AskedJvm> ask_java(const AddressSpace& space);

/// Puts the methods in place of all that lies outside of files, from the innermost such frame outwards;
/// `steps` are the frames' places. Only where the frames from there on are those of before and after the JVM
/// was asked.
void merge_java(std::vector<PlacedFrame>& stack, const std::vector<Step>& steps, const model::RawStack& raw,
                const AskedThread& asked);

}  // namespace waitclose::symbols
