// SPDX-License-Identifier: BSD-2-Clause
#include "system/capabilities.h"

#include <array>
#include <memory>
#include <vector>

#include <sys/capability.h>
#include <sys/prctl.h>

namespace waitclose::system {
namespace {

constexpr std::array kUses{
    CapabilityUse{CAP_BPF, "cap_bpf", true, true, "to load BPF programs and to read their maps and iterators",
                  "nothing works"},
    CapabilityUse{CAP_PERFMON, "cap_perfmon", true, false,
                  "to attach BPF programs to tracepoints and to read kernel structures", "nothing works"},
    CapabilityUse{
        CAP_DAC_READ_SEARCH, "cap_dac_read_search", false, true,
        "to find the tracepoints of tracefs, and to read /proc of other users' processes",
        "unless this user owns tracefs, no hook of it (tp/...) can be used, and the descriptors of other "
        "users' processes are not counted"},
    CapabilityUse{CAP_SYS_PTRACE, "cap_sys_ptrace", false, true,
                  "to read the executable, descriptor count and network namespace of other users' processes",
                  "of other users' processes, the executable, the number of descriptors and the network "
                  "namespace are not known"},
    CapabilityUse{CAP_SYSLOG, "cap_syslog", false, false,
                  "to read the addresses of the kernel's functions (/proc/kallsyms)",
                  "unless kernel.kptr_restrict and kernel.perf_event_paranoid show them to all, what threads "
                  "wait for inside the kernel is not known"},
    CapabilityUse{CAP_SYS_ADMIN, "cap_sys_admin", false, true, "to enter other network namespaces",
                  "only this network namespace is read; what is held in others is counted as not reached"},
};

struct CapDeleter {
    void operator()(void* caps) const { cap_free(caps); }
};
using Caps = std::unique_ptr<_cap_struct, CapDeleter>;

}  // namespace

std::span<const CapabilityUse> capability_uses() {
    return kUses;
}

bool has_capability(int capability) {
    const Caps caps(cap_get_proc());
    cap_flag_value_t value = CAP_CLEAR;
    return caps && cap_get_flag(caps.get(), capability, CAP_EFFECTIVE, &value) == 0 && value == CAP_SET;
}

bool may_be_granted(int capability) {
    return cap_get_bound(capability) == CAP_SET;
}

std::string missing_capabilities() {
    std::string names;
    for (const CapabilityUse& use : kUses) {
        if (!use.required || has_capability(use.capability)) continue;
        names += names.empty() ? "" : ",";
        names += use.name;
    }
    return names;
}

void drop_capabilities(std::span<const int> more) {
    const Caps kept(cap_init());
    if (!kept) return;
    std::vector<cap_value_t> wanted;
    for (const CapabilityUse& use : kUses)
        if (use.after_attach && has_capability(use.capability)) wanted.push_back(use.capability);
    for (const int capability : more)
        if (has_capability(capability)) wanted.push_back(capability);
    const int count = static_cast<int>(wanted.size());
    cap_set_flag(kept.get(), CAP_PERMITTED, count, wanted.data(), CAP_SET);
    cap_set_flag(kept.get(), CAP_EFFECTIVE, count, wanted.data(), CAP_SET);
    // Without this a program started from here would get root's capabilities back.
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    cap_set_proc(kept.get());
}

}  // namespace waitclose::system
