// SPDX-License-Identifier: BSD-2-Clause
// What the threads of an owner do of which none is known to be responsible, in words. All texts are raw.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "replay/incident.h"

namespace waitclose::report {

/// The reason of a group that nobody is blamed for: that it is so, and what is most worth a look.
std::vector<std::string> nobody_named(const replay::Incident& incident, const replay::Group& group);

/// Of the group's owner, behind a first line: the threads most worth a look with whom they wait for, and what
/// is at the end of that. Nothing where nothing is known of its threads.
void add_doings_of_owner(const replay::Incident& incident, const replay::Group& group,
                         std::vector<std::string>& lines);

/// All that was found of one owner, a sentence each; the first says of whom.
std::vector<std::string> doing_sentences(const replay::Incident& incident, const replay::OwnerDoings& owner);

/// As "capture.threads_of_interest" in JSON.
nlohmann::ordered_json doings_json(const replay::Incident& incident);

}  // namespace waitclose::report
