// SPDX-License-Identifier: BSD-2-Clause
#include "version.h"

namespace waitclose {

const char* const kVersion = WAITCLOSE_VERSION;

}  // namespace waitclose
