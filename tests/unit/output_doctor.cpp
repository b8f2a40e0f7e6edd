// SPDX-License-Identifier: BSD-2-Clause
// The screens of `doctor`, as people and machines see them.
#include <algorithm>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "doctor_findings.h"
#include "output/doctor_json.h"
#include "output/doctor_text.h"
#include "output_fixture.h"

namespace waitclose::output {
namespace {

using namespace model::testing_doctor;
using model::Findings;
using model::Obstacle;
using nlohmann::json;
using testing_machine::is_harmless;
using testing_machine::widest_line;
using testing_machine::written_by;

std::string screen_of(const Findings& findings, Detail detail = Detail::kBrief, const TextStyle& style = {}) {
    return written_by([&](Sink& sink) { write_doctor_text(sink, findings, detail, style); });
}

TEST(OutputDoctorText, AHealthyMachine) {
    EXPECT_EQ(screen_of(healthy()),
              "full: everything works here\n"
              "\n"
              "  ok  kernel       Linux 6.12.0, with BTF, lockdown mode none\n"
              "  ok  privileges   no capability is missing\n"
              "  ok  processes    all of this machine are seen\n"
              "  ok  networks     2 network namespaces, entered; this one is 4026531840\n"
              "  ok  sockets      1,234 in CLOSE_WAIT now\n"
              "\n"
              "Hooks\n"
              "  ok  census       iter/tcp                        cost low\n"
              "  ok  read         tp_btf/sock_recv_length         cost low\n"
              "  ok  options      -L, -D, -4, -6, --netns and --all-transitions can be used\n");
}

TEST(OutputDoctorText, WithLimits) {
    Findings findings = healthy();
    findings.surroundings.lockdown.reset();
    auto& read = need_read(findings);
    refuse(read.hooks[0], Obstacle::kOldKernel, "this kernel has no tracepoint");
    refuse(read.hooks[1], Obstacle::kKernel, "this kernel has no kprobes");
    read.chosen = 2;
    findings.networks = {3, 2, 1};
    EXPECT_EQ(screen_of(findings),
              "usable, with limits, which stand below with what to do\n"
              "\n"
              "  ok  kernel       Linux 6.12.0, with BTF, lockdown mode not known\n"
              "  ok  privileges   no capability is missing\n"
              "  ok  processes    all of this machine are seen\n"
              "  !   networks     3 network namespaces, of which 2 can be entered; this one is\n"
              "                   4026531840; not shown by 1 process\n"
              "  ok  sockets      1,234 in CLOSE_WAIT now\n"
              "\n"
              "Hooks\n"
              "  ok  census       iter/tcp                        cost low\n"
              "  !   read         tp/syscalls/sys_exit_read       cost high\n"
              "                   not tp_btf/sock_recv_length (since Linux 6.3): this kernel\n"
              "                   has no tracepoint\n"
              "                   not kprobe/tcp_cleanup_rbuf: this kernel has no kprobes\n"
              "  ok  options      -L, -D, -4, -6, --netns and --all-transitions can be used\n"
              "  Cost high: while waitclose traces, every system call of the machine is slower.\n"
              "\n"
              "Limits\n"
              "  read: splice() is not seen\n"
              "    → boot Linux 6.3 or later: it has tp_btf/sock_recv_length\n"
              "  1 process does not show executable and network namespace\n"
              "    → a security module may keep them: let its policy allow it\n"
              "  1 of 3 network namespaces cannot be entered: what is held there is counted as\n"
              "  not reached\n"
              "    → a seccomp profile or a security module keeps them: let it allow setns()\n");
}

TEST(OutputDoctorText, UnusableSaysWhyFirstAndWhatToTypeLast) {
    const std::string text = screen_of(unprivileged());
    EXPECT_TRUE(text.starts_with("unusable: loading needs cap_bpf\n")) << text;
    EXPECT_NE(text.find("  --               missing: cap_bpf\n"), text.npos) << text;
    EXPECT_NE(text.find("Which would work cannot be tried"), text.npos);
    EXPECT_EQ(text.find("Operation not permitted"), text.npos) << "once is enough";
    EXPECT_TRUE(
        text.ends_with("      sudo setcap cap_bpf,cap_sys_ptrace,cap_sys_admin+ep /usr/bin/waitclose\n"))
        << text;
}

TEST(OutputDoctorText, ACommandIsNeverBroken) {
    Findings findings = unprivileged();
    findings.surroundings.binary = "/opt/" + std::string(200, 'x') + "/wait close";
    TextStyle style;
    style.width = 40;
    EXPECT_NE(screen_of(findings, Detail::kBrief, style)
                  .find("sudo setcap cap_bpf,cap_sys_ptrace,cap_sys_admin+ep '" +
                        findings.surroundings.binary + "'\n"),
              std::string::npos);
}

TEST(OutputDoctorText, OneRemedyForSeveralLimitsIsGivenOnce) {
    Findings findings = healthy();
    for (auto& one : findings.capabilities) one.held = one.required;
    const std::string text = screen_of(findings);
    EXPECT_NE(text.find("cap_sys_ptrace is missing"), text.npos);
    EXPECT_NE(text.find("cap_sys_admin is missing"), text.npos);
    EXPECT_EQ(text.find("sudo setcap"), text.rfind("sudo setcap"));
}

TEST(OutputDoctorText, VerboseShowsEveryAlternative) {
    const std::string text = screen_of(healthy(), Detail::kAll);
    EXPECT_NE(text.find("kprobe/tcp_cleanup_rbuf would work, too (cost medium)\n"), text.npos) << text;
    EXPECT_NE(text.find("cap_sys_admin: to enter\n"), text.npos);
    EXPECT_EQ(text.find("iter/tcp would work"), text.npos) << "it was chosen";
}

TEST(OutputDoctorText, WithoutTracingOnlyItsCauseIsTold) {
    Findings findings = healthy();
    need_read(findings).chosen.reset();
    findings.tracing = Failure{"nothing can serve 'transition'", ""};
    const std::string text = screen_of(findings);
    EXPECT_NE(text.find("  --  read         none, as nothing can be traced\n"), text.npos) << text;
    EXPECT_EQ(text.find("--all-transitions can be used"), text.npos);
}

TEST(OutputDoctorText, KnowingNothingIsNoReasonToFail) {
    const std::string text = screen_of({});
    EXPECT_NE(text.find("whether all are seen is not known"), text.npos) << text;
    EXPECT_NE(text.find("  --  networks     not known: /proc cannot be read\n"), text.npos);
}

TEST(OutputDoctorText, HostileTextPrintsHarmlesslyAndWithinTheWidth) {
    const std::string evil = "\x1b[2J<script>\n\xff\u202e\x9b";
    Findings findings = unprivileged();
    findings.surroundings.kernel = findings.surroundings.binary = evil;
    findings.surroundings.container = findings.surroundings.lockdown = evil;
    findings.census->what = evil;
    Findings refused = healthy();
    need_read(refused).chosen.reset();
    for (auto& hook : need_read(refused).hooks) refuse(hook, Obstacle::kKernel, evil);
    for (const Findings& shown : {findings, refused})
        for (const Detail detail : {Detail::kBrief, Detail::kAll})
            for (const Charset charset : {Charset::kUtf8, Charset::kAscii}) {
                TextStyle style;
                style.charset = charset;
                const std::string text = screen_of(shown, detail, style);
                EXPECT_TRUE(is_harmless(text));
                EXPECT_NE(text.find("\\e[2J"), text.npos) << text;
            }
    EXPECT_LE(widest_line(screen_of(refused, Detail::kAll)), 80U);
}

TEST(OutputDoctorJson, KeepsItsKeys) {
    const json document = json::parse(doctor_json(healthy()));
    EXPECT_EQ(document.at("schema"), "waitclose.doctor/1");
    EXPECT_EQ(document.at("verdict"), "full");
    EXPECT_EQ(document.at("kernel"), "6.12.0");
    EXPECT_EQ(document.at("btf"), true);
    EXPECT_EQ(document.at("lockdown"), "none");
    EXPECT_TRUE(document.at("container").is_null());
    EXPECT_EQ(document.at("netns"), 4026531840);
    EXPECT_EQ(document.at("nested_pid_namespace"), false);
    EXPECT_EQ(document.at("network_namespaces"), json::parse(R"({"found":2,"entered":2,"untold":0})"));
    EXPECT_EQ(document.at("census"), json::parse(R"({"works":true,"why_not":null,"sockets":1234})"));
    EXPECT_EQ(document.at("tracing"), json::parse(R"({"works":true,"why_not":null})"));
    EXPECT_EQ(document.at("all_options"), json::parse(R"({"works":true,"why_not":null})"));
    EXPECT_EQ(document.at("capabilities").at(0), json::parse(R"({"name":"cap_bpf","held":true,
        "in_bounding_set":true,"required":true,"why":"to load","without":"nothing works"})"));
    EXPECT_EQ(document.at("limits"), json::array());
    const json& read = document.at("hooks").at(1);
    EXPECT_EQ(read.at("need"), "read");
    EXPECT_EQ(read.at("hook"), "tp_btf/sock_recv_length");
    EXPECT_EQ(read.at("cost"), "low");
    EXPECT_TRUE(read.at("lost").is_null());
    EXPECT_EQ(read.at("alternatives").at(2), json::parse(R"({"hook":"tp/syscalls/sys_exit_read","since":"5.8",
        "cost":"high","lost":"splice() is not seen","refused":null})"));
}

TEST(OutputDoctorJson, WhatIsNotKnownIsNull) {
    const json document = json::parse(doctor_json({}));
    for (const char* key : {"kernel", "lockdown", "container", "netns", "nested_pid_namespace"})
        EXPECT_TRUE(document.at(key).is_null()) << key;
}

TEST(OutputDoctorJson, SaysWhatIsLostAndWhatToType) {
    const json document = json::parse(doctor_json(unprivileged()));
    EXPECT_EQ(document.at("verdict"), "unusable");
    EXPECT_EQ(document.at("census").at("why_not"), "loading needs cap_bpf");
    EXPECT_TRUE(document.at("census").at("sockets").is_null());
    EXPECT_EQ(document.at("tracing").at("works"), false);
    EXPECT_EQ(document.at("all_options").at("works"), false);
    const json& read = document.at("hooks").at(1);
    EXPECT_TRUE(read.at("hook").is_null());
    EXPECT_TRUE(read.at("cost").is_null());
    EXPECT_EQ(read.at("lost"), "which thread read is not known");
    EXPECT_EQ(read.at("alternatives").at(0).at("refused"), "Operation not permitted");
    ASSERT_EQ(document.at("limits").size(), 1U);
    EXPECT_EQ(document.at("limits").at(0).at("what"), "cap_bpf is missing: nothing works");
    EXPECT_NE(document.at("limits").at(0).at("remedy"), "");
    EXPECT_EQ(document.at("limits").at(0).at("command"),
              "sudo setcap cap_bpf,cap_sys_ptrace,cap_sys_admin+ep /usr/bin/waitclose");
}

TEST(OutputDoctorJson, IsOneLineOfAscii) {
    Findings findings = healthy();
    findings.surroundings.kernel = "\x1b[2J\n\xff\u202e";
    const std::string line = doctor_json(findings);
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
    EXPECT_TRUE(std::all_of(line.begin(), line.end() - 1, [](char c) { return c >= 0x20 && c < 0x7f; }));
}

}  // namespace
}  // namespace waitclose::output
