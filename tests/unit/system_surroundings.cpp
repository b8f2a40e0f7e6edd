// SPDX-License-Identifier: BSD-2-Clause
#include "system/surroundings.h"

#include <string>

#include <gtest/gtest.h>

#include "system/netns_survey.h"

namespace waitclose::system {
namespace {

using namespace std::string_literals;

TEST(LockdownMode, StandsInBrackets) {
    EXPECT_EQ(lockdown_mode_in("[none] integrity confidentiality\n"), "none");
    EXPECT_EQ(lockdown_mode_in("none [integrity] confidentiality\n"), "integrity");
    EXPECT_EQ(lockdown_mode_in("none integrity [confidentiality]"), "confidentiality");
    for (const char* wrong : {"", "none", "[", "[none", "]none[", "[]"})
        EXPECT_FALSE(lockdown_mode_in(wrong)) << wrong;
}

TEST(IsNested, KnowsTheFirstNamespaces) {
    EXPECT_EQ(is_nested("pid:[4026531836]"), false);
    EXPECT_EQ(is_nested("user:[4026531837]"), false);
    EXPECT_EQ(is_nested("pid:[4026532841]"), true);
    EXPECT_FALSE(is_nested("net:[4026531840]")) << "its first has no fixed number";
    for (const char* wrong : {"", "pid", "pid:", "pid:[", "pid:[]", "pid:[x]", "pid:[1", "/dev/null"})
        EXPECT_FALSE(is_nested(wrong)) << wrong;
}

TEST(VariableIn, ReadsAnEnvironment) {
    const std::string environ = "PATH=/bin\0container=podman\0other=\0last=1"s;
    EXPECT_EQ(variable_in(environ, "container"), "podman");
    EXPECT_EQ(variable_in(environ, "last"), "1");
    EXPECT_FALSE(variable_in(environ, "contain"));
    EXPECT_FALSE(variable_in(environ, "other"));
    EXPECT_FALSE(variable_in("", "container"));
    EXPECT_FALSE(variable_in("container", "container"));
}

TEST(SurveyNetns, FindsAtLeastTheOwn) {
    const model::NetworkFinding found = survey_netns();
    EXPECT_GE(found.found, 1U);
    EXPECT_GE(found.entered, 1U);
    EXPECT_LE(found.entered, found.found);
}

}  // namespace
}  // namespace waitclose::system
