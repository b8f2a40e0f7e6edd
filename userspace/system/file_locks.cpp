// SPDX-License-Identifier: BSD-2-Clause
#include "system/file_locks.h"

#include <charconv>
#include <filesystem>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "system/files.h"

namespace waitclose::system {
namespace {

constexpr std::size_t kLocksLimit = 4 << 20;
constexpr int kDescriptorsLimit = 4096;

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    while (words.size() < 8) {
        const std::size_t begin = line.find_first_not_of(' ');
        if (begin == std::string_view::npos) break;
        const std::size_t end = std::min(line.find(' ', begin), line.size());
        words.push_back(line.substr(begin, end - begin));
        line.remove_prefix(end);
    }
    return words;
}

std::uint64_t number_of(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

struct Lock {
    bool waits = false;
    std::uint32_t pid = 0;  // 0: of no process
    std::uint64_t inode = 0;
};

/// "1: -> FLOCK  ADVISORY  WRITE 1240 fd:01:5678 0 EOF": the arrow stands before one that waits.
std::optional<Lock> lock_of(std::string_view line) {
    auto words = words_of(line);
    if (words.size() < 6) return std::nullopt;
    Lock lock;
    lock.waits = words[1] == "->";
    if (lock.waits) words.erase(words.begin() + 1);
    if (words.size() < 6) return std::nullopt;
    lock.pid = static_cast<std::uint32_t>(number_of(words[4]));
    lock.inode = number_of(words[5].substr(words[5].rfind(':') + 1));
    return lock;
}

bool has_open(std::uint32_t pid, const FileIdentity& file) {
    std::error_code error;
    int looked_at = 0;
    for (std::filesystem::directory_iterator at(fmt::format("/proc/{}/fd", pid), error), end;
         !error && at != end && looked_at < kDescriptorsLimit; at.increment(error), ++looked_at)
        if (identity_of(at->path().string()) == file) return true;
    return false;
}

}  // namespace

std::optional<FileIdentity> identity_of(const std::string& path) {
    struct statx found {};
    if (::statx(AT_FDCWD, path.c_str(), AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_INO, &found) != 0)
        return std::nullopt;
    return FileIdentity{makedev(found.stx_dev_major, found.stx_dev_minor), found.stx_ino};
}

std::optional<std::uint32_t> lock_holder_in(std::string_view locks, std::uint32_t pid, std::uint64_t inode) {
    std::optional<std::uint32_t> found;
    std::uint32_t holder = 0;
    while (!locks.empty()) {
        const std::size_t end = std::min(locks.find('\n'), locks.size());
        const auto lock = lock_of(locks.substr(0, end));
        locks.remove_prefix(std::min(end + 1, locks.size()));
        if (!lock) continue;
        if (!lock->waits) {
            holder = lock->pid;
        } else if (lock->pid == pid && lock->inode == inode) {
            if (holder == 0 || (found && *found != holder)) return std::nullopt;
            found = holder;
        }
    }
    return found;
}

std::optional<model::LockHolder> find_lock_holder(std::uint32_t pid, std::uint32_t fd) {
    const auto file = identity_of(fmt::format("/proc/{}/fd/{}", pid, fd));
    if (!file) return std::nullopt;
    const auto locks = read_file("/proc/locks", kLocksLimit);
    const auto holder = locks ? lock_holder_in(*locks, pid, file->inode) : std::nullopt;
    if (!holder || !has_open(*holder, *file)) return std::nullopt;
    return model::LockHolder{*holder, read_line(fmt::format("/proc/{}/comm", *holder)).value_or("")};
}

}  // namespace waitclose::system
