// SPDX-License-Identifier: BSD-2-Clause
// Small reads of /proc and /sys, and a file descriptor that closes itself.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include <unistd.h>

namespace waitclose::system {

/// Owns a file descriptor; -1 means none.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

private:
    int fd_ = -1;
};

/// The whole of a file, at most `limit` bytes; nothing when it cannot be read.
std::optional<std::string> read_file(const std::string& path, std::size_t limit = 1 << 20);

/// What is left to read of an open file, at most `limit` bytes; nothing when it cannot be read.
std::optional<std::string> read_all(const Descriptor& file, std::size_t limit);

/// The first line of a file without its newline; nothing when it cannot be read.
std::optional<std::string> read_line(const std::string& path);

/// Where a symbolic link points; nothing when it cannot be read.
std::optional<std::string> read_link(const std::string& path);

}  // namespace waitclose::system
