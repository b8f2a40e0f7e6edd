// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/log.h"

#include <cstdarg>
#include <cstdio>

#include <bpf/libbpf.h>

namespace waitclose::kernel {
namespace {

std::string& collected() {
    static std::string text;
    return text;
}

constexpr std::size_t kKeptOfMessage = 2048;  // at either end: a verifier log can be megabytes

__attribute__((format(printf, 2, 0))) int collect(libbpf_print_level level, const char* format,
                                                  va_list arguments) {
    if (level != LIBBPF_WARN) return 0;
    va_list again;
    va_copy(again, arguments);
    const int length = std::vsnprintf(nullptr, 0, format, again);
    va_end(again);
    if (length <= 0) return 0;
    std::string message(static_cast<std::size_t>(length) + 1, '\0');
    std::vsnprintf(message.data(), message.size(), format, arguments);
    message.pop_back();
    if (message.size() > 2 * kKeptOfMessage)
        message.replace(kKeptOfMessage, message.size() - 2 * kKeptOfMessage, "\n...\n");
    collected() += message;
    return 0;
}

/// The verifier's log inside libbpf's; empty when there is none.
std::string_view verifier_log(std::string_view log) {
    constexpr std::string_view kBegin = "BEGIN PROG LOAD LOG --\n";
    const auto begin = log.find(kBegin);
    if (begin == std::string_view::npos) return {};
    log.remove_prefix(begin + kBegin.size());
    return log.substr(0, log.find("-- END PROG LOAD LOG"));
}

/// Without libbpf's prefix.
std::string last_line(std::string_view log) {
    while (log.ends_with('\n')) log.remove_suffix(1);
    if (const auto begin = log.rfind('\n'); begin != std::string_view::npos) log.remove_prefix(begin + 1);
    if (log.starts_with("libbpf: ")) log.remove_prefix(8);
    return std::string(log);
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

std::string telling_line(std::string_view log) {
    std::string_view of_verifier = verifier_log(log);
    // It ends with its figures; what it objects to stands above them.
    if (const auto figures = of_verifier.rfind("processed "); figures != std::string_view::npos)
        of_verifier = of_verifier.substr(0, figures);
    const std::string line = last_line(of_verifier);
    return line.empty() ? last_line(log) : line;
}

}  // namespace waitclose::kernel
