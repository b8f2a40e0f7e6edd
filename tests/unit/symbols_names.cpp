// SPDX-License-Identifier: BSD-2-Clause
#include <gmock/gmock.h>

#include "symbols/demangle.h"
#include "symbols/function_table.h"
#include "symbols/java.h"
#include "symbols/jit_map.h"
#include "symbols/memory_map.h"
#include "symbols/ownership.h"
#include "symbols/python.h"
#include "symbols/standing.h"

namespace waitclose::symbols {
namespace {

TEST(Demangle, TurnsNamesBack) {
    EXPECT_EQ(demangled("main"), "main");
    EXPECT_EQ(demangled("_ZN4shop15write_audit_logEi"), "shop::write_audit_log");
    EXPECT_EQ(demangled("_ZN4shop12call_backendIcEEvT_"), "shop::call_backend<char>");
    EXPECT_EQ(demangled("_ZN4shop7handlerE.isra.0"), "shop::handler");
    EXPECT_EQ(demangled("_ZN4shop5write17h05af221e174051e9E"), "shop::write") << "Rust, legacy";
    EXPECT_EQ(demangled("_RNvCs1234_7mycrate3foo"), "mycrate::foo") << "Rust, v0";
    EXPECT_EQ(demangled("write_audit_log.constprop.0.isra.0"), "write_audit_log");
    EXPECT_EQ(demangled("write.cold"), "write");
    EXPECT_EQ(demangled("recv@@GLIBC_2.2.5"), "recv");
    EXPECT_EQ(demangled("net/http.partial"), "net/http.partial") << "a name, no mark";
    EXPECT_EQ(demangled(""), "");
}

TEST(Demangle, LeavesWhatIsHostile) {
    EXPECT_EQ(demangled("_Z"), "_Z");
    EXPECT_EQ(demangled("_ZN\x01\xff"), "_ZN\x01\xff");
    EXPECT_EQ(demangled("\x1b[31m"), "\x1b[31m");
    EXPECT_EQ(demangled(std::string(100'000, 'x')).size(), 1024U);
    // Every level doubles what is printed: more than memory holds.
    std::string bomb = "_Z1fSt4pairIiiE";
    for (char c = '1'; c <= '9'; ++c) bomb += std::string("St4pairIS") + c + "_S" + c + "_E";
    std::string doubling = "_ZN1aI";
    for (int i = 0; i < 400; ++i) doubling += "St4pairIS_S_E";
    EXPECT_LE(demangled(bomb).size(), 1024U);
    EXPECT_LE(demangled(doubling).size(), 1024U * 8);
    EXPECT_LE(demangled("_Z" + std::string(1900, 'P') + "i").size(), 1024U * 2);
}

TEST(FunctionTable, FindsTheFunctionAround) {
    FunctionTable table;
    table.add(0x1000, 0x100, "big", true);
    table.add(0x1040, 0x10, "inside", false);
    table.add(0x1100, 0, "told_no_length", false);
    table.add(0x1180, 0x10, "last", true);
    table.finish(true);
    EXPECT_EQ(table.symbol_at(0xfff), "");
    EXPECT_EQ(table.symbol_at(0x1000), "big");
    EXPECT_EQ(table.symbol_at(0x1048), "inside");
    EXPECT_EQ(table.symbol_at(0x1050), "big");
    EXPECT_EQ(table.symbol_at(0x117f), "told_no_length");
    EXPECT_EQ(table.symbol_at(0x118f), "last");
    EXPECT_EQ(table.symbol_at(0x1190), "") << "behind it lies what has no name";
}

TEST(FunctionTable, SaysNothingOfLengthsThatAreNotTold) {
    FunctionTable table;
    table.add(0x1000, 0, "exported", true);
    table.finish(false);
    EXPECT_EQ(table.symbol_at(0x1000), "") << "functions that are not listed may lie there";
    FunctionTable complete;
    complete.add(0x1000, 0, "alone", true);
    complete.finish(true);
    EXPECT_EQ(complete.symbol_at(0x1001), "alone");
    EXPECT_EQ(complete.symbol_at(0x100000), "") << "far away";
}

TEST(FunctionTable, TakesTheNameThatProgramsCallItBy) {
    FunctionTable table;
    table.add(0x1000, 8, "__libc_recv", true);
    table.add(0x1000, 8, "recv", true);
    table.add(0x1000, 8, "__recv", false);
    table.add(UINT64_MAX, 8, "wraps", true);
    table.add(0x2000, 8, "$x", false);
    table.finish(true);
    EXPECT_EQ(table.symbol_at(0x1000), "recv");
    EXPECT_EQ(table.symbol_at(0x2000), "");
}

TEST(JitMap, TakesWhatWasToldLast) {
    const auto map = JitMap::parse(
        "1000 100 LazyCompile:~first /a.js:1:2\n"
        "0x2000 10 second\n"
        "not a line\n"
        "3000 zz bad\n"
        "ffffffffffffffff ff wraps\n"
        "4000 0 empty\n"
        "10f0 20 third\n");
    EXPECT_EQ(map.size(), 2U) << "the first one's code is gone";
    EXPECT_EQ(map.name_at(0x1000), "");
    EXPECT_EQ(map.name_at(0x110f), "third");
    EXPECT_EQ(map.name_at(0x1110), "");
    EXPECT_EQ(map.name_at(0x2005), "second");
    EXPECT_TRUE(JitMap::parse("").empty());
    EXPECT_TRUE(JitMap::parse(std::string(1 << 20, '\xff')).empty());
}

TEST(JitFrame, ReadsWhatRuntimesCallFunctions) {
    const auto js = jit_frame("LazyCompile:*spin_parse /srv/app.js:12:3");
    EXPECT_EQ(js.function, "spin_parse");
    EXPECT_EQ(js.module, "/srv/app.js");
    EXPECT_TRUE(js.own);
    EXPECT_EQ(jit_frame("JS:~call file:///srv/a b.mjs:1:2").module, "/srv/a b.mjs");
    EXPECT_FALSE(jit_frame("JS:^emit node:events:460:44").own);
    EXPECT_FALSE(jit_frame("JS:*route /srv/node_modules/express/lib/router.js:1:2").own);
    EXPECT_EQ(jit_frame("Function:~ /srv/app.js:1:1").function, "(anonymous)");
    EXPECT_FALSE(jit_frame("BytecodeHandler:Star").own);
    EXPECT_EQ(jit_frame("int com.shop.Handler.write(byte[])").function, "com.shop.Handler.write");
    EXPECT_EQ(jit_frame("operator new(int)").function, "operator new(int)");
    EXPECT_EQ(jit_frame("a b com.shop.X.y()").function, "a b com.shop.X.y()");
    EXPECT_EQ(jit_frame("a b.c(").function, "a b.c(");
    EXPECT_TRUE(jit_frame("int com.shop.Handler.write(byte[])").own);
    EXPECT_FALSE(jit_frame("int java.io.FileInputStream.read(byte[])").own);
    EXPECT_FALSE(jit_frame("Interpreter").own);
    const auto python = jit_frame("py::write:/srv/app.py");
    EXPECT_EQ(python.function, "write");
    EXPECT_TRUE(python.own);
    EXPECT_FALSE(jit_frame("py::Thread.run:/usr/lib/python3.11/threading.py").own);
}

TEST(Ownership, KnowsSystemFiles) {
    for (const char* path :
         {"/usr/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2",
          "/opt/jdk/lib/server/libjvm.so", "/usr/bin/python3.11", "/usr/bin/node", "[vdso]",
          "/usr/lib/x86_64-linux-gnu/libssl.so.3", "/usr/local/lib/libpython3.12.so.1.0",
          "/usr/lib/python3/dist-packages/x.cpython-311.so"})
        EXPECT_TRUE(is_system_file(path)) << path;
    for (const char* path : {"/usr/sbin/nginx", "/srv/app/lib/libshop.so", "/usr/lib/nginx/modules/mod.so",
                             "/opt/nodetool", "/usr/bin/redis-server", ""})
        EXPECT_FALSE(is_system_file(path)) << path;
}

TEST(Ownership, KnowsStandardFunctions) {
    for (const char* function :
         {"std::mutex::lock", "__gthread_mutex_lock",
          "<alloc::boxed::Box<F> as core::ops::FnOnce>::call_once", "_start", "__libc_start_main",
          "std::thread::_State_impl<shop::work>::_M_run", "runtime.futex"})
        EXPECT_TRUE(is_standard_function(function)) << function;
    for (const char* function : {"main", "write_audit_log", "shop::std::x",
                                 "<shop::Handler as shop::Serve>::serve", "clone_request", "main.handle", ""})
        EXPECT_FALSE(is_standard_function(function)) << function;
}

PlacedFrame in_static_program(const char* function) {
    PlacedFrame placed;
    placed.frame.function = function;
    placed.frame.module = "/srv/app";
    placed.origin = Origin::kStaticProgram;
    return placed;
}

TEST(Ownership, SeesTheCLibraryInsideOfAProgram) {
    std::vector<PlacedFrame> stack;
    for (const char* function :
         {"futex_wait", "__lll_lock_wait", "pthread_mutex_lock", "wait_for_quota", "compare",
          "msort_with_tmp", "qsort", "main", "__libc_start_call_main", "_start"})
        stack.push_back(in_static_program(function));
    mark_own(stack);
    std::vector<std::string> own;
    for (const PlacedFrame& placed : stack)
        if (placed.frame.own) own.push_back(placed.frame.function);
    EXPECT_THAT(own, ::testing::ElementsAre("wait_for_quota", "compare", "main"));
}

TEST(ThreadPrint, TellsTheStacksByNativeId) {
    const auto stacks = java_stacks_in(
        "2024-01-01 00:00:00\nFull thread dump OpenJDK 64-Bit Server VM (17.0.15+6 mixed mode):\n\n"
        "\"handler \" nid=0x1\" #12 prio=5 tid=0x00007f nid=0x1f waiting for monitor entry  [0x00007f]\n"
        "   java.lang.Thread.State: BLOCKED (on object monitor)\n"
        "\tat java.io.FileDescriptor.sync(java.base@17.0.15/Native Method)\n"
        "\tat com.shop.Handler.writeAuditLog(Handler.java:42)\n"
        "\t- waiting to lock <0x000000071> (a java.lang.Object)\n"
        "\tat com.shop.Handler$$Lambda$14/0x0000.run(Unknown Source)\n"
        "\n"
        "\"newer\" #13 [32] prio=5 tid=0x00007f nid=32 runnable\n"
        "\tat java.lang.Thread.run(java.base@21/Thread.java:840)\n"
        "\n"
        "\"VM Thread\" os_prio=0 cpu=1ms nid=zz runnable\n"
        "\tat lost.Frame.x(X.java:1)\n");
    ASSERT_EQ(stacks.size(), 2U);
    const JavaStack& handler = stacks.at(31);
    ASSERT_EQ(handler.size(), 3U);
    EXPECT_EQ(handler[0].function, "java.io.FileDescriptor.sync");
    EXPECT_FALSE(handler[0].own);
    EXPECT_EQ(handler[1].function, "com.shop.Handler.writeAuditLog");
    EXPECT_EQ(handler[1].module, "Handler.java");
    EXPECT_TRUE(handler[1].own);
    EXPECT_EQ(stacks.at(32).size(), 1U);
    EXPECT_TRUE(java_stacks_in(std::string(1 << 20, '"')).empty());
    EXPECT_TRUE(java_stacks_in("\"x\" nid=\n\tat (\n\tat \n").empty());
}

TEST(MemoryMap, TakesWhatIsExecutable) {
    const auto mappings = executable_mappings(
        "55d0-55e0 r--p 00000000 08:01 12 /srv/app\n"
        "55e0-55f0 r-xp 00010000 08:01 12                         /srv/a b (deleted)\n"
        "rubbish\n"
        "9000-8000 r-xp 00000000 08:01 12 /backwards\n"
        "7ff0-8000 rwxp 00000000 00:00 0 \n"
        "8000-8010 r-xp 00000000 00:00 0                          [vdso]\n");
    ASSERT_EQ(mappings.size(), 3U);
    EXPECT_EQ(mappings[0].path, "/srv/a b");
    EXPECT_EQ(mappings[0].inode, 12U);
    EXPECT_EQ(mapping_at(mappings, 0x55ef)->file_offset, 0x10000U);
    EXPECT_EQ(mapping_at(mappings, 0x55f0), nullptr);
    EXPECT_EQ(mapping_at(mappings, 0x8000)->path, "[vdso]");
    EXPECT_EQ(mapping_at({}, 1), nullptr);
}

TEST(Standing, ReadsWhereAThreadSleeps) {
    const auto standing = standing_in("202 0x1 0x0 0x0 0x0 0x0 0x0 0x7ffc10 0x7f11a0");
    ASSERT_TRUE(standing);
    EXPECT_EQ(standing->sp, 0x7ffc10U);
    EXPECT_EQ(standing->pc, 0x7f11a0U);
    EXPECT_EQ(standing_in("-1 0x10 0x20")->pc, 0x20U);
    for (const char* text : {"running", "", "202 0x1", "-1 10 20", "-1 0x10 0xzz"})
        EXPECT_FALSE(standing_in(text));
}

TEST(Python, ReadsItsTexts) {
    EXPECT_EQ(utf8_of("abc", 1), "abc");
    EXPECT_EQ(utf8_of("Gr\xf6\xdf"
                      "e",
                      1),
              "Größe");
    EXPECT_EQ(utf8_of(std::string_view("\xac\x20", 2), 2), "€");
    EXPECT_EQ(utf8_of(std::string_view("\x00\xf6\x01\x00", 4), 4), "😀");
    EXPECT_FALSE(utf8_of(std::string_view("\xff\xff\xff\xff", 4), 4));
}

TEST(Python, KnowsWhatALoopExecutes) {
    PythonCode code;
    code.add({{"write", "/srv/app.py", false, 0x1000, 0x1100}, {"run", "/srv/app.py", true, 0x2000, 0x2100}});
    FrameRegisters registers;
    EXPECT_EQ(code.executed_by(registers, {}), nullptr);
    const std::vector<std::uint64_t> words{1, 0x2010};
    ASSERT_NE(code.executed_by(registers, words), nullptr);
    EXPECT_EQ(code.executed_by(registers, words)->function, "run");
    registers[3] = 0x1004;
    EXPECT_EQ(code.executed_by(registers, words)->function, "write");
    registers[12] = 0x2004;
    EXPECT_EQ(code.executed_by(registers, {}), nullptr) << "two at once: one of them is old";
    registers[3] = registers[12] = 7;
    EXPECT_EQ(code.executed_by(registers, words), nullptr)
        << "this build has it in a register, where it is not";
}

}  // namespace
}  // namespace waitclose::symbols
