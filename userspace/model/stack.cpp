// SPDX-License-Identifier: BSD-2-Clause
#include "model/stack.h"

#include <algorithm>

namespace waitclose::model {

const Frame* own_function(const Stack& stack) {
    const auto found =
        std::ranges::find_if(stack, [](const Frame& frame) { return frame.own && !frame.function.empty(); });
    return found == stack.end() ? nullptr : &*found;
}

}  // namespace waitclose::model
