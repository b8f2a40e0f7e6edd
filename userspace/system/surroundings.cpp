// SPDX-License-Identifier: BSD-2-Clause
#include "system/surroundings.h"

#include <algorithm>
#include <array>
#include <utility>

#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <fmt/format.h>

#include "system/files.h"
#include "system/host.h"
#include "system/namespaces.h"
#include "system/process_info.h"
#include "system/text.h"
#include "system/tracefs.h"

namespace waitclose::system {
namespace {

/// The numbers of the kernel's first namespaces (include/linux/proc_ns.h, since 3.8).
constexpr std::array<std::pair<std::string_view, std::uint64_t>, 5> kFirstNamespaces{{{"cgroup", 0xEFFFFFFB},
                                                                                      {"pid", 0xEFFFFFFC},
                                                                                      {"user", 0xEFFFFFFD},
                                                                                      {"uts", 0xEFFFFFFE},
                                                                                      {"ipc", 0xEFFFFFFF}}};

std::optional<bool> is_own_nested(std::string_view kind) {
    const auto link = read_link(fmt::format("/proc/self/ns/{}", kind));
    return link ? is_nested(*link) : std::nullopt;
}

/// False only when all is known and nothing is a namespace of its own. Virtual machines that are made from
/// container images bring a container's marks along.
bool may_be_container() {
    return std::any_of(kFirstNamespaces.begin(), kFirstNamespaces.end(),
                       [](const auto& first) { return is_own_nested(first.first).value_or(true); });
}

std::optional<std::string> container_kind() {
    if (!may_be_container()) return std::nullopt;
    if (::access("/run/.containerenv", F_OK) == 0) return "podman";
    if (::access("/.dockerenv", F_OK) == 0) return "docker";
    // systemd's container interface: the manager's environment says it, of which programs may inherit it.
    for (const char* environ : {"/proc/self/environ", "/proc/1/environ"})
        if (const auto text = read_file(environ))
            if (auto kind = variable_in(*text, "container")) return kind;
    const auto cgroups = read_file("/proc/self/cgroup");
    const auto cgroup = cgroups ? cgroup_of(*cgroups) : std::nullopt;
    if (cgroup && container_of(*cgroup)) return "a container by its cgroup";
    return std::nullopt;
}

bool is_confined_by_apparmor() {
    for (const char* path : {"/proc/self/attr/apparmor/current", "/proc/self/attr/current"})
        if (const auto profile = read_line(path)) return profile->ends_with("(enforce)");
    return false;
}

std::string own_binary() {
    if (auto path = read_link("/proc/self/exe")) return *path;
    // Without /proc: as it was started.
    const auto* started_as = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
    return started_as && *started_as == '/' ? started_as : "";
}

bool is_on_nosuid(const std::string& path) {
    struct statvfs mount {};
    return !path.empty() && ::statvfs(path.c_str(), &mount) == 0 && (mount.f_flag & ST_NOSUID) != 0;
}

}  // namespace

std::optional<std::string> lockdown_mode_in(std::string_view text) {
    const auto begin = text.find('[');
    const auto end = begin == text.npos ? begin : text.find(']', begin);
    if (end == text.npos || end == begin + 1) return std::nullopt;
    return std::string(text.substr(begin + 1, end - begin - 1));
}

std::optional<bool> is_nested(std::string_view link) {
    for (const auto& [kind, first] : kFirstNamespaces) {
        if (!link.starts_with(fmt::format("{}:[", kind)) || !link.ends_with(']')) continue;
        const auto number = to_number(link.substr(kind.size() + 2, link.size() - kind.size() - 3));
        if (number) return *number != first;
    }
    return std::nullopt;
}

std::optional<std::string> variable_in(std::string_view environ, std::string_view name) {
    while (!environ.empty()) {
        const std::string_view entry = environ.substr(0, environ.find('\0'));
        environ.remove_prefix(std::min(entry.size() + 1, environ.size()));
        if (entry.size() > name.size() + 1 && entry.starts_with(name) && entry[name.size()] == '=')
            return std::string(entry.substr(name.size() + 1));
    }
    return std::nullopt;
}

model::Surroundings surroundings() {
    model::Surroundings here;
    here.kernel = host_facts().kernel;
    here.has_btf = ::access("/sys/kernel/btf/vmlinux", R_OK) == 0;
    here.has_tracefs = has_tracefs();
    here.reads_tracefs = ::access((tracefs() + "/events").c_str(), R_OK | X_OK) == 0;
    if (const auto lockdown = read_file("/sys/kernel/security/lockdown"))
        here.lockdown = lockdown_mode_in(*lockdown);
    here.container = container_kind();
    here.nested_pid_namespace = is_own_nested("pid");
    here.nested_user_namespace = is_own_nested("user");
    if (const std::uint32_t netns = own_netns()) here.netns = netns;
    here.is_root = ::geteuid() == 0;
    here.no_new_privileges = ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
    here.confined_by_apparmor = is_confined_by_apparmor();
    here.binary = own_binary();
    here.binary_on_nosuid = is_on_nosuid(here.binary);
    return here;
}

}  // namespace waitclose::system
