// SPDX-License-Identifier: BSD-2-Clause
#include "system/polled.h"

#include <vector>

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace waitclose::system {
namespace {

std::optional<model::Polled> only(std::vector<pollfd> asked) {
    return only_polled(asked);
}

TEST(OnlyPolled, IsTheOneDescriptorThatIsAskedAbout) {
    const auto reads = only({{.fd = 9, .events = POLLIN | POLLOUT, .revents = 0}});
    ASSERT_TRUE(reads);
    EXPECT_EQ(reads->fd, 9);
    EXPECT_FALSE(reads->writes);
    const auto writes =
        only({{.fd = -1, .events = POLLIN, .revents = 0}, {.fd = 4, .events = POLLOUT, .revents = 0}});
    ASSERT_TRUE(writes) << "poll() leaves negative descriptors out";
    EXPECT_EQ(writes->fd, 4);
    EXPECT_TRUE(writes->writes);
}

TEST(OnlyPolled, IsNoneOfSeveralNorOneAskedForNothing) {
    EXPECT_FALSE(only({}));
    EXPECT_FALSE(only({{.fd = -1, .events = POLLIN, .revents = 0}}));
    EXPECT_FALSE(only({{.fd = 9, .events = POLLPRI, .revents = 0}}));
    EXPECT_FALSE(only({{.fd = 9, .events = POLLIN, .revents = 0}, {.fd = 4, .events = 0, .revents = 0}}))
        << "that one is watched for a hang-up";
}

#ifdef SYS_poll
TEST(ReadPolled, TellsTheTimeout) {
    std::array<pollfd, 3> asked{
        pollfd{.fd = 9, .events = POLLIN, .revents = 0}, {.fd = -1, .events = 0, .revents = 0}, {}};
    const auto pid = static_cast<std::uint32_t>(getpid());
    const auto at = reinterpret_cast<std::uint64_t>(asked.data());
    const auto read = [&](std::uint64_t address, std::uint64_t count, std::uint64_t timeout) {
        return read_polled(pid, SYS_poll, std::array<std::uint64_t, 4>{address, count, timeout, 0});
    };
    EXPECT_EQ(read(at, 2, 30'000).value().timeout_ns, 30'000'000'000U);
    EXPECT_FALSE(read(at, 1, 0xffffffff).value().timeout_ns) << "-1: for ever";
    EXPECT_FALSE(read(at, 3, 0)) << "an event loop's";
    EXPECT_FALSE(read(at, 0, 0)) << "a pause";
    EXPECT_FALSE(read(1, 1, 0)) << "memory that is not there";
    const timespec limit{.tv_sec = 2, .tv_nsec = 5};
    const auto with = read_polled(
        pid, SYS_ppoll, std::array<std::uint64_t, 4>{at, 1, reinterpret_cast<std::uint64_t>(&limit), 0});
    EXPECT_EQ(with.value().timeout_ns, 2'000'000'005U);
}
#endif

}  // namespace
}  // namespace waitclose::system
