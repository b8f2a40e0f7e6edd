// SPDX-License-Identifier: BSD-2-Clause
// Why something could not be done, in the two parts a user needs.
#pragma once

#include <string>

#include <tl/expected.hpp>

namespace waitclose {

/// One sentence what went wrong, one line what to do about it.
struct Failure {
    std::string what;
    std::string remedy;
};

template <typename T>
using Result = tl::expected<T, Failure>;

}  // namespace waitclose
