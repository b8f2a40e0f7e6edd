// SPDX-License-Identifier: BSD-2-Clause
#include "system/namespaces.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <fmt/format.h>

#include "system/text.h"

namespace waitclose::system {
namespace {

constexpr std::string_view kPrefix = "net:[";

std::uint32_t inode_in(std::string_view text) {
    const auto at = text.find(kPrefix);
    if (at == std::string_view::npos) return 0;
    std::uint32_t inode = 0;
    text.remove_prefix(at + kPrefix.size());
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), inode);
    return error == std::errc() && end != text.data() + text.size() && *end == ']' ? inode : 0;
}

}  // namespace

std::uint32_t own_netns() {
    const auto target = read_link("/proc/thread-self/ns/net");
    return target ? inode_in(*target) : 0;
}

std::vector<MountedNamespace> mounted_netns_in(std::string_view mountinfo) {
    std::vector<MountedNamespace> found;
    while (!mountinfo.empty()) {
        const std::string_view line = take_line(mountinfo);
        // proc_pid_mountinfo(5): id, parent, device, root, mount point
        if (const std::uint32_t inode = word(line, 3).starts_with(kPrefix) ? inode_in(word(line, 3)) : 0)
            found.push_back({inode, unescape_mount(word(line, 4))});
    }
    return found;
}

std::vector<MountedNamespace> mounted_netns() {
    const auto mountinfo = read_file("/proc/self/mountinfo", 64U << 20);
    return mountinfo ? mounted_netns_in(*mountinfo) : std::vector<MountedNamespace>{};
}

Descriptor open_netns_of(std::uint32_t pid, std::uint32_t tid) {
    return open_netns_at(fmt::format("/proc/{}/task/{}/ns/net", pid, tid));
}

Descriptor open_netns_at(const std::string& path) {
    return Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
}

std::uint32_t netns_inode(const Descriptor& file) {
    struct stat status {};
    if (!file || ::ioctl(file.get(), NS_GET_NSTYPE) != CLONE_NEWNET || ::fstat(file.get(), &status) != 0)
        return 0;
    return static_cast<std::uint32_t>(status.st_ino);
}

Result<std::uint32_t> parse_netns(const std::string& text) {
    if (!text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) {
        const auto inode = to_number(text);
        if (inode && *inode != 0 && *inode <= UINT32_MAX) return static_cast<std::uint32_t>(*inode);
        return tl::unexpected(
            Failure{fmt::format("'{}' is not the inode number of a network namespace", text),
                    "list them with: lsns -t net"});
    }
    const std::string path = text.find('/') == std::string::npos ? "/run/netns/" + text : text;
    const std::uint32_t inode = netns_inode(open_netns_at(path));
    if (inode) return inode;
    return tl::unexpected(Failure{fmt::format("'{}' is not a network namespace", text),
                                  "give its inode number (lsns -t net) or a path such as /proc/PID/ns/net"});
}

NetnsVisit::NetnsVisit(const Descriptor& target) : home_(open_netns_at("/proc/thread-self/ns/net")) {
    entered_ = home_ && target && ::setns(target.get(), CLONE_NEWNET) == 0;
}

NetnsVisit::~NetnsVisit() {
    // Going on in a foreign namespace would make every later answer wrong.
    if (entered_ && ::setns(home_.get(), CLONE_NEWNET) != 0) std::abort();
}

}  // namespace waitclose::system
