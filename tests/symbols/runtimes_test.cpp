// SPDX-License-Identifier: BSD-2-Clause
// The stacks of programs that a runtime executes tell their functions, not the runtime's.
#include <filesystem>
#include <iostream>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sleeping.h"
#include "symbols/naming.h"
#include "symbols/standing.h"
#include "system/files.h"

namespace waitclose::symbols {
namespace {

using ::testing::Contains;
using ::testing::Field;
using ::testing::StartsWith;

bool has(const char* program) {
    return ::access(program, X_OK) == 0;
}

std::string script_path(const char* name) {
    return std::string(SLEEPER_SOURCES) + "/" + name;
}

/// What the registers of a sleeping thread are, is known without stopping it; no more than these is needed.
std::optional<model::RawStack> sleeping_stack(const Sleeper& sleeper, std::uint32_t tid,
                                              std::string_view number) {
    for (int i = 0; i < 20'000; ++i) {
        const auto line =
            system::read_line(fmt::format("/proc/{}/task/{}/syscall", sleeper.pid(), tid)).value_or("");
        const auto standing =
            line.starts_with(number) ? standing_of(sleeper.pid(), tid, 65536) : std::nullopt;
        if (!standing) {
            std::this_thread::sleep_for(std::chrono::microseconds(500));
            continue;
        }
        model::RawStack raw;
        raw.pid = sleeper.pid();
        raw.tid = tid;
        raw.registers.emplace();
        raw.registers->pc = standing->pc;
        raw.registers->sp = standing->sp;
        raw.bytes = standing->bytes;
        return raw;
    }
    return std::nullopt;
}

std::uint32_t thread_named(const Sleeper& sleeper, std::string_view name) {
    for (int i = 0; i < 1000; ++i) {
        for (const std::uint32_t tid : sleeper.threads())
            if (system::read_line(fmt::format("/proc/{}/task/{}/comm", sleeper.pid(), tid)) == name)
                return tid;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return 0;
}

struct Doing {
    const char* argument;
    long syscall;
    const char* function;
};

class EveryPython : public ::testing::TestWithParam<const char*> {};

TEST_P(EveryPython, TellsTheFunctionOfOneThatSleeps) {
    if (!has(GetParam())) GTEST_SKIP() << "there is no " << GetParam();
    constexpr Doing kDoings[] = {{"lock", SYS_futex, "wait_for_quota"},
                                 {"recv", SYS_recvfrom, "Größe.call_backend"}};
    for (const Doing& doing : kDoings) {
        SCOPED_TRACE(doing.argument);
        Sleeper sleeper({GetParam(), script_path("sleeper.py"), doing.argument});
        KernelSymbols kernel;
        Naming naming(kernel);
        ASSERT_TRUE(naming.meet(sleeper.pid(), sleeper.start_ns()));
        const auto raw =
            sleeping_stack(sleeper, sleeper.threads().back(), std::to_string(doing.syscall) + " ");
        ASSERT_TRUE(raw);
        const model::Stack stack = naming.name(*raw);
        ASSERT_NE(model::own_function(stack), nullptr) << text_of(stack);
        EXPECT_EQ(model::own_function(stack)->function, doing.function) << text_of(stack);
        EXPECT_EQ(model::own_function(stack)->module, script_path("sleeper.py"));
        EXPECT_THAT(stack, Contains(Field(&model::Frame::function, "handle_request"))) << text_of(stack);
        EXPECT_THAT(stack, Contains(Field(&model::Frame::function, "Thread.run"))) << text_of(stack);
    }
}

TEST_P(EveryPython, TellsTheFunctionOfOneThatRuns) {
    if (!has(GetParam())) GTEST_SKIP() << "there is no " << GetParam();
    Sleeper sleeper({GetParam(), script_path("sleeper.py"), "spin"});
    KernelSymbols kernel;
    Naming naming(kernel);
    ASSERT_TRUE(naming.meet(sleeper.pid(), sleeper.start_ns()));
    model::StackRef script;
    for (int i = 0; i < 100 && !script; ++i) script = naming.script(sleeper.pid(), sleeper.threads().back());
    ASSERT_TRUE(script);
    ASSERT_NE(model::own_function(*script), nullptr);
    EXPECT_EQ(model::own_function(*script)->function, "spin_parse");
}

TEST_P(EveryPython, TellsTheFunctionOfAMomentThatIsGone) {
    if (!has(GetParam())) GTEST_SKIP() << "there is no " << GetParam();
    constexpr Doing kDoings[] = {{"write", SYS_fdatasync, "write_audit_log"}, {"spin", -1, "spin_parse"}};
    for (const Doing& doing : kDoings) {
        SCOPED_TRACE(doing.argument);
        Sleeper sleeper({GetParam(), script_path("sleeper.py"), doing.argument});
        KernelSymbols kernel;
        Naming naming(kernel);
        ASSERT_TRUE(naming.meet(sleeper.pid(), sleeper.start_ns()));
        int named = 0;
        for (int i = 0; i < 50; ++i) {
            const auto raw = sleeper.stack_in(doing.syscall);
            ASSERT_TRUE(raw);
            naming.script(sleeper.pid(), raw->tid);
            const model::Stack stack = naming.name(*raw);
            const model::Frame* own = model::own_function(stack);
            if (own == nullptr) continue;
            EXPECT_EQ(own->function, doing.function) << text_of(stack);
            ++named;
        }
        // Where the next instruction is kept in no register, who executes is not guessed.
        EXPECT_GE(named, doing.syscall < 0 ? 10 : 40) << "of 50";
    }
}

INSTANTIATE_TEST_SUITE_P(Runtimes, EveryPython,
                         ::testing::Values("/usr/bin/python3", PYTHON_3_12, PYTHON_3_13));

TEST(Runtimes, TellsWhatNodeCompiled) {
    if (!has("/usr/bin/node")) GTEST_SKIP() << "there is no node";
    Sleeper sleeper({"/usr/bin/node", "--perf-basic-prof", script_path("sleeper.js")});
    KernelSymbols kernel;
    Naming naming(kernel);
    int named = 0;
    for (int i = 0; i < 40; ++i) {
        const auto raw = sleeper.stack_in(-1, sleeper.pid());
        ASSERT_TRUE(raw);
        ASSERT_TRUE(naming.meet(sleeper.pid(), sleeper.start_ns()));
        const model::Stack stack = naming.name(*raw);
        const model::Frame* own = model::own_function(stack);
        // It still runs what comes before, or the engine works for itself.
        if (own == nullptr || own->function == "handle_request" || own->function == "(anonymous)") continue;
        EXPECT_EQ(own->function, "spin_parse") << text_of(stack);
        EXPECT_EQ(own->module, script_path("sleeper.js"));
        ++named;
    }
    std::filesystem::remove(fmt::format("/tmp/perf-{}.map", sleeper.pid()));
    EXPECT_GE(named, 30) << "of 40";
}

/// How a JVM runs its methods.
class EveryJvm : public ::testing::TestWithParam<std::vector<std::string>> {
protected:
    void SetUp() override {
        if (!has("/usr/bin/java")) GTEST_SKIP() << "there is no java";
    }

    static std::vector<std::string> command(const char* doing) {
        std::vector<std::string> words{"/usr/bin/java"};
        words.insert(words.end(), GetParam().begin(), GetParam().end());
        words.push_back(script_path("Sleeper.java"));
        words.emplace_back(doing);
        return words;
    }
};

TEST_P(EveryJvm, TellsTheMethodsOfOneThatSleptBeforeItWasAsked) {
    constexpr Doing kDoings[] = {{"lock", SYS_futex, "Sleeper.waitForQuota"},
                                 {"recv", SYS_read, "Sleeper.callBackend"}};
    for (const Doing& doing : kDoings) {
        SCOPED_TRACE(doing.argument);
        Sleeper sleeper(command(doing.argument));
        const std::uint32_t handler = thread_named(sleeper, "handler");
        ASSERT_NE(handler, 0U);
        KernelSymbols kernel;
        Naming naming(kernel);
        // To be asked makes the JVM begin a thread, and what the C library keeps of the last one changes.
        std::this_thread::sleep_for(std::chrono::seconds(1));  // it still loads classes
        const auto raw = sleeper.stack_in(doing.syscall, handler);
        ASSERT_TRUE(raw);
        ASSERT_TRUE(naming.meet(sleeper.pid(), sleeper.start_ns()));
        EXPECT_TRUE(naming.must_be_asked(sleeper.pid()));
        const model::Stack unasked = naming.name(*raw);
        EXPECT_EQ(model::own_function(unasked), nullptr) << text_of(unasked);
        const auto asked = naming.ask_runtime(sleeper.pid());
        ASSERT_TRUE(asked) << asked.error().what;
        EXPECT_FALSE(naming.must_be_asked(sleeper.pid()));
        const model::Stack stack = naming.name(*raw);
        std::filesystem::remove(fmt::format("/tmp/perf-{}.map", sleeper.pid()));
        ASSERT_NE(model::own_function(stack), nullptr) << text_of(stack);
        EXPECT_EQ(model::own_function(stack)->function, doing.function) << text_of(stack);
        EXPECT_THAT(stack, Contains(Field(&model::Frame::function, "Sleeper.handleRequest")))
            << text_of(stack);
    }
}

TEST_P(EveryJvm, SaysNothingElseOfOneThatRuns) {
    constexpr Doing kDoings[] = {{"write", SYS_fsync, "Sleeper.writeAuditLog"},
                                 {"spin", -1, "Sleeper.spinParse"}};
    for (const Doing& doing : kDoings) {
        SCOPED_TRACE(doing.argument);
        Sleeper sleeper(command(doing.argument));
        const std::uint32_t handler = thread_named(sleeper, "handler");
        ASSERT_NE(handler, 0U);
        KernelSymbols kernel;
        Naming naming(kernel);
        std::this_thread::sleep_for(std::chrono::seconds(1));
        std::vector<model::RawStack> stacks;
        for (int i = 0; i < 20; ++i)
            if (auto raw = sleeper.stack_in(doing.syscall, handler)) stacks.push_back(*std::move(raw));
        EXPECT_FALSE(stacks.empty());
        ASSERT_TRUE(naming.meet(sleeper.pid(), sleeper.start_ns()));
        const auto asked = naming.ask_runtime(sleeper.pid());
        ASSERT_TRUE(asked) << asked.error().what;
        std::filesystem::remove(fmt::format("/tmp/perf-{}.map", sleeper.pid()));
        int named = 0;
        for (const model::RawStack& raw : stacks) {
            const model::Stack stack = naming.name(raw);
            const model::Frame* own = model::own_function(stack);
            if (own == nullptr) continue;
            EXPECT_EQ(own->function, doing.function) << text_of(stack);
            ++named;
        }
        std::cout << doing.function << ": " << named << " of " << stacks.size() << '\n';
    }
}

INSTANTIATE_TEST_SUITE_P(Runtimes, EveryJvm,
                         ::testing::Values(std::vector<std::string>{}, std::vector<std::string>{"-Xint"},
                                           std::vector<std::string>{"-XX:+PreserveFramePointer"}));

}  // namespace
}  // namespace waitclose::symbols
