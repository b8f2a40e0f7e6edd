// SPDX-License-Identifier: BSD-2-Clause
#include "store/place.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/schema.h"

namespace waitclose::store {
namespace {

Failure cannot_create(const std::string& path, int error) {
    return {fmt::format("the recording '{}' cannot be created: {}", path, std::strerror(error)),
            "name a file in a directory that can be written to, with -o"};
}

bool begins_as_recording(const system::Descriptor& file) {
    constexpr std::string_view kMagic("SQLite format 3\0", 16);
    constexpr std::size_t kApplicationIdAt = 68;  // https://www.sqlite.org/fileformat.html
    std::array<unsigned char, 100> header{};
    if (!file || ::pread(file.get(), header.data(), header.size(), 0) != static_cast<ssize_t>(header.size()))
        return false;
    std::uint32_t id = 0;
    for (std::size_t i = 0; i < sizeof(id); ++i) id = id << 8 | header.at(kApplicationIdAt + i);
    return std::memcmp(header.data(), kMagic.data(), kMagic.size()) == 0 && id == kApplicationId;
}

/// Whoever records has this byte of the file locked, far beyond those that SQLite locks (it ends at 2^30 and
/// some): readers never come across it. The lock is one of the open file, not of the process, and goes with
/// it however that ends (F_OFD_SETLK, Linux 3.15).
struct flock mark_of_recorder() {
    struct flock mark {};
    mark.l_type = F_WRLCK;
    mark.l_whence = SEEK_SET;
    mark.l_start = std::int64_t{1} << 61;
    mark.l_len = 1;
    return mark;
}

/// What is in the way of a recording, if it is no file.
Failure in_the_way(const std::string& path, const struct stat& found) {
    if (S_ISDIR(found.st_mode))
        return {fmt::format("'{}' is a directory", path), "name a file in it with -o"};
    if (S_ISLNK(found.st_mode))
        return {fmt::format("'{}' is a symbolic link to '{}': a recording is written through none", path,
                            system::read_link(path).value_or("?")),
                "name the file itself with -o"};
    return {fmt::format("'{}' is no regular file, and a recording has to be one", path),
            "name another file with -o; this one is not touched"};
}

}  // namespace

Result<std::string> resolved(const std::string& path) {
    if (path.empty())
        return tl::unexpected(Failure{"the name of the recording is empty", "name a file with -o"});
    const std::size_t slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    const std::string name = path.substr(slash == std::string::npos ? 0 : slash + 1);
    const std::unique_ptr<char, void (*)(void*)> real(::realpath(directory.c_str(), nullptr), std::free);
    if (!real) return tl::unexpected(cannot_create(path, errno));
    if (name.empty() || name == "." || name == "..") return tl::unexpected(cannot_create(path, EISDIR));
    const std::string_view found = real.get();
    return fmt::format("{}{}{}", found, found.ends_with('/') ? "" : "/", name);
}

bool is_recording(const std::string& path) {
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0 || !S_ISREG(found.st_mode)) return false;
    return begins_as_recording(system::Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)));
}

bool is_being_written(const system::Descriptor& file) {
    struct flock mark = mark_of_recorder();
    return ::fcntl(file.get(), F_OFD_GETLK, &mark) == 0 && mark.l_type != F_UNLCK;
}

Result<void> check_place(const std::string& path, bool force) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) return {};
    if (!S_ISREG(found.st_mode)) return tl::unexpected(in_the_way(path, found));
    const system::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!begins_as_recording(file))
        return tl::unexpected(Failure{fmt::format("there is a '{}' already, and it is no recording", path),
                                      "name another file with -o; this one is not touched"});
    if (is_being_written(file))
        return tl::unexpected(Failure{fmt::format("another recorder is writing '{}'", path),
                                      "name another file with -o, or end that recorder first"});
    if (!force)
        return tl::unexpected(Failure{fmt::format("there is a recording '{}' already", path),
                                      "name another file with -o, or replace that one with --force"});
    return {};
}

Result<system::Descriptor> create_place(const std::string& path, bool force) {
    if (auto free = check_place(path, force); !free) return tl::unexpected(free.error());
    remove_place(path);
    system::Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) return tl::unexpected(cannot_create(path, errno));
    // A file system without such locks is no reason not to record.
    struct flock mark = mark_of_recorder();
    static_cast<void>(::fcntl(file.get(), F_OFD_SETLK, &mark));
    return file;
}

Whereabouts whereabouts(const system::Descriptor& file, const std::string& path) {
    struct stat own {};
    struct stat named {};
    if (::fstat(file.get(), &own) != 0 || own.st_nlink == 0) return Whereabouts::kRemoved;
    const bool is_there =
        ::lstat(path.c_str(), &named) == 0 && named.st_dev == own.st_dev && named.st_ino == own.st_ino;
    return is_there ? Whereabouts::kInPlace : Whereabouts::kMoved;
}

void remove_place(const std::string& path) {
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) ::unlink((path + suffix).c_str());
}

std::uint64_t free_bytes(const std::string& path) {
    struct statvfs found {};
    return ::statvfs(path.c_str(), &found) == 0 ? std::uint64_t{found.f_bavail} * found.f_frsize : 0;
}

system::Descriptor room_beside(const std::string& path, std::uint64_t bytes) {
    const std::string directory = path.substr(0, path.rfind('/') + 1);
    system::Descriptor room(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (!room || ::fallocate(room.get(), 0, 0, static_cast<off_t>(bytes)) != 0) return {};
    return room;
}

std::uint64_t size_of(const std::string& path) {
    struct stat found {};
    return ::stat(path.c_str(), &found) == 0 ? static_cast<std::uint64_t>(found.st_size) : 0;
}

}  // namespace waitclose::store
