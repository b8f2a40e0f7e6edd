// SPDX-License-Identifier: BSD-2-Clause
// The texts of the HTML report, each once, numbered as the data mentions them. 0 is what is not known.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "output/escape.h"
#include "timeline/json_text.h"
#include "timeline/timeline.h"

namespace waitclose::timeline {

class ReportTexts {
public:
    /// `raw` is made visible and harmless, as for a terminal: "\e]0;", "\u202e".
    std::uint32_t of(std::string_view raw) {
        const auto [entry, fresh] =
            ids_.try_emplace(output::printable(raw), static_cast<std::uint32_t>(order_.size() + 1));
        if (fresh) {
            order_.push_back(entry->first);
            bytes_ += entry->first.size();
        }
        return entry->second;
    }

    std::uint32_t of(const Timeline& timeline, StringId id) {
        return id == StringId::kNone ? 0 : of(timeline.text(id));
    }

    /// Of all texts so far.
    std::size_t bytes() const { return bytes_; }

    void write(JsonText& json) const {
        json.begin_array();
        json.null();
        for (const std::string_view text : order_) json.text(text);
        json.end_array();
    }

private:
    std::unordered_map<std::string, std::uint32_t> ids_;  // never moves its keys
    std::deque<std::string_view> order_;
    std::size_t bytes_ = 0;
};

}  // namespace waitclose::timeline
