// SPDX-License-Identifier: BSD-2-Clause
// The filter of the live view: the words of the command line, applied to a census that was taken without
// them.
#pragma once

#include <string>

#include "commands/options.h"
#include "live/picture.h"
#include "model/census.h"

namespace waitclose::commands {

struct LiveFilter {
    model::Selection selection;
    wc_filter addresses{};
    bool any = false;  // false: it lets everything pass
};

/// Understands "pid 4121", "-p 4121", "--comm java localport 8080,8443". Empty text lets everything pass.
Result<LiveFilter> parse_filter(const std::string& text);

/// Whether the filter lets the socket pass. It must be one of the census's.
bool passes(const model::Census& census, const model::Socket& socket, const LiveFilter& filter);

/// The same of a hold that has ended, as far as it is known who had it: its holders, its group's owner, or
/// whoever closed it.
bool passes(const live::Ended& ended, const LiveFilter& filter);

}  // namespace waitclose::commands
