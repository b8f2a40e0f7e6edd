// SPDX-License-Identifier: BSD-2-Clause
#include "system/files.h"

#include <array>
#include <climits>

#include <fcntl.h>

namespace waitclose::system {

std::optional<std::string> read_all(const Descriptor& file, std::size_t limit) {
    std::string content;
    std::array<char, 16384> buffer;
    while (content.size() < limit) {
        const ssize_t got =
            ::read(file.get(), buffer.data(), std::min(buffer.size(), limit - content.size()));
        if (got < 0) return std::nullopt;
        if (got == 0) break;
        content.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return content;
}

std::optional<std::string> read_file(const std::string& path, std::size_t limit) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return std::nullopt;
    return read_all(file, limit);
}

std::optional<std::string> read_line(const std::string& path) {
    auto content = read_file(path, 65536);
    if (content) content->resize(std::min(content->find('\n'), content->size()));
    return content;
}

std::optional<std::string> read_link(const std::string& path) {
    std::array<char, PATH_MAX> target;
    const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
    if (length < 0) return std::nullopt;
    return std::string(target.data(), static_cast<std::size_t>(length));
}

}  // namespace waitclose::system
