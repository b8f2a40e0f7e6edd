// SPDX-License-Identifier: BSD-2-Clause
// The readers of what a capture keeps of the system.
#include <string>

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "system/cgroup_limits.h"
#include "system/descriptor_kinds.h"
#include "system/disk_statistics.h"
#include "system/limits.h"
#include "system/machine_facts.h"
#include "system/mounts.h"
#include "system/process_info.h"
#include "system/program_name.h"
#include "system/tcp_table.h"

namespace waitclose::system {
namespace {

TEST(Limits, NamesWithBlanksAndUnlimited) {
    const auto limits = limits_in(
        "Limit                     Soft Limit           Hard Limit           Units     \n"
        "Max cpu time              unlimited            unlimited            seconds   \n"
        "Max open files            1024                 524288               files     \n"
        "Max realtime timeout      unlimited            unlimited            us        \n"
        "Max nice priority         0                    0                    \n"
        "Max broken                x                    1                    files     \n"
        "Max");
    ASSERT_EQ(limits.size(), 4U);
    EXPECT_EQ(limits[0].name, "Max cpu time");
    EXPECT_FALSE(limits[0].soft);
    EXPECT_EQ(limits[1].name, "Max open files");
    EXPECT_EQ(limits[1].soft, 1024U);
    EXPECT_EQ(limits[1].hard, 524288U);
    EXPECT_EQ(limits[1].unit, "files");
    EXPECT_EQ(limits[3].unit, "");
}

TEST(DescriptorKinds, ByWhatTheLinkNames) {
    EXPECT_EQ(descriptor_kind("socket:[12]"), "socket");
    EXPECT_EQ(descriptor_kind("pipe:[12]"), "pipe");
    EXPECT_EQ(descriptor_kind("anon_inode:[eventpoll]"), "epoll");
    EXPECT_EQ(descriptor_kind("anon_inode:[eventfd]"), "eventfd");
    EXPECT_EQ(descriptor_kind("anon_inode:inotify"), "inotify");
    EXPECT_EQ(descriptor_kind("anon_inode:bpf-map"), "bpf");
    EXPECT_EQ(descriptor_kind("anon_inode:[\x1b[2J]"), "other");
    EXPECT_EQ(descriptor_kind("/memfd:x (deleted)"), "memfd");
    EXPECT_EQ(descriptor_kind("/dev/null"), "device");
    EXPECT_EQ(descriptor_kind("/var/log/app.log"), "file");
    EXPECT_EQ(descriptor_kind(""), "other");
}

TEST(DescriptorKinds, SocketsCountOnceAndDeletedFilesAreSeen) {
    DescriptorKinds kinds;
    for (const char* link : {"socket:[7]", "socket:[7]", "socket:[x]", "/tmp/a (deleted)", "/tmp/b"})
        add_descriptor(link, kinds);
    EXPECT_EQ(kinds.count["socket"], 3U);
    EXPECT_EQ(kinds.sockets, std::set<std::uint64_t>{7});
    EXPECT_EQ(kinds.count["file"], 2U);
    EXPECT_EQ(kinds.deleted, 1U);
}

TEST(DescriptorKinds, OfThisProcessAndBounded) {
    const auto own = static_cast<std::uint32_t>(::getpid());
    const auto before = descriptor_kinds(own, 10'000);
    const int event = ::eventfd(0, EFD_CLOEXEC);
    const auto after = descriptor_kinds(own, 10'000);
    ::close(event);
    const auto count = [](const DescriptorKinds& kinds) {
        const auto found = kinds.count.find("eventfd");
        return found == kinds.count.end() ? 0U : found->second;
    };
    EXPECT_TRUE(after.whole);
    EXPECT_EQ(count(after), count(before) + 1);
    EXPECT_FALSE(descriptor_kinds(own, 1).whole);
}

TEST(TcpTable, CountsTheStatesOfTheseInodesOnly) {
    const std::string table =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1 x\n"
        "   1: 0100007F:1F90 0100007F:AAAA 08 00000000:00000001 00:00000000 00000000     0        0 12 1 x\n"
        "   2: 0100007F:1F90 0100007F:AAAB 08 00000000:00000001 00:00000000 00000000     0        0 13 1 x\n"
        "   3: 0100007F:1F90 0100007F:AAAC 06 00000000:00000000 03:00000000 00000000     0        0 0 3 x\n"
        "   4: broken\n";
    TcpStates states;
    add_tcp_states(table, {0, 11, 13}, states);
    EXPECT_EQ(states.count.size(), 2U);
    EXPECT_EQ(states.count[model::TcpState::kListen], 1U);
    EXPECT_EQ(states.count[model::TcpState::kCloseWait], 1U);
}

TEST(Disks, SharesAndMeansOfWhatHappenedBetween) {
    const auto before = disk_table_in(
        " 254 0 vda 100 0 800 50 200 0 1600 400 0 1000 450 0 0 0 0 10 40\n"
        " 7 0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
        " 8 0 sda 1 2 3\n");
    ASSERT_EQ(before.size(), 2U);
    const auto after = disk_table_in(
        " 254 0 vda 110 0 880 70 204 0 1632 480 3 1500 550 0 0 0 0 12 240\n"
        " 7 0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
        " 9 0 md0 5 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
    const auto activity = disk_activity(before, after, 1'000'000'000);
    ASSERT_EQ(activity.size(), 1U);
    EXPECT_EQ(activity[0].name, "vda");
    EXPECT_EQ(activity[0].reads, 10U);
    EXPECT_EQ(activity[0].read_bytes, 80U * 512);
    EXPECT_DOUBLE_EQ(activity[0].mean_read_ms.value_or(0), 2.0);
    EXPECT_DOUBLE_EQ(activity[0].mean_write_ms.value_or(0), 20.0);
    EXPECT_DOUBLE_EQ(activity[0].mean_flush_ms.value_or(0), 100.0);
    EXPECT_DOUBLE_EQ(activity[0].busy, 0.5);
    EXPECT_EQ(activity[0].in_flight, 3U);
}

TEST(Disks, OlderKernelsHaveFewerFieldsAndCountersMayBeginAnew) {
    const auto before = disk_table_in(" 8 0 sda 10 0 80 5 20 0 160 40 0 100 45\n");
    const auto after = disk_table_in(" 8 0 sda 4 0 32 5 21 0 168 50 0 100 45\n");
    const auto activity = disk_activity(before, after, 1'000'000'000);
    ASSERT_EQ(activity.size(), 1U);
    EXPECT_EQ(activity[0].reads, 0U);
    EXPECT_FALSE(activity[0].mean_read_ms);
    EXPECT_FALSE(activity[0].flushes);
    EXPECT_EQ(activity[0].writes, 1U);
}

TEST(CgroupValues, OneLineStaysAndSeveralAreJoined) {
    EXPECT_EQ(cgroup_value_in("50000 100000\n"), "50000 100000");
    EXPECT_EQ(cgroup_value_in("max\n"), "max");
    EXPECT_EQ(cgroup_value_in("low 0\noom 2\noom_kill 1\n"), "low=0 oom=2 oom_kill=1");
    EXPECT_EQ(cgroup_value_in(""), "");
    EXPECT_LE(cgroup_value_in(std::string(100'000, 'x')).size(), 1024U);
}

constexpr const char* kMountinfo =
    "21 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,discard\n"
    "30 21 0:25 / /var/log rw - nfs4 192.0.2.7:/logs rw,hard\n"
    "31 21 0:26 / /var/log rw - tmpfs tmpfs rw\n"
    "32 21 8:1 / /mnt/a\\040b rw - xfs /dev/sda1 rw\n"
    "garbage\n";

TEST(Mounts, TheLongestAndLatestMountPointWins) {
    const auto mounts = mounts_in(kMountinfo);
    ASSERT_EQ(mounts.size(), 4U);
    EXPECT_EQ(mount_of(mounts, "/var/log/audit.log")->type, "tmpfs");
    EXPECT_EQ(mount_of(mounts, "/var/logs/audit.log")->type, "ext4");
    EXPECT_EQ(mount_of(mounts, "/mnt/a b/x")->source, "/dev/sda1");
    EXPECT_EQ(mount_of(mounts, "/")->device, "254:1");
    EXPECT_EQ(mount_of(mounts, "relative"), nullptr);
    EXPECT_EQ(mount_of({}, "/x"), nullptr);
}

TEST(Mounts, AServerIsNotAskedForItsSpace) {
    const auto mounts = mounts_in(kMountinfo);
    const auto own = static_cast<std::uint32_t>(::getpid());
    EXPECT_FALSE(is_local("nfs4"));
    EXPECT_FALSE(is_local("fuse.sshfs"));
    EXPECT_FALSE(space_of(own, mounts[1]));
    const auto space = space_of(own, mounts[0]);
    ASSERT_TRUE(space);
    EXPECT_GE(space->size_bytes, space->free_bytes);
}

TEST(Memory, TheNamesThatMatterInBytes) {
    const auto found =
        memory_in("MemTotal:       2048 kB\nHugePages_Total:    3\nDirty:  12 kB\nMemFree: x kB\n");
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0], std::make_pair(std::string("MemTotal"), std::uint64_t{2048 * 1024}));
    EXPECT_EQ(found[1].second, 12U * 1024);
}

TEST(Settings, ThoseOfThisKernel) {
    const auto found = settings();
    EXPECT_FALSE(found.empty());
    for (const auto& [name, value] : found) EXPECT_EQ(value.find('\t'), std::string::npos) << name;
}

TEST(ProgramName, ArgumentsAreNotPartOfIt) {
    using namespace std::string_view_literals;
    EXPECT_EQ(program_name_in("/usr/bin/psql\0--password=secret\0"sv), "/usr/bin/psql");
    EXPECT_EQ(program_name_in("nginx: master process /usr/sbin/nginx -g secret"sv), "nginx:");
    EXPECT_FALSE(program_name_in(""sv));
    EXPECT_FALSE(program_name_in("\0secret\0"sv));
    EXPECT_EQ(command_line_in("a\0b c\0\0"sv, 100), "a b c");
    EXPECT_EQ(command_line_in("a\0b c\0\0"sv, 3), "a b");
    EXPECT_FALSE(command_line_in("\0\0"sv, 100));
}

TEST(Processes, OnesOwnStartIsKnownToTheTick) {
    const auto own = static_cast<std::uint32_t>(::getpid());
    const auto start_ns = process_start_ns(own);
    ASSERT_TRUE(start_ns);
    EXPECT_TRUE(is_same_process(own, *start_ns));
    EXPECT_FALSE(is_same_process(own, *start_ns + 1'000'000'000));
    EXPECT_FALSE(process_start_ns(4'194'305));
}

}  // namespace
}  // namespace waitclose::system
