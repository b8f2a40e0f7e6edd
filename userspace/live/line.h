// SPDX-License-Identifier: BSD-2-Clause
// A line that is being typed, with the keys that shells have for it. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "live/keys.h"

namespace waitclose::live {

struct Line {
    std::string text = {};   // UTF-8
    std::size_t cursor = 0;  // where the next character goes; bytes

    static Line of(std::string text) {
        const std::size_t end = text.size();
        return {std::move(text), end};
    }
    /// What a key does to it; those that are of no use here do nothing. At most `most` bytes are taken.
    void edit(const Key& key, std::size_t most);

private:
    void insert(const std::string& typed, std::size_t most);
    void erase_before(std::size_t begin);
    std::size_t before() const;
    std::size_t behind() const;
    std::size_t word_begin() const;
};

}  // namespace waitclose::live
