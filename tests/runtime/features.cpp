// SPDX-License-Identifier: BSD-2-Clause
#include "features.h"

#include <algorithm>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace runtime {

namespace {

std::optional<std::string> refused(const std::string& what) {
    return "SKIPPED: " + what + ": " + std::strerror(errno);
}

bool can_open(const char* path) {
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

std::optional<std::string> missing_for_fuse() {
    if (!can_open("/dev/fuse")) return refused("no FUSE here (/dev/fuse)");
    return std::nullopt;
}

std::optional<std::string> missing_for_frozen() {
    std::ifstream file("/proc/filesystems");
    bool knows_ext4 = false;
    for (std::string word; file >> word;) knows_ext4 = knows_ext4 || word == "ext4";
    if (!knows_ext4) return "SKIPPED: this kernel has no ext4 loaded";
    if (!can_open("/dev/loop-control")) return refused("no loop devices here (/dev/loop-control)");
    const bool makes_ext4 =
        std::ranges::any_of(std::initializer_list<const char*>{"/sbin/mkfs.ext4", "/usr/sbin/mkfs.ext4"},
                            [](const char* path) { return access(path, X_OK) == 0; });
    return makes_ext4 ? std::nullopt : std::optional<std::string>("SKIPPED: mkfs.ext4 is not installed");
}

std::optional<std::string> missing_for_userfault() {
    const long fd = syscall(SYS_userfaultfd, O_CLOEXEC);
    if (fd < 0) return refused("no userfaultfd here");
    close(static_cast<int>(fd));
    return std::nullopt;
}

std::optional<std::string> missing_for_multipath() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
    if (fd < 0) return refused("no Multipath TCP here");
    close(fd);
    return std::nullopt;
}

}  // namespace

std::optional<std::string> missing_feature(const Arguments& command) {
    const auto has = [&](const char* word) { return std::ranges::find(command, word) != command.end(); };
    if (has("multipath")) return missing_for_multipath();
    if (has("disk-frozen")) return missing_for_frozen();
    if (has("disk-mute") || has("fault-file") || has("write-audit-log")) return missing_for_fuse();
    if (has("fault") || has("fault-read")) return missing_for_userfault();
    return std::nullopt;
}

}  // namespace runtime
