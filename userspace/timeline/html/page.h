// SPDX-License-Identifier: BSD-2-Clause
// The page of the HTML report as built into the program, from the files beside this one (see page.cmake).
#pragma once

#include <string_view>

namespace waitclose::timeline::html {

/// With marks where texts and data go: @TITLE@, @WHERE@, @STORY@, @LOSSES@, @MADE@, @DATA@, in this order.
std::string_view page();

}  // namespace waitclose::timeline::html
