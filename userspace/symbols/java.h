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

namespace waitclose::symbols {

/// A thread's methods, innermost first.
using JavaStack = std::vector<model::Frame>;

/// The stacks in the text of `Thread.print`, by the ids that the threads have for themselves: "nid=0x1f" or,
/// since JDK 21, "nid=31". What is no thread or no frame is passed over.
std::map<std::uint32_t, JavaStack> java_stacks_in(std::string_view thread_print);

/// What one thread did while its JVM was asked.
struct AskedThread {
    Standing standing;  // before and afterwards
    JavaStack stack;
};
/// By tid, as the whole machine knows it. Threads that did something else meanwhile are missing.
using AskedThreads = std::map<std::uint32_t, AskedThread>;

bool has_java(const AddressSpace& space);

/// Has the JVM write its map of compiled code (Compiler.perfmap, since JDK 17) to /tmp/perf-PID.map of its
/// own root, where it stays, and asks it for the stacks of its threads. Fails in one sentence.
Result<AskedThreads> ask_java(const AddressSpace& space);

/// Puts the methods in place of all that lies outside of files, from the innermost such frame outwards.
void merge_java(std::vector<PlacedFrame>& stack, const JavaStack& methods);

}  // namespace waitclose::symbols
