// SPDX-License-Identifier: BSD-2-Clause
#include "timeline/strings.h"

namespace waitclose::timeline {

StringId StringTable::add(std::string_view text) {
    if (const auto found = ids_.find(text); found != ids_.end()) return found->second;
    texts_.emplace_back(text);
    const auto id = static_cast<StringId>(texts_.size());
    ids_.emplace(texts_.back(), id);
    return id;
}

std::string_view StringTable::operator[](StringId id) const {
    const auto index = static_cast<std::size_t>(id);
    return index == 0 || index > texts_.size() ? std::string_view() : std::string_view(texts_[index - 1]);
}

StackId StackTable::add(std::span<const Frame> frames) {
    if (frames.empty()) return StackId::kNone;
    std::vector<std::uint32_t> indices;
    indices.reserve(frames.size());
    for (const Frame& frame : frames) {
        const FrameKey key{frame.function, frame.module, frame.offset, frame.kernel};
        const auto next = static_cast<std::uint32_t>(frames_.size());
        const auto [entry, fresh] = frame_ids_.emplace(key, next);
        if (fresh) frames_.push_back(frame);
        indices.push_back(entry->second);
    }
    const auto next = static_cast<StackId>(stacks_.size() + 1);
    const auto [entry, fresh] = stack_ids_.emplace(std::move(indices), next);
    if (fresh) stacks_.push_back(&entry->first);
    return entry->second;
}

std::span<const std::uint32_t> StackTable::frames_of(StackId id) const {
    const auto index = static_cast<std::size_t>(id);
    if (index == 0 || index > stacks_.size()) return {};
    return *stacks_[index - 1];
}

}  // namespace waitclose::timeline
