// SPDX-License-Identifier: BSD-2-Clause
// The functions that call stacks name, in the words of a diagnosis.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "capture_fixture.h"
#include "diagnose/text.h"
#include "output/json.h"

namespace waitclose::diagnose {
namespace {

using namespace replay::testing;

Diagnosis diagnosis_of(replay::testing::Told told) {
    model::give_stacks(told.census, told.activity);
    return diagnose(told.census, told.census.sockets.front());
}

TEST(DiagnoseFunctions, AreInTheSummaryTheChainAndTheEvidence) {
    const Diagnosis diagnosis = diagnosis_of(disk());
    EXPECT_EQ(diagnosis.summary,
              "thread worker-3, in write_audit_log, waits for the disk for 22 s: fdatasync(fd 12, "
              "/var/log/audit.log)");
    ASSERT_EQ(diagnosis.because.size(), 1U);
    EXPECT_EQ(diagnosis.because[0].function, "write_audit_log");
    ASSERT_TRUE(fact(diagnosis, "in_function"));
    EXPECT_EQ(std::get<std::string>(fact(diagnosis, "in_function")->value), "write_audit_log");
    EXPECT_TRUE(test::says(diagnosis_of(busy()), "in spin_parse, computes"));
    EXPECT_TRUE(test::says(diagnosis_of(deadlock()), "billing (pid 5200, in charge_card)"));
}

TEST(DiagnoseFunctions, WithoutAStackNothingChanges) {
    const replay::testing::Told told = disk();
    const Diagnosis diagnosis = diagnose(told.census, told.census.sockets.front());
    EXPECT_EQ(diagnosis.summary,
              "thread worker-3 waits for the disk for 22 s: fdatasync(fd 12, /var/log/audit.log)");
    EXPECT_EQ(diagnosis.because[0].function, "");
    EXPECT_FALSE(fact(diagnosis, "in_function"));
    EXPECT_FALSE(fact(diagnosis, "opened_in"));
}

TEST(DiagnoseFunctions, WhereItWasAccepted) {
    replay::testing::Told told = disk();
    model::Socket& socket = told.census.sockets.front();
    touches(socket).opened_at = std::make_shared<const model::Stack>(
        model::Stack{library("accept4"), own("accept_loop"), own("main")});
    const Diagnosis diagnosis = diagnose(told.census, socket);
    ASSERT_TRUE(fact(diagnosis, "opened_in"));
    EXPECT_EQ(fact(diagnosis, "opened_in")->text,
              "accepted in accept_loop (/usr/bin/orders) (traced: call stack)");
    const auto json = output::socket_json(told.census, socket, diagnosis);
    EXPECT_EQ(json.at("opened_at").at("function"), "accept_loop");
    EXPECT_EQ(json.at("opened_at").at("frames").at(0).at("function"), "main");
    EXPECT_EQ(json.at("opened_at").at("frames").at(2).at("module"), "/usr/lib/libc.so.6");
}

TEST(DiagnoseFunctions, AStackOfLibrariesAloneNamesNoFunction) {
    replay::testing::Told told = disk();
    model::Socket& socket = told.census.sockets.front();
    touches(socket).opened_at = std::make_shared<const model::Stack>(model::Stack{library("accept4")});
    EXPECT_FALSE(fact(diagnose(told.census, socket), "opened_in"));
    EXPECT_TRUE(output::socket_json(told.census, socket, {}).at("opened_at").at("function").is_null());
}

TEST(DiagnoseFunctions, ALongNameIsCutBetweenCharacters) {
    std::string name(119, 'a');
    name += "\xc3\xa4 and more";
    EXPECT_EQ(function_text(name), std::string(119, 'a') + "...");
    EXPECT_EQ(function_text("main"), "main");
}

}  // namespace
}  // namespace waitclose::diagnose
