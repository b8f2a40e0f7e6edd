// SPDX-License-Identifier: BSD-2-Clause
#include "system/cgroups.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "system/files.h"
#include "system/text.h"

namespace waitclose::system {
namespace {

/// The type of file system of a line of mountinfo: it follows the dash that ends the optional fields.
std::string_view type_in(std::string_view line) {
    constexpr std::string_view kDash = " - ";
    const auto dash = line.find(kDash);
    return dash == std::string_view::npos ? std::string_view{} : word(line.substr(dash + kDash.size()), 0);
}

/// Nothing else was mounted over it since.
bool is_on_top(const CgroupMount& mount) {
    struct statfs status {};
    return ::statfs(mount.point.c_str(), &status) == 0 &&
           (status.f_type == CGROUP_SUPER_MAGIC || status.f_type == CGROUP2_SUPER_MAGIC);
}

bool is_directory(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

}  // namespace

std::vector<CgroupMount> cgroup_mounts_in(std::string_view mountinfo) {
    std::vector<CgroupMount> found;
    while (!mountinfo.empty()) {
        const std::string_view line = take_line(mountinfo);
        const std::string_view type = type_in(line);
        if (type != "cgroup" && type != "cgroup2") continue;
        // id, parent, device, root, mount point
        found.push_back({unescape_mount(word(line, 3)), unescape_mount(word(line, 4))});
    }
    return found;
}

std::string directory_in(const CgroupMount& mount, std::string_view cgroup) {
    if (mount.root != "/") {
        if (!cgroup.starts_with(mount.root)) return {};
        cgroup.remove_prefix(mount.root.size());
        if (!cgroup.empty() && cgroup.front() != '/') return {};
    }
    // ".." leads out of the cgroup namespace, and would lead out of the mount.
    if (std::string(cgroup).append("/").find("/../") != std::string::npos) return {};
    return mount.point + std::string(cgroup);
}

Presence look_for_cgroup(std::string_view cgroup) {
    const auto mountinfo = read_file("/proc/self/mountinfo", 64U << 20);
    Presence presence = Presence::kUnseen;
    for (const CgroupMount& mount : cgroup_mounts_in(mountinfo.value_or(""))) {
        const std::string directory = directory_in(mount, cgroup);
        if (directory.empty() || !is_on_top(mount)) continue;
        if (is_directory(directory)) return Presence::kThere;
        presence = Presence::kNowhere;
    }
    return presence;
}

}  // namespace waitclose::system
