// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/log.h"

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>

#include <bpf/libbpf.h>

namespace waitclose::kernel {
namespace {

std::string& collected() {
    static std::string text;
    return text;
}

__attribute__((format(printf, 2, 0))) int collect(libbpf_print_level level, const char* format,
                                                  va_list arguments) {
    if (level != LIBBPF_WARN) return 0;
    // A verifier log can be megabytes; what is of use stands in its first lines.
    std::array<char, 2048> line;
    const int length = std::vsnprintf(line.data(), line.size(), format, arguments);
    if (length > 0)
        collected().append(line.data(), std::min(static_cast<std::size_t>(length), line.size() - 1));
    return 0;
}

}  // namespace

LogCapture::LogCapture() {
    collected().clear();
    libbpf_set_print(collect);
}

LogCapture::~LogCapture() {
    libbpf_set_print([](libbpf_print_level, const char*, va_list) { return 0; });
}

std::string_view LogCapture::text() const {
    return collected();
}

std::string last_line(std::string_view log) {
    while (log.ends_with('\n')) log.remove_suffix(1);
    if (const auto begin = log.rfind('\n'); begin != std::string_view::npos) log.remove_prefix(begin + 1);
    if (log.starts_with("libbpf: ")) log.remove_prefix(8);
    return std::string(log);
}

}  // namespace waitclose::kernel
