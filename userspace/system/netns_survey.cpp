// SPDX-License-Identifier: BSD-2-Clause
#include "system/netns_survey.h"

#include <algorithm>
#include <cerrno>
#include <set>
#include <string_view>

#include "system/directory.h"
#include "system/namespaces.h"
#include "system/text.h"

namespace waitclose::system {
namespace {

class Survey {
public:
    explicit Survey(std::uint32_t home) {
        if (home == 0) return;
        seen_.insert(home);
        result_ = {1, 1, 0};
    }

    void add(const Descriptor& door) {
        const std::uint32_t netns = netns_inode(door);
        if (netns == 0 || !seen_.insert(netns).second) return;
        ++result_.found;
        result_.entered += NetnsVisit(door).entered() ? 1U : 0U;
    }

    void add_untold() { ++result_.untold; }
    const model::NetworkFinding& result() const { return result_; }

private:
    std::set<std::uint32_t> seen_;
    model::NetworkFinding result_;
};

}  // namespace

model::NetworkFinding survey_netns() {
    Survey survey(own_netns());
    for (const MountedNamespace& mounted : mounted_netns()) survey.add(open_netns_at(mounted.path));
    const Directory processes = open_directory("/proc");
    while (const dirent* entry = processes ? ::readdir(processes.get()) : nullptr) {
        const auto pid = to_number(std::string_view(entry->d_name));
        if (!pid) continue;
        const auto id = static_cast<std::uint32_t>(*pid);
        errno = 0;
        const Descriptor door = open_netns_of(id, id);
        // Any other error: it has ended meanwhile.
        if (!door && (errno == EACCES || errno == EPERM))
            survey.add_untold();
        else
            survey.add(door);
    }
    return survey.result();
}

}  // namespace waitclose::system
