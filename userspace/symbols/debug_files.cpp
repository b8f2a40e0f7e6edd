// SPDX-License-Identifier: BSD-2-Clause
#include "symbols/debug_files.h"

#include <array>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

namespace waitclose::symbols {
namespace {

constexpr std::uint64_t kMostSummed = 256 << 20;
constexpr std::string_view kDebugDirectory = "/usr/lib/debug";

std::string hex(std::string_view bytes) {
    std::string text;
    for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return text;
}

/// Nothing when it cannot be read, or is too long to be read for this.
std::optional<std::uint32_t> checksum_of(int fd) {
    std::array<char, 65536> buffer;
    std::uint32_t sum = 0;
    for (std::uint64_t at = 0; at < kMostSummed;) {
        const ssize_t got = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(at));
        if (got < 0) return std::nullopt;
        if (got == 0) return sum;
        sum = checksum(sum, std::string_view(buffer.data(), static_cast<std::size_t>(got)));
        at += static_cast<std::uint64_t>(got);
    }
    return std::nullopt;
}

std::unique_ptr<ElfFile> open_if_it_belongs(const ElfFile& file, system::Descriptor candidate) {
    if (!candidate) return nullptr;
    if (file.build_id().empty()) {
        if (!file.debug_link() || checksum_of(candidate.get()) != file.debug_link()->checksum) return nullptr;
        return ElfFile::open(std::move(candidate));
    }
    auto opened = ElfFile::open(std::move(candidate));
    return opened && opened->build_id() == file.build_id() ? std::move(opened) : nullptr;
}

}  // namespace

system::Descriptor open_beneath(const system::Descriptor& root, const std::string& path) {
    if (!root) return {};
    open_how how{};
    how.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    system::Descriptor file(
        static_cast<int>(::syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof(how))));
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
    return file;
}

std::vector<std::string> debug_file_paths(const ElfFile& file, const std::string& path) {
    std::vector<std::string> paths;
    if (file.build_id().size() > 1) {
        const std::string id = hex(file.build_id());
        paths.push_back(
            fmt::format("{}/.build-id/{}/{}.debug", kDebugDirectory, id.substr(0, 2), id.substr(2)));
    }
    if (file.debug_link() && path.starts_with('/')) {
        const std::string directory = path.substr(0, path.rfind('/'));
        for (const std::string& place :
             {directory, directory + "/.debug", std::string(kDebugDirectory) + directory})
            paths.push_back(place + "/" + file.debug_link()->name);
    }
    return paths;
}

std::unique_ptr<ElfFile> find_debug_file(const ElfFile& file, const std::string& path,
                                         const std::vector<const system::Descriptor*>& roots) {
    const std::vector<std::string> paths = debug_file_paths(file, path);
    for (const system::Descriptor* root : roots)
        for (const std::string& candidate : paths)
            if (auto found = open_if_it_belongs(file, open_beneath(*root, candidate))) return found;
    return nullptr;
}

std::uint32_t checksum(std::uint32_t before, std::string_view bytes) {
    static const auto kTable = [] {
        std::array<std::uint32_t, 256> table{};
        for (std::uint32_t i = 0; i < table.size(); ++i) {
            std::uint32_t value = i;
            for (int bit = 0; bit < 8; ++bit)
                value = (value & 1) != 0 ? 0xedb88320U ^ value >> 1 : value >> 1;
            table[i] = value;
        }
        return table;
    }();
    std::uint32_t sum = ~before;
    for (const char byte : bytes) sum = kTable[(sum ^ static_cast<unsigned char>(byte)) & 0xff] ^ sum >> 8;
    return ~sum;
}

}  // namespace waitclose::symbols
