// SPDX-License-Identifier: BSD-2-Clause
// The first lines of groups, lined up: how many, whose, why, how sure, where, for how long.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "diagnose/catalogue.h"
#include "output/style.h"

namespace waitclose::output {

/// A group's first line, as printable cells, and how its cause is painted.
struct Headline {
    std::string count;
    std::string owner;
    std::string cause;
    std::string confidence;
    std::string place;
    std::string held;
    std::string held_briefly;
    Paint paint = Paint::kPlain;
};

/// How the headlines line up. Where they would be too wide together the hold is written briefly, then the
/// place moves down to the sentence, and then the owner is cut.
struct HeadlineLayout {
    std::size_t count = 0;
    std::size_t owner = 0;
    std::size_t cause = 0;
    std::size_t confidence = 0;
    std::size_t place = 0;  // 0: not in the headline
    std::size_t held = 0;
    bool briefly = false;

    std::size_t total() const;
    /// Where the sentences start: under the owner.
    std::size_t indent() const;
};

HeadlineLayout layout_of(const std::vector<Headline>& lines, std::size_t width);

std::string headline_text(const Headline& line, const HeadlineLayout& layout, const TextStyle& style);

/// "port 8080", or an arrow and the remote service; empty where neither is known.
std::string place_text(const std::optional<std::uint16_t>& local_port,
                       const std::optional<std::string>& remote, const TextStyle& style);

/// The same in words: below the headline an arrow means advice.
std::string place_words(const std::optional<std::uint16_t>& local_port,
                        const std::optional<std::string>& remote, const TextStyle& style);

Paint paint_of(diagnose::Cause cause);

}  // namespace waitclose::output
