// SPDX-License-Identifier: BSD-2-Clause
#include "timeline/format.h"

#include <algorithm>
#include <iterator>

namespace waitclose::timeline {

namespace {

constexpr Format kFormats[] = {
    {"perfetto", ".pftrace", "tracks, flows and counters for ui.perfetto.dev", write_perfetto},
    {"chrome", ".json", "trace events for chrome://tracing", write_chrome},
    {"folded", ".folded", "stacks for flame graphs, weighted by held milliseconds", write_folded, true},
    {"speedscope", ".speedscope.json", "held time and every thread for speedscope", write_speedscope, true},
    {"ndjson", ".ndjson", "the holds, one object a line", write_ndjson},
};

}  // namespace

std::span<const Format> formats() {
    return kFormats;
}

const Format* find_format(std::string_view name) {
    const auto* found = std::find_if(std::begin(kFormats), std::end(kFormats),
                                     [name](const Format& format) { return format.name == name; });
    return found == std::end(kFormats) ? nullptr : found;
}

}  // namespace waitclose::timeline
