// SPDX-License-Identifier: BSD-2-Clause
#include <future>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "system/cgroups.h"
#include "system/namespaces.h"
#include "system/process_info.h"
#include "system/roll_call.h"
#include "system/text.h"

namespace waitclose::system {
namespace {

const std::string kId(64, 'a');

TEST(ContainerOf, KnowsTheWaysContainersAreNamed) {
    EXPECT_EQ(container_of("/docker/" + kId), std::string(12, 'a'));
    EXPECT_EQ(container_of("/system.slice/docker-" + kId + ".scope"), std::string(12, 'a'));
    EXPECT_EQ(container_of("/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + kId + ".scope"),
              std::string(12, 'a'));
    EXPECT_EQ(container_of("/machine.slice/libpod-" + kId + ".scope/container"), std::string(12, 'a'));
}

TEST(ContainerOf, TakesNothingElseForAContainer) {
    EXPECT_FALSE(container_of(""));
    EXPECT_FALSE(container_of("/"));
    EXPECT_FALSE(container_of("/system.slice/orders.service"));
    EXPECT_FALSE(container_of("/docker/" + std::string(64, 'g')));
    EXPECT_FALSE(container_of("/docker/" + std::string(63, 'a')));
}

TEST(CgroupOf, PrefersTheUnifiedHierarchy) {
    EXPECT_EQ(cgroup_of("4:memory:/x/y\n0::/system.slice/orders.service\n"), "/system.slice/orders.service");
    EXPECT_EQ(cgroup_of("4:memory:/x/y\n2:cpu:/x\n0::/\n"), "/x/y");
    EXPECT_EQ(cgroup_of("0::/\n"), "/");
    EXPECT_FALSE(cgroup_of(""));
    EXPECT_FALSE(cgroup_of("garbage"));
}

TEST(CgroupOf, APathMayContainColons) {
    EXPECT_EQ(cgroup_of("0::/a:b/c\n"), "/a:b/c");
}

TEST(FdLimitOf, ReadsTheSoftLimit) {
    EXPECT_EQ(fd_limit_of("Limit  Soft\nMax open files            1024                 524288   files\n"),
              1024U);
    EXPECT_FALSE(fd_limit_of("Max open files            unlimited            unlimited   files\n"));
    EXPECT_FALSE(fd_limit_of("Max open files"));
    EXPECT_FALSE(fd_limit_of(""));
}

TEST(StartTicksOf, TheCommMayContainAnything) {
    const std::string rest = " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";
    EXPECT_EQ(start_ticks_of("1 (java)" + rest), 4711U);
    EXPECT_EQ(start_ticks_of("1 (a) S 9 (b c)" + rest), 4711U);
    EXPECT_FALSE(start_ticks_of("1 (java) S 1"));
    EXPECT_FALSE(start_ticks_of("no parenthesis"));
}

TEST(MountedNetnsIn, FindsBindMountsOfNetworkNamespaces) {
    const auto found = mounted_netns_in(
        "25 1 0:22 / /proc rw - proc proc rw\n"
        "90 25 0:4 net:[4026532201] /run/netns/blue rw shared:9 - nsfs nsfs rw\n"
        "91 25 0:4 mnt:[4026532202] /run/snapd/ns rw - nsfs nsfs rw\n"
        "92 25 0:4 net:[4026532203] /run/netns/my\\040name rw - nsfs nsfs rw\n");
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].inode, 4026532201U);
    EXPECT_EQ(found[0].path, "/run/netns/blue");
    EXPECT_EQ(found[1].path, "/run/netns/my name");
}

TEST(MountedNetnsIn, SurvivesMalformedLines) {
    EXPECT_TRUE(mounted_netns_in("").empty());
    EXPECT_TRUE(mounted_netns_in("\n \na\na b\na b c net:[x] d\na b c net:[12 d\n").empty());
}

TEST(CgroupMountsIn, FindsBothVersions) {
    const auto found = cgroup_mounts_in(
        "31 23 0:28 / /sys/fs/cgroup rw - tmpfs cgroup rw,mode=755\n"
        "35 31 0:32 /docker/4f /sys/fs/cgroup/memory ro,nosuid master:11 - cgroup cgroup rw,memory\n"
        "41 31 0:38 / /mnt/my\\040groups rw shared:4 - cgroup2 cgroup rw,nsdelegate\n"
        "42 31 0:38 / /broken rw shared:4 cgroup2\n\n - \n");
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].root, "/docker/4f");
    EXPECT_EQ(found[0].point, "/sys/fs/cgroup/memory");
    EXPECT_EQ(found[1].root, "/");
    EXPECT_EQ(found[1].point, "/mnt/my groups");
}

TEST(CgroupDirectoryIn, IsWhereTheMountReaches) {
    const CgroupMount whole{"/", "/sys/fs/cgroup"};
    EXPECT_EQ(directory_in(whole, "/system.slice/a.service"), "/sys/fs/cgroup/system.slice/a.service");
    EXPECT_EQ(directory_in(whole, "/..a/b"), "/sys/fs/cgroup/..a/b");
    for (const char* outside : {"/..", "/../a.service", "/a/../../etc", "/a/.."})
        EXPECT_EQ(directory_in(whole, outside), "") << outside;
    const CgroupMount part{"/docker/4f", "/sys/fs/cgroup/memory"};
    EXPECT_EQ(directory_in(part, "/docker/4f"), "/sys/fs/cgroup/memory");
    EXPECT_EQ(directory_in(part, "/docker/4f/app"), "/sys/fs/cgroup/memory/app");
    EXPECT_EQ(directory_in(part, "/docker/4f0"), "");
    EXPECT_EQ(directory_in(part, "/system.slice"), "");
    const CgroupMount above{"/..", "/host/cgroup"};
    EXPECT_EQ(directory_in(above, "/../a.service"), "/host/cgroup/a.service");
    EXPECT_EQ(directory_in(above, "/../../a.service"), "");
}

TEST(LifeOf, TellsProcessesThreadsAndNobody) {
    EXPECT_EQ(life_of(static_cast<std::uint32_t>(::getpid())), Life::kProcess);
    EXPECT_EQ(life_of(0x7FFFFFFF), Life::kNobody) << "beyond the largest pid there is";
    std::promise<std::uint32_t> told;
    std::promise<void> over;
    std::thread other([&] {
        told.set_value(static_cast<std::uint32_t>(::syscall(SYS_gettid)));
        over.get_future().wait();
    });
    const std::uint32_t tid = told.get_future().get();
    EXPECT_EQ(life_of(tid), Life::kThread);
    EXPECT_EQ(process_of_thread(tid), static_cast<std::uint32_t>(::getpid()));
    over.set_value();
    other.join();
}

TEST(ParseNetns, TakesAnInodeOrAPath) {
    EXPECT_EQ(parse_netns("4026531840").value(), 4026531840U);
    EXPECT_EQ(parse_netns("/proc/self/ns/net").value(), own_netns());
    for (const char* wrong :
         {"", "0", "-1", "99999999999", "12x", "/proc/self/ns/mnt", "/dev/null", "/no/such", "../.."})
        EXPECT_FALSE(parse_netns(wrong)) << wrong;
}

TEST(Text, Words) {
    EXPECT_EQ(word("  a  bc d", 1), "bc");
    EXPECT_EQ(word("a b", 2), "");
    EXPECT_EQ(word("", 0), "");
    std::string_view text = "one\ntwo";
    EXPECT_EQ(take_line(text), "one");
    EXPECT_EQ(take_line(text), "two");
    EXPECT_TRUE(text.empty());
}

TEST(Text, Numbers) {
    EXPECT_EQ(to_number("42"), 42U);
    for (const char* wrong : {"", " 42", "42 ", "-1", "+1", "0x10", "18446744073709551616"})
        EXPECT_FALSE(to_number(wrong)) << wrong;
}

}  // namespace
}  // namespace waitclose::system
