// SPDX-License-Identifier: BSD-2-Clause
#include "system/mounts.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <sys/statvfs.h>

#include "system/text.h"

namespace waitclose::system {
namespace {

bool is_at_or_below(std::string_view path, std::string_view directory) {
    if (directory == "/") return path.starts_with('/');
    return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

}  // namespace

std::vector<Mount> mounts_in(std::string_view mountinfo) {
    constexpr std::string_view kDash = " - ";
    std::vector<Mount> mounts;
    while (!mountinfo.empty()) {
        const std::string_view line = take_line(mountinfo);
        const auto dash = line.find(kDash);
        if (dash == std::string_view::npos) continue;
        const std::string_view before = line.substr(0, dash);
        const std::string_view after = line.substr(dash + kDash.size());
        if (word(before, 5).empty() || word(after, 0).empty()) continue;
        mounts.push_back({std::string(word(before, 2)), unescape_mount(word(before, 3)),
                          unescape_mount(word(before, 4)),
                          fmt::format("{};{}", word(before, 5), word(after, 2)), std::string(word(after, 0)),
                          unescape_mount(word(after, 1))});
    }
    return mounts;
}

const Mount* mount_of(const std::vector<Mount>& mounts, std::string_view path) {
    const Mount* best = nullptr;
    for (const Mount& mount : mounts)
        if (is_at_or_below(path, mount.point) && (!best || mount.point.size() >= best->point.size()))
            best = &mount;
    return best;
}

bool is_local(std::string_view type) {
    constexpr std::array<std::string_view, 15> kLocal{"ext2", "ext3",  "ext4",     "xfs",     "btrfs",
                                                      "f2fs", "tmpfs", "ramfs",    "overlay", "vfat",
                                                      "zfs",  "jfs",   "squashfs", "iso9660", "bcachefs"};
    return std::ranges::find(kLocal, type) != kLocal.end();
}

std::optional<Space> space_of(std::uint32_t pid, const Mount& mount) {
    if (!is_local(mount.type)) return std::nullopt;
    struct statvfs found {};
    if (::statvfs(fmt::format("/proc/{}/root{}", pid, mount.point).c_str(), &found) != 0) return std::nullopt;
    return Space{std::uint64_t{found.f_blocks} * found.f_frsize,
                 std::uint64_t{found.f_bavail} * found.f_frsize, found.f_files, found.f_favail};
}

}  // namespace waitclose::system
