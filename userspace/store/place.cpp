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
#include "system/files.h"

namespace waitclose::store {
namespace {

Failure cannot_create(const std::string& path, int error) {
    return {fmt::format("the recording '{}' cannot be created: {}", path, std::strerror(error)),
            "name a file in a directory that can be written to, with -o"};
}

}  // namespace

Result<std::string> resolved(const std::string& path) {
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
    constexpr std::string_view kMagic("SQLite format 3\0", 16);
    constexpr std::size_t kApplicationIdAt = 68;  // https://www.sqlite.org/fileformat.html
    const system::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    std::array<unsigned char, 100> header{};
    if (!file || ::read(file.get(), header.data(), header.size()) != static_cast<ssize_t>(header.size()))
        return false;
    std::uint32_t id = 0;
    for (std::size_t i = 0; i < sizeof(id); ++i) id = id << 8 | header.at(kApplicationIdAt + i);
    return std::memcmp(header.data(), kMagic.data(), kMagic.size()) == 0 && id == kApplicationId;
}

Result<void> check_place(const std::string& path, bool force) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) return {};
    if (!S_ISREG(found.st_mode) || !is_recording(path))
        return tl::unexpected(Failure{fmt::format("there is a '{}' already, and it is no recording", path),
                                      "name another file with -o; this one is not touched"});
    if (!force)
        return tl::unexpected(Failure{fmt::format("there is a recording '{}' already", path),
                                      "name another file with -o, or replace that one with --force"});
    return {};
}

Result<void> create_place(const std::string& path, bool force) {
    if (auto free = check_place(path, force); !free) return free;
    remove_place(path);
    const system::Descriptor file(
        ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) return tl::unexpected(cannot_create(path, errno));
    return {};
}

void remove_place(const std::string& path) {
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) ::unlink((path + suffix).c_str());
}

std::uint64_t free_bytes(const std::string& path) {
    struct statvfs found {};
    return ::statvfs(path.c_str(), &found) == 0 ? std::uint64_t{found.f_bavail} * found.f_frsize : 0;
}

std::uint64_t size_of(const std::string& path) {
    struct stat found {};
    return ::stat(path.c_str(), &found) == 0 ? static_cast<std::uint64_t>(found.st_size) : 0;
}

}  // namespace waitclose::store
