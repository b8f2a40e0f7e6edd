// SPDX-License-Identifier: BSD-2-Clause
#include "system/descriptor_kinds.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "system/directory.h"
#include "system/files.h"
#include "system/text.h"

namespace waitclose::system {
namespace {

/// The n of "socket:[n]".
std::optional<std::uint64_t> socket_in(std::string_view link) {
    constexpr std::string_view kBefore = "socket:[";
    if (!link.starts_with(kBefore) || !link.ends_with(']')) return std::nullopt;
    return to_number(link.substr(kBefore.size(), link.size() - kBefore.size() - 1));
}

std::string anonymous_kind(std::string_view name) {
    if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
    if (name == "eventpoll") return "epoll";
    if (name.starts_with("bpf")) return "bpf";
    // The kernel's own names are short; a module may give its files any.
    constexpr std::size_t kLongest = 32;
    const bool is_plain = std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
    return is_plain && !name.empty() && name.size() <= kLongest ? std::string(name) : "other";
}

}  // namespace

std::string descriptor_kind(std::string_view link) {
    constexpr std::string_view kAnonymous = "anon_inode:";
    if (link.starts_with("socket:")) return "socket";
    if (link.starts_with("pipe:")) return "pipe";
    if (link.starts_with(kAnonymous)) return anonymous_kind(link.substr(kAnonymous.size()));
    if (link.starts_with("/memfd:")) return "memfd";
    if (link.starts_with("/dev/")) return "device";
    if (link.starts_with('/')) return "file";
    return "other";
}

void add_descriptor(std::string_view link, DescriptorKinds& kinds) {
    const std::string kind = descriptor_kind(link);
    ++kinds.count[kind];
    if (kind == "file" && link.ends_with(" (deleted)")) ++kinds.deleted;
    if (const auto inode = socket_in(link)) kinds.sockets.insert(*inode);
}

DescriptorKinds descriptor_kinds(std::uint32_t pid, std::uint64_t most) {
    DescriptorKinds kinds;
    const std::string path = fmt::format("/proc/{}/fd", pid);
    const Directory directory = open_directory(path);
    if (!directory) {
        kinds.whole = false;
        return kinds;
    }
    std::uint64_t seen = 0;
    while (const dirent* entry = ::readdir(directory.get())) {
        if (entry->d_name[0] == '.') continue;
        if (++seen > most) {
            kinds.whole = false;
            break;
        }
        if (const auto link = read_link(fmt::format("{}/{}", path, entry->d_name)))
            add_descriptor(*link, kinds);
    }
    return kinds;
}

}  // namespace waitclose::system
