// SPDX-License-Identifier: BSD-2-Clause
#include "timeline/perfetto_packets.h"

#include <fmt/format.h>

#include "output/escape.h"
#include "timeline/labels.h"

namespace waitclose::timeline::perfetto {

std::string shown(std::string_view bytes) {
    return output::printable(bytes);
}

std::uint64_t Names::number(std::string_view name, bool& fresh) {
    auto entry = numbers_.find(name);
    fresh = entry == numbers_.end();
    if (fresh) entry = numbers_.emplace(name, numbers_.size() + 1).first;
    return entry->second;
}

std::uint64_t Packets::intern(Names& names, InternedData kind, std::string_view name) {
    bool fresh = false;
    const std::uint64_t iid = names.number(name, fresh);
    if (fresh) {
        entry([&](Message<InternedData>& data) {
            Message<InternedName> interned(data, kind);
            interned.add_uint64(InternedName::kIid, iid);
            interned.add_string(InternedName::kName, shown(name));
        });
    }
    return iid;
}

std::uint64_t Packets::intern_bytes(Names& names, InternedData kind, std::string_view name) {
    bool fresh = false;
    const std::uint64_t iid = names.number(name, fresh);
    if (fresh) {
        entry([&](Message<InternedData>& data) {
            Message<InternedString> interned(data, kind);
            interned.add_uint64(InternedString::kIid, iid);
            interned.add_bytes(InternedString::kStr, shown(name));
        });
    }
    return iid;
}

std::uint64_t Packets::mapping(StringId module) {
    if (const auto found = mappings_.find(module); found != mappings_.end()) return found->second;
    const std::uint64_t path = intern_bytes(paths_, InternedData::kMappingPaths, timeline_.text(module));
    const std::uint64_t iid = mappings_.size() + 1;
    mappings_.emplace(module, iid);
    entry([&](Message<InternedData>& data) {
        Message<Mapping> mapping(data, InternedData::kMappings);
        mapping.add_uint64(Mapping::kIid, iid);
        mapping.add_uint64(Mapping::kPathStringIds, path);
    });
    return iid;
}

/// The format wants an address with every mapping: without one, the module is part of the function's name.
void Packets::frame(std::uint32_t index) {
    if (frames_sent_.empty()) frames_sent_.resize(timeline_.stacks.frames().size());
    if (frames_sent_[index]) return;
    frames_sent_[index] = true;
    const timeline::Frame& known = timeline_.stacks.frames()[index];
    const bool mapped = known.module != StringId::kNone && known.offset;
    std::string name = frame_label(timeline_, known);
    if (!mapped && known.module != StringId::kNone && known.function != StringId::kNone) {
        name += fmt::format(" ({})", timeline_.text(known.module));
    }
    const std::uint64_t function = intern_bytes(functions_, InternedData::kFunctionNames, name);
    const std::uint64_t module = mapped ? mapping(known.module) : 0;
    entry([&](Message<InternedData>& data) {
        Message<Frame> frame(data, InternedData::kFrames);
        frame.add_uint64(Frame::kIid, index + 1);
        frame.add_uint64(Frame::kFunctionNameId, function);
        if (mapped) {
            frame.add_uint64(Frame::kMappingId, module);
            frame.add_uint64(Frame::kRelPc, *known.offset);
        }
        if (known.kernel) frame.add_enum(Frame::kKind, kKindKernel);
    });
}

std::uint64_t Packets::callstack(StackId stack) {
    const auto frames = timeline_.stacks.frames_of(stack);
    if (frames.empty()) return 0;
    const auto iid = static_cast<std::size_t>(stack);
    if (stacks_sent_.empty()) stacks_sent_.resize(timeline_.stacks.size() + 1);
    if (stacks_sent_[iid]) return iid;
    stacks_sent_[iid] = true;
    for (const std::uint32_t index : frames) frame(index);
    entry([&](Message<InternedData>& data) {
        Message<Callstack> callstack(data, InternedData::kCallstacks);
        callstack.add_uint64(Callstack::kIid, iid);
        for (const std::uint32_t index : frames) callstack.add_uint64(Callstack::kFrameIds, index + 1);
    });
    return iid;
}

}  // namespace waitclose::timeline::perfetto
