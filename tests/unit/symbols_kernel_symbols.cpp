// SPDX-License-Identifier: BSD-2-Clause
#include "symbols/kernel_symbols.h"

#include <sys/syscall.h>

#include <gtest/gtest.h>

namespace waitclose::symbols {
namespace {

constexpr const char* kTable =
    "0000000000000000 A fixed_percpu_data\n"
    "ffffffff81001000 T first\n"
    "ffffffff81002000 t second.constprop.0\n"
    "ffffffff81002000 T alias_of_second\n"
    "ffffffff81001800 d some_data\n"
    "ffffffff81003000 T last\n"
    "ffffffffc0201000 t in_a_module\t[fuse]\n";

TEST(SymbolTable, NamesTheFunctionThatWasCalledFrom) {
    const auto table = SymbolTable::parse(kTable);
    EXPECT_EQ(table.size(), 5U);
    EXPECT_EQ(table.name_at(0xffffffff81001010), "first");
    EXPECT_EQ(table.name_at(0xffffffff81002000), "first") << "returns behind a call at its very end";
    EXPECT_EQ(table.name_at(0xffffffff81002001), "second") << "the first of two names, without its suffix";
    EXPECT_EQ(table.name_at(0xffffffffc0201004), "in_a_module");
    EXPECT_EQ(table.module_at(0xffffffffc0201004), "fuse");
    EXPECT_EQ(table.module_at(0xffffffff81001010), "") << "of the kernel itself";
}

TEST(SymbolTable, DoesNotNameWhatLiesOutside) {
    const auto table = SymbolTable::parse(kTable);
    EXPECT_EQ(table.name_at(0), "");
    EXPECT_EQ(table.name_at(0xffffffff81001000), "") << "before the first";
    EXPECT_EQ(table.name_at(0xffffffffa0000000), "") << "far behind the last";
    EXPECT_EQ(SymbolTable::parse("").name_at(1), "");
}

TEST(SymbolTable, IsEmptyWhereAddressesAreHidden) {
    EXPECT_TRUE(SymbolTable::parse("0000000000000000 T first\n0000000000000000 t second\n").empty());
}

TEST(SymbolTable, SurvivesAnyText) {
    EXPECT_TRUE(
        SymbolTable::parse("\n\n \nzzz T a\nffffffff81001000\nffffffff81001000 T\nffffffff81001000 T \n")
            .empty());
    EXPECT_EQ(SymbolTable::parse("ffffffff81001000 T unfinished").name_at(0xffffffff81001001), "unfinished");
    const auto longest = SymbolTable::parse("ffffffff81001000 T " + std::string(5000, 'x'));
    EXPECT_EQ(longest.name_at(0xffffffff81001001).size(), 128U);
}

model::Thread sleeping(std::optional<long> number, model::RunState state = model::RunState::kSleeping) {
    model::Thread thread;
    thread.state = state;
    if (number) thread.syscall = static_cast<std::uint32_t>(*number);
    return thread;
}

TEST(NeedsStack, OnlyWhereTheCallDoesNotTell) {
    for (const long plain : {SYS_futex, SYS_epoll_pwait, SYS_accept4, SYS_clock_nanosleep, SYS_wait4}) {
        EXPECT_FALSE(needs_stack(sleeping(plain)));
        EXPECT_TRUE(needs_stack(sleeping(plain, model::RunState::kDiskSleep)));
    }
    EXPECT_TRUE(needs_stack(sleeping(SYS_read)));
    EXPECT_TRUE(needs_stack(sleeping(std::nullopt)));
    EXPECT_FALSE(needs_stack(sleeping(std::nullopt, model::RunState::kRunning)));
    EXPECT_FALSE(needs_stack(sleeping(SYS_read, model::RunState::kStopped)));
}

}  // namespace
}  // namespace waitclose::symbols
