// SPDX-License-Identifier: BSD-2-Clause
// The HTML report: one file that opens without a network, made from a timeline and what was concluded from
// it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "output/sink.h"
#include "timeline/format.h"
#include "timeline/timeline.h"

namespace waitclose::timeline {

/// Holds with one story. Texts are raw bytes, as everywhere in a timeline.
struct ReportGroup {
    std::uint32_t process = kNowhere;  // the owner, into Timeline::processes
    std::string cause;                 // as Diagnosis::cause
    std::string confidence;
    std::string where;    // "port 8080", "to 10.0.0.9:443"
    std::string summary;  // what happened, of the typical member
    std::uint64_t sockets = 0;
    std::uint64_t oldest_held_ns = 0;
    std::uint32_t typical = kNowhere;     // the hold that is explained for all, into Timeline::holds
    std::uint64_t open = 0;               // of `sockets`, at the end
    bool oldest_at_least = false;         // oldest_held_ns is a lower bound
    bool is_perhaps = false;              // what is claimed is only possible
    std::vector<std::string> facts = {};  // further sentences: when they began, who closed them
};

/// All holds that are told of, whatever part of them the page has room for.
struct ReportTotals {
    std::uint64_t holds = 0;
    std::uint64_t groups = 0;
    std::uint64_t open = 0;  // at the end
    std::uint64_t longest_ns = 0;
    bool longest_at_least = false;
};

/// What the page says that a timeline does not.
struct ReportWords {
    std::vector<std::string> sentences;  // what happened, in three
    std::string where;  // "host orders-7, Linux 6.18.44, recorded 2026-11-21 03:00:00 for 1 min"
    std::vector<std::string> losses;  // sentences: what is missing; none when nothing is
    std::vector<ReportGroup> groups;
    std::vector<std::uint32_t> group_of;  // for every hold of the timeline its group; may be shorter
    std::vector<std::string> notes = {};  // what else has to be known, sentences
    std::vector<std::vector<std::string>> threads = {};  // what they did: a table, its titles first
    std::optional<ReportTotals> totals = {};             // without them the page counts what it has
};

/// What the page carries at most. What is left out for it, the page says.
struct ReportLimits {
    std::size_t groups = 1'000;  // the first ones; holds of the others are grouped by owner and cause alone
    std::size_t holds = 50'000;
    std::size_t details = 2'000;           // holds with wait chain, evidence and advice
    std::size_t detail_bytes = 4'000'000;  // of their texts
    std::size_t slices = 300'000;          // of all threads
    std::size_t samples = 2'000;           // of a counter
};

/// Writes the page: its style and program are fixed and allowed by their hashes, everything else is text and
/// data. Errors stick to the sink.
void write_html(const Timeline& timeline, const ReportWords& words, const Options& options,
                output::Sink& sink, const ReportLimits& limits = {});

}  // namespace waitclose::timeline
