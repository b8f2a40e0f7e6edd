// SPDX-License-Identifier: BSD-2-Clause
// What libbpf has to say, kept instead of printed: users get one sentence, not its log.
#pragma once

#include <string>
#include <string_view>

namespace waitclose::kernel {

/// While it lives, libbpf's warnings are collected. One at a time.
class LogCapture {
public:
    LogCapture();
    ~LogCapture();
    LogCapture(const LogCapture&) = delete;
    LogCapture& operator=(const LogCapture&) = delete;
    std::string_view text() const;
};

/// The line that says most: the verifier's objection when it had one, else the last.
std::string telling_line(std::string_view log);

}  // namespace waitclose::kernel
