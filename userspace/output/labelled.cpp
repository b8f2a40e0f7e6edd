// SPDX-License-Identifier: BSD-2-Clause
#include "output/labelled.h"

#include <fmt/format.h>

#include "output/format.h"
#include "output/layout.h"

namespace waitclose::output {

void write_labelled(Sink& sink, const TextStyle& style, std::string_view label, std::string_view text,
                    Paint how) {
    std::string head = paint(style, Paint::kDim, pad(label, kLabelWidth));
    for (const std::string& line : wrap(text, style.width - kLabelWidth, 6, style.charset)) {
        sink.write(head + paint(style, how, line) + "\n");
        head.assign(kLabelWidth, ' ');
    }
}

std::string count_of(std::uint64_t count, std::string_view one, std::string_view many) {
    return fmt::format("{} {}", count_text(count), count == 1 ? one : many);
}

}  // namespace waitclose::output
