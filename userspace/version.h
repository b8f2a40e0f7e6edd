// SPDX-License-Identifier: BSD-2-Clause
#pragma once

namespace waitclose {

/// The project's version, from CMakeLists.txt, the only place that states it.
extern const char* const kVersion;

}  // namespace waitclose
