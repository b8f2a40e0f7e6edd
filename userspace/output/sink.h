// SPDX-License-Identifier: BSD-2-Clause
// Where data goes: stdout, or a file that appears whole or not at all.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace waitclose::output {

/// A buffered writer. The first error sticks: later writes do nothing, and flush() and finish() report it as
/// a sentence. The program must ignore SIGPIPE. A reader of stdout that went away is no error: writing just
/// ends.
class Sink {
public:
    /// `path` names a file; absent or "-" is stdout. A file is written under a temporary name beside it and
    /// renamed by finish(); without finish() nothing is left behind. What exists and is no regular file
    /// (/dev/full, a fifo) is written to directly. A symbolic link is replaced, never followed into: the
    /// program usually runs as root.
    static tl::expected<Sink, std::string> open(const std::optional<std::string>& path);

    /// The same for a stream that others follow while it grows: a regular file is appended to, line by line
    /// as flush() is called, and stays as it is whatever happens.
    static tl::expected<Sink, std::string> open_stream(const std::optional<std::string>& path);

    /// Writes to a descriptor that stays the caller's. `name` is for error messages.
    static Sink to_descriptor(int descriptor, std::string name);

    Sink(Sink&& other) noexcept;
    Sink& operator=(Sink&&) = delete;
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;
    ~Sink();

    void write(std::string_view bytes);

    /// Hands everything written so far to the kernel.
    tl::expected<void, std::string> flush();

    /// Flushes and, for a file, gives it its name. To be called once, at the end.
    tl::expected<void, std::string> finish();

    /// Nothing more will arrive, because of an error or because the reader went away: a loop may stop.
    bool ended() const { return reader_gone_ || !error_.empty(); }
    bool reader_gone() const { return reader_gone_; }

    /// Where it writes to, for isatty() and the like.
    int descriptor() const { return descriptor_; }

private:
    enum class Kind : std::uint8_t { kBorrowed, kDirect, kReplacing };

    Sink(Kind kind, int descriptor, std::string name, std::string temporary);
    void drain(std::string_view bytes);
    bool wait_until_writable();
    void fail(int error);
    tl::expected<void, std::string> result() const;

    Kind kind_;
    int descriptor_;
    std::string name_;       // the target, or what to call it
    std::string temporary_;  // exists while not empty
    std::string buffer_;
    std::string error_;
    bool reader_gone_ = false;
};

}  // namespace waitclose::output
