// SPDX-License-Identifier: BSD-2-Clause
// The confusion matrix: every labelled culprit and every healthy decoy, looked at in every way there is.
#pragma once

#include <optional>
#include <string>

namespace runtime {

struct AccuracyOptions {
    std::optional<std::string> json_file;  // for machines
    std::string only;                      // cases whose name contains it
    std::size_t together = 14;             // programs that run at the same time
};

/// Prints the matrix to stdout and progress to stderr. 0: nothing is wrong beyond what was declared
/// beforehand.
int measure_accuracy(const AccuracyOptions& options);

/// What the arguments after --accuracy say; absent when they say nothing sensible.
std::optional<AccuracyOptions> accuracy_options(int argc, char** argv);

}  // namespace runtime
