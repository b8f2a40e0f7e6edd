// SPDX-License-Identifier: BSD-2-Clause
// The threads of runtimes that collect garbage, known by their names.
#pragma once

#include <string_view>

namespace waitclose::diagnose {

/// The thread's name is that of a collector thread of HotSpot (Serial, Parallel, G1, Z, Shenandoah) or .NET.
/// Those of Go have no name of their own.
bool is_collector(std::string_view comm);

}  // namespace waitclose::diagnose
