// SPDX-License-Identifier: BSD-2-Clause
// What doctor makes of its findings: the limits, the remedies, the verdict.
#include "model/limits.h"

#include <gtest/gtest.h>

#include "doctor_findings.h"

namespace waitclose::model {
namespace {

using namespace testing_doctor;

constexpr const char* kSetcap = "sudo setcap cap_bpf,cap_sys_ptrace,cap_sys_admin+ep ";

Limit only_limit(const Findings& findings) {
    const auto limits = limits_of(findings);
    EXPECT_EQ(limits.size(), 1U);
    return limits.empty() ? Limit{} : limits.front();
}

Findings in_container(const std::string& kind) {
    Findings findings = healthy();
    findings.surroundings.container = kind;
    findings.surroundings.nested_pid_namespace = true;
    return findings;
}

TEST(DoctorVerdict, FullWhereNothingIsLost) {
    EXPECT_EQ(verdict_of(healthy()), Verdict::kFull);
    EXPECT_TRUE(limits_of(healthy()).empty());
}

TEST(DoctorVerdict, ACostlierHookIsNoLimitUnlessItLosesSomething) {
    Findings findings = healthy();
    refuse(need_read(findings).hooks[0], Obstacle::kKernel, "no");
    need_read(findings).chosen = 1;
    EXPECT_EQ(verdict_of(findings), Verdict::kFull);
    refuse(need_read(findings).hooks[1], Obstacle::kKernel, "no");
    need_read(findings).chosen = 2;
    EXPECT_EQ(verdict_of(findings), Verdict::kLimited);
    EXPECT_EQ(only_limit(findings).what, "read: splice() is not seen");
    EXPECT_EQ(only_limit(findings).remedy.text,
              "boot a kernel that allows tp_btf/sock_recv_length or kprobe/tcp_cleanup_rbuf");
}

TEST(DoctorVerdict, WithoutACensusItIsUnusable) {
    EXPECT_EQ(verdict_of(unprivileged()), Verdict::kUnusable);
    EXPECT_EQ(why_unusable(unprivileged()), "loading needs cap_bpf");
    EXPECT_EQ(name_of(Verdict::kUnusable), "unusable");
    EXPECT_EQ(name_of(Verdict::kLimited), "usable, with limits");
    EXPECT_EQ(name_of(Verdict::kFull), "full");
}

TEST(DoctorPrivileges, TheExactCommandIsGiven) {
    const Limit limit = only_limit(unprivileged());
    EXPECT_EQ(limit.what, "cap_bpf is missing: nothing works");
    EXPECT_EQ(limit.remedy.command, std::string(kSetcap) + "/usr/bin/waitclose");
}

TEST(DoctorPrivileges, ThePathIsQuotedForTheShell) {
    EXPECT_EQ(shell_quoted("/usr/bin/waitclose-1.0"), "/usr/bin/waitclose-1.0");
    EXPECT_EQ(shell_quoted("/a b"), "'/a b'");
    EXPECT_EQ(shell_quoted("it's"), "'it'\\''s'");
    EXPECT_EQ(shell_quoted("$(x);*~"), "'$(x);*~'");
    EXPECT_EQ(shell_quoted(""), "''");
    Findings findings = unprivileged();
    findings.surroundings.binary = "/home/me/my tools/waitclose";
    EXPECT_EQ(only_limit(findings).remedy.command, std::string(kSetcap) + "'/home/me/my tools/waitclose'");
    findings.surroundings.binary = "";
    EXPECT_EQ(only_limit(findings).remedy.command, std::string(kSetcap) + "\"$(command -v waitclose)\"");
}

TEST(DoctorPrivileges, WhereFileCapabilitiesHaveNoEffectItIsInstalledElsewhere) {
    Findings findings = unprivileged();
    findings.surroundings.binary_on_nosuid = true;
    EXPECT_EQ(only_limit(findings).remedy.command,
              std::string("sudo install /usr/bin/waitclose /usr/local/bin/waitclose && ") + kSetcap +
                  "/usr/local/bin/waitclose");
}

TEST(DoctorPrivileges, WhatCannotHelpIsNotAdvised) {
    Findings findings = unprivileged();
    findings.surroundings.no_new_privileges = true;
    EXPECT_EQ(only_limit(findings).remedy.command, "");
    EXPECT_NE(only_limit(findings).remedy.text.find("no_new_privs"), std::string::npos);
    findings = unprivileged();
    findings.capabilities[0].grantable = false;
    EXPECT_EQ(only_limit(findings).remedy.command, "");
    EXPECT_NE(only_limit(findings).remedy.text.find("CapabilityBoundingSet="), std::string::npos);
}

TEST(DoctorPrivileges, AnotherCapabilityMayContainIt) {
    Findings findings = healthy();
    findings.capabilities[0].held = false;
    EXPECT_EQ(verdict_of(findings), Verdict::kFull);
    EXPECT_TRUE(may_load(findings));
    EXPECT_FALSE(may_load(unprivileged()));
}

TEST(DoctorPrivileges, OfAnotherUserNamespaceDoNotCount) {
    Findings findings = unprivileged();
    findings.capabilities[0].held = true;
    findings.surroundings.nested_user_namespace = true;
    findings.networks = {2, 1, 80};
    EXPECT_FALSE(may_load(findings));
    EXPECT_EQ(why_unusable(findings), only_limit(findings).what);
    EXPECT_NE(only_limit(findings).remedy.text.find("outside this user namespace"), std::string::npos);
}

TEST(DoctorContainer, OneCommandGivesAllThatIsMissing) {
    Findings findings = in_container("docker");
    for (CapabilityFinding& one : findings.capabilities) one.held = one.grantable = false;
    findings.census = findings.tracing = Failure{"loading needs cap_bpf", "run it as root"};
    findings.surroundings.has_tracefs = false;
    findings.surroundings.confined_by_apparmor = true;
    const auto limits = limits_of(findings);
    ASSERT_EQ(limits.size(), 4U) << "three capabilities, and the PID namespace";
    for (const Limit& limit : limits)
        EXPECT_EQ(limit.remedy.command,
                  "docker run --pid host --cap-add BPF --cap-add SYS_PTRACE --cap-add SYS_ADMIN "
                  "--security-opt apparmor=unconfined -v /sys/kernel/tracing:/sys/kernel/tracing:ro IMAGE");
}

TEST(DoctorContainer, OnlyWhatIsMissing) {
    EXPECT_EQ(only_limit(in_container("docker")).remedy.command, "docker run --pid host IMAGE");
    EXPECT_EQ(only_limit(in_container("podman")).remedy.command, "podman run --pid host IMAGE");
    Findings findings = in_container("podman");
    findings.surroundings.is_root = false;
    findings.capabilities[1].held = false;
    EXPECT_EQ(limits_of(findings).front().remedy.command, "podman run --user root --pid host IMAGE");
}

TEST(DoctorContainer, APidNamespaceOutsideAContainerIsLeft) {
    Findings findings = healthy();
    findings.surroundings.nested_pid_namespace = true;
    EXPECT_EQ(verdict_of(findings), Verdict::kLimited);
    EXPECT_EQ(only_limit(findings).remedy, (Remedy{"run it on the host, outside this PID namespace", ""}));
}

TEST(DoctorHooks, TheEasiestObstacleIsRemovedFirst) {
    Findings findings = healthy();
    NeedFinding& read = need_read(findings);
    read.chosen.reset();
    refuse(read.hooks[0], Obstacle::kOldKernel, "this kernel has no tracepoint");
    refuse(read.hooks[1], Obstacle::kKernel, "this kernel has no kprobes");
    refuse(read.hooks[2], Obstacle::kTracefs, "tracefs is not mounted");
    EXPECT_EQ(only_limit(findings).what, "read: which thread read is not known");
    EXPECT_EQ(only_limit(findings).remedy.command, "sudo mount -t tracefs tracefs /sys/kernel/tracing");
    read.hooks[2].obstacle = Obstacle::kKernel;
    EXPECT_EQ(only_limit(findings).remedy.text, "boot Linux 6.3 or later: it has tp_btf/sock_recv_length");
    read.hooks[2].obstacle = Obstacle::kPrivilege;
    EXPECT_EQ(only_limit(findings).remedy.command, std::string(kSetcap) + "/usr/bin/waitclose");
    read.hooks[2].obstacle = Obstacle::kSwitchedOff;
    EXPECT_EQ(only_limit(findings).remedy.text, "leave out --no-hook tp/syscalls/sys_exit_read");
}

TEST(DoctorHooks, WhereOthersHaveAllPlacesTheirEndIsTheRemedy) {
    Findings findings = healthy();
    NeedFinding& read = need_read(findings);
    refuse(read.hooks[0], Obstacle::kKernel, "this kernel refuses typed tracepoint programs");
    refuse(read.hooks[1], Obstacle::kKernel, "this kernel has no kprobes");
    refuse(read.hooks[2], Obstacle::kTaken, "its places are taken");
    read.chosen.reset();
    const Remedy remedy = hook_remedy(findings, read);
    EXPECT_NE(remedy.text.find("end other tracers"), std::string::npos) << remedy.text;
    EXPECT_EQ(remedy.command, "sudo bpftool perf; sudo bpftool link");
    findings.tracing = Failure{"nothing can serve 'read' here", "-"};
    EXPECT_EQ(tracing_remedy(findings), remedy);
}

TEST(DoctorHooks, WhatIsWorseThanTheChosenOneIsNoRemedy) {
    Findings findings = healthy();
    NeedFinding& read = need_read(findings);
    read.hooks[1].without = "something";
    read.chosen = 1;
    refuse(read.hooks[0], Obstacle::kOldKernel, "this kernel has no tracepoint");
    refuse(read.hooks[2], Obstacle::kTracefs, "tracefs is not mounted");
    EXPECT_EQ(only_limit(findings).remedy.text, "boot Linux 6.3 or later: it has tp_btf/sock_recv_length");
}

TEST(DoctorHooks, ARefusalNobodyExplainsIsToBeReported) {
    Findings findings = healthy();
    need_read(findings).chosen.reset();
    EXPECT_NE(only_limit(findings).remedy.text.find("please report this"), std::string::npos);
}

TEST(DoctorHooks, WithoutTracingTheNeedsAreNotToldOneByOne) {
    Findings findings = healthy();
    NeedFinding& read = need_read(findings);
    read.chosen.reset();
    findings.tracing = Failure{"nothing can serve 'read'", "see doctor"};
    EXPECT_EQ(only_limit(findings).what, "nothing can serve 'read'");
    EXPECT_NE(only_limit(findings).remedy.text.find("'waitclose snapshot' works"), std::string::npos);
    for (HookFinding& hook : read.hooks) refuse(hook, Obstacle::kSwitchedOff, "switched off with --no-hook");
    EXPECT_EQ(only_limit(findings).remedy.text,
              "leave out --no-hook tp_btf/sock_recv_length or --no-hook kprobe/tcp_cleanup_rbuf or --no-hook "
              "tp/syscalls/sys_exit_read");
}

TEST(DoctorHooks, OptionsThatFailAreALimit) {
    Findings findings = healthy();
    findings.options = Failure{"the kernel refused the BPF programs", "report it"};
    EXPECT_EQ(
        only_limit(findings).what,
        "with -L, -D, -4, -6, --netns and --all-transitions it fails: the kernel refused the BPF programs");
    findings = healthy();
    findings.lost_with_options = {"read: splice() is not seen"};
    EXPECT_EQ(verdict_of(findings), Verdict::kLimited);
    EXPECT_NE(only_limit(findings).what.find("read: splice() is not seen"), std::string::npos);
}

TEST(DoctorLockdown, ExplainsAFailureAndIsNoLimitByItself) {
    Findings findings = healthy();
    findings.surroundings.lockdown = "confidentiality";
    EXPECT_EQ(verdict_of(findings), Verdict::kFull) << "it was tried, and works";
    findings.census = findings.tracing = Failure{"the kernel refuses iterators", "see doctor"};
    EXPECT_EQ(why_unusable(findings), only_limit(findings).what);
    EXPECT_EQ(only_limit(findings).remedy.text, "boot with lockdown=integrity on the kernel's command line");
    findings.surroundings.lockdown = "integrity";
    EXPECT_EQ(only_limit(findings).what, "the kernel refuses iterators");
}

TEST(DoctorCensus, WithoutTypeInformationTheRemedyIsTheKernels) {
    Findings findings = healthy();
    findings.surroundings.has_btf = false;
    findings.census = findings.tracing = Failure{"no type information", "boot one with BTF"};
    EXPECT_EQ(only_limit(findings).remedy.text, "boot one with BTF");
}

TEST(DoctorNamespaces, WhatIsNotReachedIsALimitOnceTheCapabilityIsHeld) {
    Findings findings = healthy();
    findings.networks = {3, 2, 0};
    EXPECT_EQ(only_limit(findings).what,
              "1 of 3 network namespaces cannot be entered: what is held there is counted as not reached");
    findings.capabilities[2].held = false;
    EXPECT_EQ(only_limit(findings).what, "cap_sys_admin is missing: others are not entered");
    findings = healthy();
    findings.networks.untold = 2;
    EXPECT_EQ(only_limit(findings).what, "2 processes do not show executable and network namespace");
    findings.networks = {};
    EXPECT_EQ(only_limit(findings).remedy.command, "sudo mount -t proc proc /proc");
}

}  // namespace
}  // namespace waitclose::model
