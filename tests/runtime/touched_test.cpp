// SPDX-License-Identifier: BSD-2-Clause
// Whose threads a census reads: those of processes that hold something, and those that a chain leads to.
#include <gtest/gtest.h>

#include <set>

#include "kernel/census.h"
#include "kernel/probes.h"
#include "programs.h"

namespace runtime {

namespace {

using Pids = std::set<std::uint32_t>;

std::set<std::uint32_t> children_read(const waitclose::model::Census& census, std::uint32_t parent) {
    Pids found;
    for (const auto& process : census.processes)
        if (process.parent_pid == parent && process.thread_count > 0) found.insert(process.pid);
    return found;
}

class Touched : public testing::TestWithParam<const char*> {};

}  // namespace

TEST_P(Touched, OnlyThoseOfTheChain) {
    using waitclose::kernel::CensusTaker;
    using waitclose::kernel::Probes;
    const auto culprit = Culprit::in_position({"chain", "--mode", GetParam()});
    waitclose::kernel::ProbeSettings settings;
    settings.trace = false;
    settings.filter.ipv4 = settings.filter.ipv6 = 1;
    const auto probes = Probes::attach(settings);
    ASSERT_TRUE(probes) << probes.error().what;
    auto taker = CensusTaker::prepare(*probes, 0);
    ASSERT_TRUE(taker) << taker.error().what;
    const auto census = taker->take();
    ASSERT_TRUE(census) << census.error().what;
    const json& truth = culprit->truth();
    const auto holder = truth.at("pid").get<std::uint32_t>();
    Pids chain;
    for (const json& one : truth.at("chain")) chain.insert(one.at("pid").get<std::uint32_t>());
    chain.erase(holder);
    EXPECT_EQ(children_read(*census, holder), chain) << truth;
}

// Each has processes of its own beside the chain, or makes none of the others part of it.
INSTANTIATE_TEST_SUITE_P(Chains, Touched, testing::Values("service", "writers", "impostor", "twin", "circle"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace runtime
