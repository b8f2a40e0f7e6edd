// SPDX-License-Identifier: BSD-2-Clause
// Packets of a Perfetto trace: one sequence, with what is interned written in front of its first use.
#pragma once

#include <map>
#include <protozero/pbf_builder.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "output/sink.h"
#include "timeline/perfetto_fields.h"
#include "timeline/timeline.h"

namespace waitclose::timeline::perfetto {

template <typename Field>
using Message = protozero::pbf_builder<Field>;

/// Text as a trace viewer may show it: UTF-8, with everything a reader could obey made visible.
std::string shown(std::string_view bytes);

/// Names with numbers of one kind, each sent once.
class Names {
public:
    /// Its number; `fresh` becomes true when nobody asked before.
    std::uint64_t number(std::string_view name, bool& fresh);

private:
    std::map<std::string, std::uint64_t, std::less<>> numbers_;
};

class Packets {
public:
    Packets(const Timeline& timeline, output::Sink& sink) : timeline_(timeline), sink_(sink) {}
    Packets(const Packets&) = delete;
    Packets& operator=(const Packets&) = delete;
    ~Packets() { hand_over(); }

    /// One packet; `fill` is given it. At the beginning of the sequence `flags` say so.
    template <typename Fill>
    void packet(std::uint32_t flags, Fill&& fill) {
        {
            Message<Trace> trace(buffer_);
            Message<TracePacket> packet(trace, Trace::kPacket);
            packet.add_uint32(TracePacket::kTrustedPacketSequenceId, kSequence);
            packet.add_uint32(TracePacket::kSequenceFlags, flags);
            fill(packet);
        }
        if (buffer_.size() >= kPiece) hand_over();
    }

    /// An event; `fill` may add what is particular to it. What it interns must have been asked for before.
    template <typename Fill>
    void event(std::uint64_t at_ns, EventType type, std::uint64_t track, Fill&& fill) {
        packet(kNeedsIncrementalState, [&](Message<TracePacket>& packet) {
            packet.add_uint64(TracePacket::kTimestamp, at_ns);
            Message<TrackEvent> event(packet, TracePacket::kTrackEvent);
            event.add_enum(TrackEvent::kType, static_cast<std::int32_t>(type));
            event.add_uint64(TrackEvent::kTrackUuid, track);
            fill(event);
        });
    }

    std::uint64_t category(std::string_view name) {
        return intern(categories_, InternedData::kEventCategories, name);
    }
    std::uint64_t event_name(std::string_view name) {
        return intern(events_, InternedData::kEventNames, name);
    }
    std::uint64_t annotation(std::string_view name) {
        return intern(annotations_, InternedData::kDebugAnnotationNames, name);
    }

    /// 0 for no stack.
    std::uint64_t callstack(StackId stack);

private:
    static constexpr std::uint32_t kSequence = 1;
    static constexpr std::size_t kPiece = std::size_t{32} * 1024;

    /// A packet that has nothing but entries.
    template <typename Fill>
    void entry(Fill&& fill) {
        packet(kNeedsIncrementalState, [&](Message<TracePacket>& packet) {
            Message<InternedData> data(packet, TracePacket::kInternedData);
            fill(data);
        });
    }

    std::uint64_t intern(Names& names, InternedData kind, std::string_view name);
    std::uint64_t intern_bytes(Names& names, InternedData kind, std::string_view name);
    std::uint64_t mapping(StringId module);
    void frame(std::uint32_t index);

    void hand_over() {
        sink_.write(buffer_);
        buffer_.clear();
    }

    const Timeline& timeline_;
    output::Sink& sink_;
    std::string buffer_;
    Names categories_, events_, annotations_, functions_, paths_;
    std::map<StringId, std::uint64_t> mappings_;
    std::vector<bool> frames_sent_;
    std::vector<bool> stacks_sent_;
};

}  // namespace waitclose::timeline::perfetto
