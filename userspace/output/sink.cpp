// SPDX-License-Identifier: BSD-2-Clause
#include "output/sink.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "output/escape.h"

namespace waitclose::output {

namespace {

constexpr std::size_t kBufferBytes = 64 * 1024;
constexpr int kTemporaryNames = 100;  // leftovers of killed runs may stand in the way

std::string sentence(const std::string& name, int error) {
    return fmt::format("cannot write to {}: {}", printable(name), std::strerror(error));
}

std::string directory_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? std::string() : path.substr(0, slash + 1);
}

/// A new file in the target's directory. Its name does not grow with the target's, which may be as long as
/// allowed.
int create_temporary(const std::string& target, std::string& name) {
    for (int attempt = 0; attempt < kTemporaryNames; ++attempt) {
        name = fmt::format("{}.waitclose-{}-{}.tmp", directory_of(target), ::getpid(), attempt);
        const int descriptor = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor >= 0 || errno != EEXIST) return descriptor;
    }
    return -1;
}

}  // namespace

Sink::Sink(Kind kind, int descriptor, std::string name, std::string temporary)
    : kind_(kind), descriptor_(descriptor), name_(std::move(name)), temporary_(std::move(temporary)) {}

Sink::Sink(Sink&& other) noexcept
    : kind_(other.kind_),
      descriptor_(std::exchange(other.descriptor_, -1)),
      name_(std::move(other.name_)),
      temporary_(std::exchange(other.temporary_, {})),
      buffer_(std::exchange(other.buffer_, {})),
      error_(std::move(other.error_)),
      reader_gone_(other.reader_gone_) {}

Sink::~Sink() {
    if (kind_ != Kind::kReplacing) static_cast<void>(flush());
    if (kind_ != Kind::kBorrowed && descriptor_ >= 0) ::close(descriptor_);
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Sink Sink::to_descriptor(int descriptor, std::string name) {
    return {Kind::kBorrowed, descriptor, std::move(name), {}};
}

tl::expected<Sink, std::string> Sink::open_stream(const std::optional<std::string>& path) {
    if (!path || *path == "-") return to_descriptor(STDOUT_FILENO, "stdout");
    const int descriptor =
        ::open(path->c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (descriptor < 0) return tl::unexpected(sentence(*path, errno));
    return Sink(Kind::kDirect, descriptor, *path, {});
}

tl::expected<Sink, std::string> Sink::open(const std::optional<std::string>& path) {
    if (!path || *path == "-") return to_descriptor(STDOUT_FILENO, "stdout");
    if (path->empty()) return tl::unexpected(std::string("the name of the output file is empty"));
    struct stat target {};
    const bool exists = ::stat(path->c_str(), &target) == 0;
    if (exists && !S_ISREG(target.st_mode)) {
        const int descriptor = ::open(path->c_str(), O_WRONLY | O_CLOEXEC);
        if (descriptor < 0) return tl::unexpected(sentence(*path, errno));
        return Sink(Kind::kDirect, descriptor, *path, {});
    }
    // A rename would replace even a file that was made read-only on purpose.
    if (exists && ::faccessat(AT_FDCWD, path->c_str(), W_OK, AT_EACCESS) != 0) {
        return tl::unexpected(sentence(*path, errno));
    }
    if (path->back() == '/') return tl::unexpected(sentence(*path, EISDIR));
    std::string temporary;
    const int descriptor = create_temporary(*path, temporary);
    if (descriptor < 0) return tl::unexpected(sentence(*path, errno));
    if (exists) static_cast<void>(::fchmod(descriptor, target.st_mode & 0777));
    return Sink(Kind::kReplacing, descriptor, *path, std::move(temporary));
}

void Sink::write(std::string_view bytes) {
    if (ended()) return;
    if (buffer_.size() + bytes.size() < kBufferBytes) {
        buffer_ += bytes;
        return;
    }
    drain(std::exchange(buffer_, {}));
    drain(bytes);
}

void Sink::drain(std::string_view bytes) {
    while (!bytes.empty() && !ended()) {
        const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
        if (written >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno == EAGAIN) {
            if (!wait_until_writable()) return;
        } else if (errno != EINTR) {
            fail(errno);
        }
    }
}

/// Whoever shares our stdout may have made it non-blocking.
bool Sink::wait_until_writable() {
    pollfd wait{descriptor_, POLLOUT, 0};
    if (::poll(&wait, 1, -1) < 0 && errno != EINTR) fail(errno);
    return !ended();
}

void Sink::fail(int error) {
    if (error == EPIPE && kind_ == Kind::kBorrowed) {
        reader_gone_ = true;
    } else {
        error_ = sentence(name_, error);
    }
    buffer_.clear();
}

tl::expected<void, std::string> Sink::result() const {
    if (!error_.empty()) return tl::unexpected(error_);
    return {};
}

tl::expected<void, std::string> Sink::flush() {
    if (descriptor_ >= 0) drain(std::exchange(buffer_, {}));
    return result();
}

tl::expected<void, std::string> Sink::finish() {
    static_cast<void>(flush());
    if (kind_ != Kind::kBorrowed && descriptor_ >= 0) {
        // Network file systems report a full disk only here.
        if (::close(std::exchange(descriptor_, -1)) != 0 && error_.empty()) fail(errno);
    }
    if (temporary_.empty() || ended()) return result();
    if (::rename(temporary_.c_str(), name_.c_str()) == 0) {
        temporary_.clear();
    } else {
        fail(errno);
    }
    return result();
}

}  // namespace waitclose::output
