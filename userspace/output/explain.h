// SPDX-License-Identifier: BSD-2-Clause
// `snapshot --explain`: one hold or one group in full.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "diagnose/diagnoser.h"
#include "diagnose/group.h"
#include "output/sink.h"
#include "output/style.h"

namespace waitclose::output {

/// What was asked for and found. Holds references: keep the parts alive.
struct Explained {
    const model::Census& census;
    diagnose::Diagnoser& diagnoser;       // of that census
    std::string meant;                    // "the holds of process 4121", for a group
    bool one_hold = false;                // asked for by its id
    std::uint32_t hold = 0;               // then: which
    std::vector<diagnose::Group> groups;  // else: largest first, at least one
};

/// For people: everything known of the hold, or of the typical member of the largest group after its story;
/// the other groups in a line each.
void write_explained_text(Sink& sink, const Explained& explained, const TextStyle& style);

/// The object of the socket or of the largest group, with "alternatives"; a group has its typical member
/// under "typical" and the other groups under "others".
void write_explained_json(Sink& sink, const Explained& explained);

}  // namespace waitclose::output
