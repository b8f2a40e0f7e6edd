// SPDX-License-Identifier: BSD-2-Clause
// `waitclose capture`, run on culprits, and its bundle, read back.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "model/activity.h"
#include "programs.h"

namespace runtime {

/// What a capture left, read back as anybody could.
struct Bundle {
    Finished finished;
    json manifest;                                // null: there is none
    std::string report;                           // report.txt
    std::string first_lines;                      // three of it, with blanks between them
    std::vector<json> holds;                      // a line each of the ndjson
    std::map<std::string, std::uint64_t> flames;  // the folded stacks: path, and how wide it is
    waitclose::model::Activity activity;
    std::vector<std::string> wrong;  // a sentence for everything that is not as the manifest says
};

class Capture {
public:
    /// Returns when threads are being followed.
    explicit Capture(const Arguments& options, const std::string& duration = "1s");
    Bundle finish();  // waits for its end
    // Ends it, when it has seen for so long what there is.
    Bundle stop(std::chrono::milliseconds seen = 500ms);

    Process& process() { return *process_; }
    std::string directory() const { return directory_.path() + "/bundle"; }

private:
    TemporaryDirectory directory_;
    std::unique_ptr<Process> process_;
};

/// From start to end.
Bundle capture(const Arguments& options, const std::string& duration = "1s");

/// The hold of a culprit; null when it is not in the bundle.
const json* hold_of(const Bundle& bundle, const json& truth);

const waitclose::model::ThreadActivity* thread_of(const Bundle& bundle, const json& tid);

/// Of every stack in which the thread was seen: the names.
std::set<std::string> functions_of(const Bundle& bundle, const json& tid);

/// The widest of the flame graph's paths below this process, as one line.
std::string widest_flame(const Bundle& bundle, const std::string& comm);

/// The sum of the thread's time in one state.
std::uint64_t spent(const waitclose::model::ThreadActivity& thread, waitclose::model::Doing doing);

/// One sentence for everything that a bundle about this culprit should name and does not: the function in the
/// thread's stack, in the wait chain, in the widest flame.
std::vector<std::string> not_named(const Bundle& bundle, const json& truth);

/// The same for the first three lines of its report: the thread, the function, the resource.
std::vector<std::string> not_in_first_lines(const Bundle& bundle, const json& truth);

}  // namespace runtime
