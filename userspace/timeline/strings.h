// SPDX-License-Identifier: BSD-2-Clause
// Text that occurs once however often it is meant, and call stacks likewise. Plain data: no I/O.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace waitclose::timeline {

/// Text of a timeline. kNone is what is not known: null in JSON, left out elsewhere. The empty text is
/// another.
enum class StringId : std::uint32_t { kNone = 0 };

/// Texts with ids 1, 2, 3, … in the order they came. They are raw bytes: each writer makes them harmless.
class StringTable {
public:
    StringTable() = default;
    StringTable(StringTable&&) = default;
    StringTable& operator=(StringTable&&) = default;
    StringTable(const StringTable&) = delete;  // the index points into the texts
    StringTable& operator=(const StringTable&) = delete;

    StringId add(std::string_view text);

    /// "" for kNone, and for an id that is not of this table.
    std::string_view operator[](StringId id) const;

    /// The greatest id is this.
    std::size_t size() const { return texts_.size(); }

private:
    std::deque<std::string> texts_;  // never moves its elements
    std::unordered_map<std::string_view, StringId> ids_;
};

/// One function of a call stack.
struct Frame {
    StringId function = StringId::kNone;  // by name; none when only the address is known
    StringId module = StringId::kNone;    // the file or kernel module it lies in
    std::optional<std::uint64_t> offset;  // of the instruction, from the start of the module
    bool kernel = false;                  // it runs in the kernel

    bool operator==(const Frame&) const = default;
};

/// The empty stack is kNone: not known.
enum class StackId : std::uint32_t { kNone = 0 };

/// Call stacks and their frames, each once.
class StackTable {
public:
    /// `frames` runs from the outermost (main) to the innermost.
    StackId add(std::span<const Frame> frames);

    /// Indices of its frames, the outermost first; none for an id that is not of this table.
    std::span<const std::uint32_t> frames_of(StackId id) const;

    /// All frames, by index.
    std::span<const Frame> frames() const { return frames_; }

    /// The greatest id is this.
    std::size_t size() const { return stacks_.size(); }

private:
    using FrameKey = std::tuple<StringId, StringId, std::optional<std::uint64_t>, bool>;

    std::vector<Frame> frames_;
    std::map<FrameKey, std::uint32_t> frame_ids_;
    std::map<std::vector<std::uint32_t>, StackId> stack_ids_;
    std::vector<const std::vector<std::uint32_t>*> stacks_;  // into stack_ids_, which never moves its keys
};

}  // namespace waitclose::timeline
