// SPDX-License-Identifier: BSD-2-Clause
// The stacks of real programs, built in every way programs are built, tell the function that stands still.
#include "symbols/naming.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iostream>

#include <elf.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "sleeping.h"

namespace waitclose::symbols {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::Field;

struct Doing {
    const char* argument;
    long syscall;  // -1: on the CPU
    const char* function;
};

constexpr Doing kDoings[] = {{"write", SYS_fdatasync, "write_audit_log"},
                             {"lock", SYS_futex, "wait_for_quota"},
                             {"recv", SYS_recvfrom, "call_backend"},
                             {"spin", -1, "spin_parse"}};

struct Build {
    const char* name;
    bool is_cpp;
};

void PrintTo(const Build& build, std::ostream* to) {
    *to << build.name;
}

std::string expected_in(const Build& build, const Doing& doing) {
    const std::string function = doing.function;
    if (!build.is_cpp) return function;
    if (function == "spin_parse") return "shop::Parser::spin_parse";
    return "shop::" + function + (function == "call_backend" ? "<char>" : "");
}

class EveryBuild : public ::testing::TestWithParam<Build> {
protected:
    KernelSymbols kernel_;
    Naming naming_{kernel_};
};

TEST_P(EveryBuild, TellsTheFunction) {
    for (const Doing& doing : kDoings) {
        SCOPED_TRACE(doing.argument);
        Sleeper sleeper({std::string(SLEEPERS) + "/" + GetParam().name, doing.argument});
        ASSERT_TRUE(naming_.meet(sleeper.pid(), sleeper.start_ns()));
        const auto raw = sleeper.stack_in(doing.syscall);
        ASSERT_TRUE(raw);
        const model::Stack stack = naming_.name(*raw);
        const model::Frame* own = model::own_function(stack);
        ASSERT_NE(own, nullptr) << text_of(stack);
        EXPECT_EQ(own->function, expected_in(GetParam(), doing)) << text_of(stack);
        EXPECT_THAT(own->module, ::testing::EndsWith(GetParam().name));
        EXPECT_TRUE(own->offset);
        const std::string handler = GetParam().is_cpp ? "shop::handle_request" : "handle_request";
        EXPECT_THAT(stack, Contains(Field(&model::Frame::function, handler))) << text_of(stack);
        EXPECT_THAT(stack.back().function, AnyOf("clone", "clone3", "__clone3", "__clone")) << text_of(stack);
        EXPECT_FALSE(stack.back().own);
    }
}

INSTANTIATE_TEST_SUITE_P(Naming, EveryBuild,
                         ::testing::Values(Build{"c_frame_pointers", false},
                                           Build{"c_only_frame_pointers", false},
                                           Build{"c_no_frame_pointers", false}, Build{"c_stripped", false},
                                           Build{"c_stripped_no_id", false}, Build{"c_no_pie", false},
                                           Build{"c_static", false}, Build{"c_static_pie", false},
                                           Build{"c_static_stripped", false}, Build{"cpp_unoptimized", true},
                                           Build{"cpp_optimized", true}, Build{"cpp_static_library", true},
                                           Build{"cpp_static", true}),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(Naming, NamesWhatHasBeenDeletedAndHasEnded) {
    const std::string copy = fmt::format("/tmp/waitclose-sleeper-{}", ::getpid());
    std::filesystem::copy_file(std::string(SLEEPERS) + "/c_no_frame_pointers", copy);
    KernelSymbols kernel;
    Naming naming(kernel);
    std::optional<model::RawStack> raw;
    {
        Sleeper sleeper({copy, "lock"});
        std::filesystem::remove(copy);
        ASSERT_TRUE(naming.meet(sleeper.pid(), sleeper.start_ns()));
        raw = sleeper.stack_in(SYS_futex);
    }
    ASSERT_TRUE(raw);
    const model::Stack stack = naming.name(*raw);
    ASSERT_NE(model::own_function(stack), nullptr) << text_of(stack);
    EXPECT_EQ(model::own_function(stack)->function, "wait_for_quota");
    EXPECT_EQ(model::own_function(stack)->module, copy) << "the mark of the deleted is not part of the path";
}

/// A copy of a program whose sections all have sizes that no file has.
std::string with_absurd_sections(const std::string& program) {
    const std::string copy = fmt::format("/tmp/waitclose-sleeper-{}", ::getpid());
    std::filesystem::copy_file(program, copy);
    std::fstream file(copy, std::ios::in | std::ios::out | std::ios::binary);
    Elf64_Ehdr header{};
    file.read(reinterpret_cast<char*>(&header), sizeof(header));
    const std::uint64_t size = 0x7fffffffffff;
    for (std::uint64_t i = 1; i < header.e_shnum; ++i) {
        file.seekp(static_cast<std::streamoff>(header.e_shoff + i * sizeof(Elf64_Shdr) +
                                               offsetof(Elf64_Shdr, sh_size)));
        file.write(reinterpret_cast<const char*>(&size), sizeof(size));
    }
    return copy;
}

TEST(Naming, TellsThePlaceInAProgramWhoseSectionsAreAbsurd) {
    const std::string whole = std::string(SLEEPERS) + "/c_frame_pointers";
    const std::string broken = with_absurd_sections(whole);
    const auto first_in = [](const std::string& program) {
        KernelSymbols kernel;
        Naming naming(kernel);
        Sleeper sleeper({program, "recv"});
        EXPECT_TRUE(naming.meet(sleeper.pid(), sleeper.start_ns()));
        const auto raw = sleeper.stack_in(SYS_recvfrom);
        const model::Stack stack = raw ? naming.name(*raw) : model::Stack{};
        const auto found = std::ranges::find(stack, program, &model::Frame::module);
        EXPECT_NE(found, stack.end()) << text_of(stack);
        return found == stack.end() ? model::Frame{} : *found;
    };
    const model::Frame known = first_in(whole);
    const model::Frame unknown = first_in(broken);
    std::filesystem::remove(broken);
    EXPECT_EQ(known.function, "call_backend");
    EXPECT_EQ(unknown.function, "");
    ASSERT_TRUE(known.offset);
    EXPECT_EQ(unknown.offset, known.offset);
}

TEST(Naming, FindsTheDebugFilesOfAnotherMountNamespace) {
    const std::string command = fmt::format(
        "mount -t tmpfs none /mnt && mkdir /mnt/.debug && cp {0}/c_stripped_no_id /mnt/hidden && "
        "cp {0}/.debug/c_stripped_no_id.debug /mnt/.debug/ && exec /mnt/hidden recv",
        SLEEPERS);
    Sleeper sleeper({"unshare", "--mount", "sh", "-c", command});
    ASSERT_FALSE(std::filesystem::exists("/mnt/hidden"));
    KernelSymbols kernel;
    Naming naming(kernel);
    ASSERT_TRUE(naming.meet(sleeper.pid(), sleeper.start_ns()));
    const auto raw = sleeper.stack_in(SYS_recvfrom);
    ASSERT_TRUE(raw);
    const model::Stack stack = naming.name(*raw);
    ASSERT_NE(model::own_function(stack), nullptr) << text_of(stack);
    EXPECT_EQ(model::own_function(stack)->function, "call_backend");
    EXPECT_EQ(model::own_function(stack)->module, "/mnt/hidden");
}

TEST(Naming, TakesEachStackForThatOfItsProgram) {
    Sleeper sleeper({"sh", "-c", fmt::format("echo ready; read go; exec {}/c_no_pie lock", SLEEPERS)});
    KernelSymbols kernel;
    Naming naming(kernel);
    ASSERT_TRUE(naming.meet(sleeper.pid(), sleeper.start_ns()));
    const auto before = sleeper.stack_in(SYS_read);
    ASSERT_TRUE(before);
    sleeper.say("go\n");
    ASSERT_TRUE(naming.meet(sleeper.pid(), sleeper.start_ns()));
    const auto after = sleeper.stack_in(SYS_futex);
    ASSERT_TRUE(after);
    EXPECT_EQ(model::own_function(naming.name(*after))->function, "wait_for_quota");
    const model::Stack of_shell = naming.name(*before);
    ASSERT_FALSE(of_shell.empty());
    EXPECT_THAT(of_shell, Contains(Field(&model::Frame::module, ::testing::EndsWith("sh"))))
        << text_of(of_shell);
}

TEST(Naming, DoesNotMeetAnotherProcessOfThatPid) {
    Sleeper sleeper({std::string(SLEEPERS) + "/c_static", "recv"});
    KernelSymbols kernel;
    Naming naming(kernel);
    EXPECT_FALSE(naming.meet(sleeper.pid(), sleeper.start_ns() - 1'000'000'000));
    EXPECT_FALSE(naming.meet(0x7ffffff, 1));
}

TEST(Naming, IsFast) {
    Sleeper sleeper({std::string(SLEEPERS) + "/cpp_optimized", "lock"});
    KernelSymbols kernel;
    Naming naming(kernel);
    ASSERT_TRUE(naming.meet(sleeper.pid(), sleeper.start_ns()));
    const auto raw = sleeper.stack_in(SYS_futex);
    ASSERT_TRUE(raw);
    const auto spent = [&](int times) {
        const auto before = std::chrono::steady_clock::now();
        for (int i = 0; i < times; ++i) naming.name(*raw);
        return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - before).count() /
               times;
    };
    const double first = spent(1);
    const double again = spent(1000);
    std::cout << fmt::format("first {:.0f} us, again {:.1f} us\n", first, again);
    EXPECT_LT(again, 1000);
}

/// Random bytes for a stack, and registers that lead into code: names or none, but an end.
TEST(Naming, SurvivesStacksOfNonsense) {
    Sleeper sleeper({std::string(SLEEPERS) + "/c_only_frame_pointers", "lock"});
    KernelSymbols kernel;
    Naming naming(kernel);
    ASSERT_TRUE(naming.meet(sleeper.pid(), sleeper.start_ns()));
    auto raw = sleeper.stack_in(SYS_futex);
    ASSERT_TRUE(raw);
    std::uint64_t seed = 1;
    for (int round = 0; round < 2000; ++round) {
        model::RawStack bad = *raw;
        for (int i = 0; i < 64; ++i) {
            seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
            bad.bytes[(seed >> 32) % std::min<std::size_t>(bad.bytes.size(), 4096)] =
                static_cast<std::byte>(seed >> 56);
        }
        if (round % 3 == 0) bad.registers->values[6] = seed;
        if (round % 7 == 0) bad.registers->pc += seed % 65536;
        if (round % 11 == 0) bad.bytes.resize((seed >> 40) % 64);
        EXPECT_LE(naming.name(bad).size(), 256U);
    }
}

}  // namespace
}  // namespace waitclose::symbols
