// SPDX-License-Identifier: BSD-2-Clause
// What a bundle is and what is in it: the first file to read, and the mark by which a bundle is known.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "model/census.h"
#include "model/facts.h"

namespace waitclose::bundle {

inline constexpr const char* kManifestSchema = "waitclose.capture/1";

/// A file of the bundle.
struct File {
    std::string name;
    std::string about;  // half a sentence
    std::uint64_t bytes = 0;
};

/// A file that is not there, and why.
struct Omission {
    std::string name;
    std::string why;
};

/// What was asked for.
struct Asked {
    std::uint64_t duration_ns = 0;
    std::string selects;              // the options that select, as typed; empty: all
    std::optional<std::string> hold;  // its id
    std::uint64_t min_held_ns = 0;
    std::uint32_t max_threads = 0;
    std::uint64_t max_bytes = 0;
    double max_overhead = 0;  // of one core
    bool redact = false;
    bool arguments = false;
    bool ask_runtime = false;
    std::vector<std::string> disabled_hooks;
};

/// What it cost, as shares of one core and CPU time.
struct Cost {
    double overhead = 0;          // while threads were followed, the programs in the kernel included
    std::uint64_t before_ns = 0;  // of CPU: until threads were followed
    std::uint64_t window_ns = 0;  // meanwhile, without the kernel side
    std::uint64_t after_ns = 0;   // afterwards, at low priority: names, reports
};

struct Manifest {
    std::string program;
    model::HostFacts host;
    std::string kernel_version;
    std::uint64_t from_ns = 0;  // CLOCK_BOOTTIME; between these moments threads were followed
    std::uint64_t to_ns = 0;
    std::int64_t wall_offset_ns = 0;
    std::string ended;  // duration, asked, size
    Asked asked;
    model::ProbeFacts probes;
    std::uint64_t holds = 0;      // that were told of at the last look
    std::uint64_t processes = 0;  // that were followed
    std::uint64_t threads = 0;
    std::uint64_t intervals = 0;
    std::uint64_t samples = 0;
    std::uint64_t stacks = 0;  // each once
    std::uint64_t masked = 0;  // addresses that were replaced
    model::Losses losses;
    std::uint64_t lost_activity = 0;
    std::vector<std::string> lacks;  // what could not be had, a sentence each
    std::vector<std::string> shed;   // what was given up to stay within the budget
    Cost cost;
    std::vector<std::string> headline;  // the first lines of report.txt
    std::vector<File> files;
    std::vector<Omission> omissions;
};

nlohmann::ordered_json manifest_json(const Manifest& manifest);

}  // namespace waitclose::bundle
