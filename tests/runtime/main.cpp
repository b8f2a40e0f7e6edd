// SPDX-License-Identifier: BSD-2-Clause
// The suite runs the real waitclose on the real kernel, so it says at once when one of the two is not to be
// had.
#include <cstdio>
#include <cstring>

#include <sys/prctl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "accuracy.h"
#include "programs.h"

namespace {

bool usable(const std::string& path) {
    if (access(path.c_str(), X_OK) == 0) return true;
    std::fprintf(
        stderr, "waitclose_runtime: there is no %s; build it, or set WAITCLOSE_BIN and WAITCLOSE_CULPRITS.\n",
        path.c_str());
    return false;
}

}  // namespace

int main(int argc, char** argv) {
    const bool for_matrix = argc > 1 && std::strcmp(argv[1], "--accuracy") == 0;
    testing::InitGoogleTest(&argc, argv);
    if (testing::GTEST_FLAG(list_tests)) return RUN_ALL_TESTS();
    if (geteuid() != 0) {
        std::fprintf(stderr,
                     "waitclose_runtime: the tests on the real kernel need root; run them with sudo.\n");
        return 1;
    }
    if (!usable(runtime::waitclose_binary()) || !usable(runtime::culprit_path("read_eof"))) return 1;
    prctl(PR_SET_CHILD_SUBREAPER, 1);  // what a killed culprit leaves comes to us, and goes with us
    if (!for_matrix) return RUN_ALL_TESTS();
    const auto options = runtime::accuracy_options(argc, argv);
    if (options) return runtime::measure_accuracy(*options);
    std::fprintf(stderr, "usage: waitclose_runtime --accuracy [--json FILE] [--only NAME] [--together N]\n");
    return 2;
}
