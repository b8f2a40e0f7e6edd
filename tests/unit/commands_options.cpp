// SPDX-License-Identifier: BSD-2-Clause
#include "commands/options.h"

#include <gtest/gtest.h>

#include "commands/port_map.h"

namespace waitclose::commands {
namespace {

TEST(Options, DefaultsSelectEverythingThatLasted) {
    const auto request = check(Options{});
    ASSERT_TRUE(request);
    EXPECT_EQ(request->selection.min_held_ns, 250'000'000U);
    EXPECT_TRUE(request->probes.filter.ipv4);
    EXPECT_TRUE(request->probes.filter.ipv6);
    EXPECT_FALSE(request->probes.filter.by_local_port);
    EXPECT_EQ(request->probes.filter.netns, 0U);
}

TEST(Options, PortsBecomeBits) {
    Options options;
    options.local_ports = {"1", "8080", "65535"};
    const auto request = check(options);
    ASSERT_TRUE(request);
    const wc_filter& filter = request->probes.filter;
    EXPECT_TRUE(filter.by_local_port);
    EXPECT_FALSE(filter.by_remote_port);
    for (const std::uint16_t port : std::initializer_list<std::uint16_t>{1, 8080, 65535})
        EXPECT_TRUE(has_port(filter.local_ports, port));
    for (const std::uint16_t port : std::initializer_list<std::uint16_t>{2, 8081, 65534})
        EXPECT_FALSE(has_port(filter.local_ports, port));
}

TEST(Options, OneFamilyExcludesTheOther) {
    Options options;
    options.ipv4 = true;
    EXPECT_FALSE(check(options)->probes.filter.ipv6);
    options.ipv6 = true;
    EXPECT_TRUE(check(options)->probes.filter.ipv4);
    EXPECT_TRUE(check(options)->probes.filter.ipv6);
}

/// Checks that a wrong value is refused, in a sentence that names the option.
template <typename Set>
void expect_refused(const char* option, Set set) {
    Options options;
    set(options);
    const auto request = check(options);
    ASSERT_FALSE(request) << option;
    EXPECT_NE(request.error().what.find(option), std::string::npos) << request.error().what;
    EXPECT_FALSE(request.error().remedy.empty());
}

TEST(Options, RefusesWhatMakesNoSense) {
    for (const char* port : {"0", "65536", "-1", "http", "", "80 ", "8e3", "99999999999999999999"}) {
        expect_refused("--localport", [&](Options& o) { o.local_ports = {"80", port}; });
        expect_refused("--remoteport", [&](Options& o) { o.remote_ports = {port}; });
    }
    for (const char* pid : {"0", "-5", "self", "99999999999"})
        expect_refused("--pid", [&](Options& o) { o.pids = {pid}; });
    for (const char* duration : {"", "5", "fast", "-1s", "1e9s", "10 parsecs", "999999999999h"})
        expect_refused("--min-held", [&](Options& o) { o.min_held = duration; });
    expect_refused("--comm", [](Options& o) { o.comm = "ja("; });
    expect_refused("--cgroup", [](Options& o) { o.cgroup = "system.slice"; });
    expect_refused("--netns", [](Options& o) { o.netns = "/no/such/namespace"; });
    expect_refused("--no-hook", [](Options& o) { o.disabled_hooks = {"tp_btf/\x1b[2J"}; });
}

TEST(Options, AnExampleIsOfItsOption) {
    Options pids;
    pids.pids = {"java"};
    EXPECT_EQ(check(pids).error().remedy, "give one or several, e.g. --pid 4121,4188");
    Options ports;
    ports.local_ports = {"http"};
    EXPECT_EQ(check(ports).error().remedy, "give one or several, e.g. --localport 8080,8443");
}

TEST(Options, ASizeHasAUnitInEitherCase) {
    EXPECT_EQ(check_size("--max-size", "10k").value(), 10U << 10U);
    EXPECT_EQ(check_size("--max-size", "500MiB").value(), 500U << 20U);
    for (const char* size : {"10", "", "k", "1.5M", "-1M", "10kk", "0M"}) {
        const auto refused = check_size("--max-size", size);
        ASSERT_FALSE(refused) << size;
        EXPECT_NE(refused.error().remedy.find("K, M, G or T"), std::string::npos);
    }
}

TEST(Options, NothingIsDoneInNoTime) {
    EXPECT_EQ(check_length("--duration", "1ms").value(), 1'000'000U);
    for (const char* length : {"0s", "0ms", "x"}) {
        const auto refused = check_length("--duration", length);
        ASSERT_FALSE(refused) << length;
        EXPECT_NE(refused.error().what.find("--duration"), std::string::npos) << refused.error().what;
    }
}

TEST(Options, AHookCanBeSwitchedOff) {
    Options options;
    options.disabled_hooks = {"tp_btf/sock_recv_length"};
    const auto request = check(options);
    ASSERT_TRUE(request);
    EXPECT_TRUE(request->probes.disabled_hooks.contains("tp_btf/sock_recv_length"));
}

}  // namespace
}  // namespace waitclose::commands
