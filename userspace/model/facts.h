// SPDX-License-Identifier: BSD-2-Clause
// What machine this is and how waitclose sees into it.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace waitclose::model {

struct HostFacts {
    std::string hostname;
    std::string kernel;
    std::string boot_id;
};

/// Which hook serves which need, and the needs that none serves.
struct ProbeFacts {
    std::vector<std::pair<std::string, std::string>>
        hooks;  // need → hook, e.g. read → tp_btf/sock_recv_length
    std::vector<std::string> missing;
};

}  // namespace waitclose::model
