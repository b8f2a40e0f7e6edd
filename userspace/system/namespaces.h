// SPDX-License-Identifier: BSD-2-Clause
// Network namespaces: finding them and entering them for one call.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "failure.h"
#include "system/files.h"

namespace waitclose::system {

struct MountedNamespace {
    std::uint32_t inode = 0;
    std::string path;
};

/// The inode number of the calling thread's network namespace; 0 when /proc cannot tell.
std::uint32_t own_netns();

/// The network namespaces that are bind-mounted somewhere, as `ip netns add` does.
std::vector<MountedNamespace> mounted_netns();

/// The same from the text of a mountinfo file (proc(5)).
std::vector<MountedNamespace> mounted_netns_in(std::string_view mountinfo);

/// Opens the network namespace a thread lives in, or the one mounted at a path.
Descriptor open_netns_of(std::uint32_t pid, std::uint32_t tid);
Descriptor open_netns_at(const std::string& path);

/// The inode of a namespace file; 0 when it is not a network namespace.
std::uint32_t netns_inode(const Descriptor& file);

/// What --netns takes: an inode number, a path, or the name of a namespace of `ip netns`.
/// Fails in one sentence for anything else.
Result<std::uint32_t> parse_netns(const std::string& text);

/// While it lives the calling thread is in another network namespace.
class NetnsVisit {
public:
    explicit NetnsVisit(const Descriptor& target);
    ~NetnsVisit();
    NetnsVisit(const NetnsVisit&) = delete;
    NetnsVisit& operator=(const NetnsVisit&) = delete;
    bool entered() const { return entered_; }

private:
    Descriptor home_;
    bool entered_ = false;
};

}  // namespace waitclose::system
