// SPDX-License-Identifier: BSD-2-Clause
#include "system/jvm.h"

#include <bit>
#include <string>

#include <gtest/gtest.h>

namespace waitclose::system {
namespace {

/// A file as HotSpot writes it.
class Made {
public:
    explicit Made(bool little) : little_(little), bytes_(32, '\0') {
        bytes_.replace(0, 8, std::string{"\xca\xfe\xc0\xc0", 4} + std::string{little ? '\1' : '\0', 2, 0, 1});
        put(24, 32, 4);
    }

    Made& counter(const std::string& name, std::uint64_t value, char type = 'J', std::uint32_t vector = 0) {
        const std::size_t entry = bytes_.size();
        const std::size_t data = (20 + name.size() + 1 + 7) / 8 * 8;
        bytes_.resize(entry + data + 8, '\0');
        put(entry, data + 8, 4);
        put(entry + 4, 20, 4);
        put(entry + 8, vector, 4);
        bytes_[entry + 12] = type;
        put(entry + 16, data, 4);
        bytes_.replace(entry + 20, name.size(), name);
        put(entry + data, value, 8);
        put(28, ++count_, 4);
        return *this;
    }

    void put(std::size_t at, std::uint64_t number, std::size_t size) {
        for (std::size_t i = 0; i < size; ++i)
            bytes_[at + i] = static_cast<char>(number >> 8 * (little_ ? i : size - 1 - i));
    }

    std::string bytes() const { return bytes_; }

private:
    bool little_;
    std::string bytes_;
    std::uint32_t count_ = 0;
};

Made usual(bool little = true) {
    return Made(little)
        .counter("java.property.java.version", 0, 'B', 16)
        .counter("sun.os.hrt.frequency", 1'000'000)
        .counter("sun.gc.collector.0.invocations", 7)
        .counter("sun.gc.collector.0.time", 2'000'000)
        .counter("sun.gc.collector.1.time", 500'000)
        .counter("sun.gc.collector.1.invocations", 3)
        .counter("sun.rt.safepointTime", 3'000'000);
}

TEST(JvmCountersIn, AddsUpTheCollectorsInEitherByteOrder) {
    for (const bool little : {true, false}) {
        const auto found = jvm_counters_in(usual(little).bytes());
        ASSERT_TRUE(found);
        EXPECT_EQ(found->collecting_ns, 2'500'000'000U);
        EXPECT_EQ(found->collections, 10U);
        EXPECT_EQ(found->safepoints_ns, 3'000'000'000U);
        EXPECT_FALSE(found->in_collection);
    }
}

TEST(JvmCountersIn, SeesACollectionThatGoesOn) {
    const auto of = [](std::uint64_t entered, std::uint64_t left) {
        return jvm_counters_in(usual()
                                   .counter("sun.gc.collector.0.lastEntryTime", entered)
                                   .counter("sun.gc.collector.0.lastExitTime", left)
                                   .bytes())
            ->in_collection;
    };
    EXPECT_EQ(of(9, 5), 9U);
    EXPECT_FALSE(of(9, 12));
}

TEST(JvmCountersIn, BelievesNothing) {
    const std::string good = usual().bytes();
    for (std::size_t length = 0; length < good.size(); ++length)
        EXPECT_FALSE(jvm_counters_in(std::string_view(good).substr(0, length))) << length;
    const auto with = [&](std::size_t at, std::uint64_t number, std::size_t size) {
        Made made = usual();
        made.put(at, number, size);
        return jvm_counters_in(made.bytes());
    };
    EXPECT_FALSE(with(0, 0, 4)) << "the magic number";
    EXPECT_FALSE(with(4, 7, 1)) << "a byte order that is none";
    EXPECT_FALSE(with(5, 1, 1)) << "version 1 has another form";
    EXPECT_FALSE(with(7, 0, 1)) << "not complete yet";
    EXPECT_FALSE(with(24, 0xfffffff0, 4)) << "entries beyond the end";
    EXPECT_FALSE(with(28, 0xffffffff, 4)) << "more entries than there are";
    EXPECT_FALSE(with(32, 0, 4)) << "an entry of no length";
    EXPECT_FALSE(with(32, 0xffffffff, 4)) << "an entry longer than all";
    for (std::size_t at = 0; at < good.size(); ++at)
        for (const std::uint64_t byte : {0U, 0x7fU, 0xffU}) with(at, byte, 1);  // must not crash
    EXPECT_FALSE(jvm_counters_in(Made(true).counter("sun.gc.collector.0.time", 5).bytes()))
        << "without a frequency there is no time";
    EXPECT_FALSE(jvm_counters_in(
        Made(true).counter("sun.os.hrt.frequency", 0).counter("sun.gc.collector.0.time", 5).bytes()));
    EXPECT_FALSE(jvm_counters_in(Made(true).counter("sun.os.hrt.frequency", 1000).bytes())) << "no collector";
}

TEST(AddJvmPauses, BelongToTheSameProcessOnly) {
    const auto counters = [](std::uint32_t pid, std::uint64_t start, std::uint64_t collecting,
                             std::optional<std::uint64_t> goes_on = {}) {
        return JvmCounters{pid, start, collecting, collecting / 10, collecting, goes_on};
    };
    model::Window window;
    add_jvm_pauses(std::vector{counters(1, 5, 100), counters(2, 5, 100), counters(3, 5, 100, 77)},
                   std::vector{counters(1, 5, 150), counters(2, 6, 150), counters(3, 5, 100, 77)}, window);
    ASSERT_EQ(window.jvms.size(), 2U) << "pid 2 belongs to another process now";
    EXPECT_EQ(window.jvms[0].collecting_ns, 50U);
    EXPECT_FALSE(window.jvms[0].whole);
    EXPECT_TRUE(window.jvms[1].whole);
}

TEST(HsperfdataIn, IsTheFileThatIsMapped) {
    const auto found = hsperfdata_in(
        "7f00-7f10 r-xp 00000000 fe:00 12 /usr/lib/libc.so\n"
        "7f10-7f18 rw-s 00000000 00:2a 4711 /tmp/hsperfdata_www data/31\n");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->path, "/tmp/hsperfdata_www data/31");
    EXPECT_EQ(found->inode, 4711U);
    EXPECT_FALSE(hsperfdata_in("7f10-7f18 rw-s 0 00:2a 4711 /tmp/hsperfdata_x/31 (deleted)\n"));
    EXPECT_FALSE(hsperfdata_in("7f10-7f18 rw-s 0 00:2a 0 /tmp/hsperfdata_x/31\n"));
    EXPECT_FALSE(hsperfdata_in("7f10-7f18 rw-p 0 00:00 0 [heap]\n"));
    EXPECT_FALSE(hsperfdata_in(""));
}

}  // namespace
}  // namespace waitclose::system
