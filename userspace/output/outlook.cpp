// SPDX-License-Identifier: BSD-2-Clause
#include "output/outlook.h"

#include <fmt/format.h>

#include "output/escape.h"
#include "output/format.h"

namespace waitclose::output {

std::string outlook_text(const diagnose::FdOutlook& fds) {
    std::string text;
    if (fds.used && fds.limit)
        text = fmt::format("{} of {} descriptors open", count_text(*fds.used), count_text(*fds.limit));
    else
        text =
            fds.used ? fmt::format("{} descriptors open", count_text(*fds.used)) : "descriptors not counted";
    if (!fds.holds_per_s) return text;
    const double rate = *fds.holds_per_s;
    text += rate >= 0.1 ? fmt::format("; holds grow by {:.1f}/s", rate)
                        : fmt::format("; holds grow by {:.1f}/h", rate * 3600);
    text += fmt::format(" ({})", fds.basis);
    if (fds.full_in_ns)
        text += *fds.full_in_ns == 0 ? ": full" : fmt::format(": full in {}", duration_text(*fds.full_in_ns));
    return text;
}

std::string sentence(std::string_view text, const TextStyle& style) {
    constexpr std::string_view kAbout = "\u2248";
    std::string plain(text);
    if (style.ascii())
        for (std::size_t at = plain.find(kAbout); at != std::string::npos; at = plain.find(kAbout, at))
            plain.replace(at, kAbout.size(), "~");
    return printable(plain, style.charset);
}

}  // namespace waitclose::output
