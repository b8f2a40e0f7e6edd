// SPDX-License-Identifier: BSD-2-Clause
// Findings of machines for the tests: literals only, nothing is tried.
#pragma once

#include "model/findings.h"

namespace waitclose::model::testing_doctor {

/// A machine on which everything works.
inline Findings healthy() {
    Findings findings;
    findings.surroundings = {.kernel = "6.12.0",
                             .has_btf = true,
                             .has_tracefs = true,
                             .reads_tracefs = true,
                             .lockdown = "none",
                             .container = {},
                             .nested_pid_namespace = false,
                             .nested_user_namespace = false,
                             .netns = 4026531840,
                             .is_root = true,
                             .no_new_privileges = false,
                             .confined_by_apparmor = false,
                             .binary = "/usr/bin/waitclose",
                             .binary_on_nosuid = false};
    findings.capabilities = {{"cap_bpf", true, true, true, "to load", "nothing works"},
                             {"cap_sys_ptrace", true, true, false, "to read", "executables are not known"},
                             {"cap_sys_admin", true, true, false, "to enter", "others are not entered"}};
    findings.needs = {{"census", true, "no sockets can be read", {{"iter/tcp", "5.9", "low", "", {}, {}}}, 0},
                      {"read",
                       false,
                       "which thread read is not known",
                       {{"tp_btf/sock_recv_length", "6.3", "low", "", {}, {}},
                        {"kprobe/tcp_cleanup_rbuf", "5.8", "medium", "", {}, {}},
                        {"tp/syscalls/sys_exit_read", "5.8", "high", "splice() is not seen", {}, {}}},
                       0}};
    findings.networks = {2, 2, 0};
    findings.sockets = 1234;
    return findings;
}

inline NeedFinding& need_read(Findings& findings) {
    return findings.needs.at(1);
}

inline void refuse(HookFinding& hook, Obstacle obstacle, const std::string& reason) {
    hook.refused = reason;
    hook.obstacle = obstacle;
}

/// The same machine without the required capability.
inline Findings unprivileged() {
    Findings findings = healthy();
    findings.surroundings.is_root = false;
    findings.capabilities[0].held = false;
    findings.census = findings.tracing = Failure{"loading needs cap_bpf", "run it as root"};
    for (NeedFinding& need : findings.needs) {
        need.chosen.reset();
        for (HookFinding& hook : need.hooks) refuse(hook, Obstacle::kPrivilege, "Operation not permitted");
    }
    return findings;
}

}  // namespace waitclose::model::testing_doctor
