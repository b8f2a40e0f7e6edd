// SPDX-License-Identifier: BSD-2-Clause
#include <gtest/gtest.h>
#include "live_fixture.h"
namespace waitclose::live {
namespace {
using namespace testing_pictures;
TEST(LiveScreens, Show) {
    Scene empty{Machine{}};
    puts(empty.text().c_str());
    Scene one{one_leak()};
    puts(one.text().c_str());
    puts(roles_of(one.screen()).c_str());
    one.press("\n");
    puts(one.text().c_str());
    one.press("\x1bt");
    puts(one.text().c_str());
    one.press("\x1b?");
    puts(one.text().c_str());
    one.press("\x1b" "c");
    puts(one.text().c_str());
}
}
}
