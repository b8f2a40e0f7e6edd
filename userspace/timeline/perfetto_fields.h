// SPDX-License-Identifier: BSD-2-Clause
// The fields of Perfetto's trace format that we write, with the numbers of its published protos
// (github.com/google/perfetto, protos/perfetto/trace). A field's number never changes; readers skip those
// they do not know, e.g. a callstack on a slice before Perfetto v53.
#pragma once

#include <cstdint>
#include <protozero/types.hpp>

namespace waitclose::timeline::perfetto {

// trace.proto
enum class Trace : protozero::pbf_tag_type { kPacket = 1 };

// trace_packet.proto
enum class TracePacket : protozero::pbf_tag_type {
    kClockSnapshot = 6,
    kTimestamp = 8,
    kTrustedPacketSequenceId = 10,
    kTrackEvent = 11,
    kInternedData = 12,
    kSequenceFlags = 13,
    kSystemInfo = 45,
    kTracePacketDefaults = 59,
    kTrackDescriptor = 60,
    kFirstPacketOnSequence = 87,
};
inline constexpr std::uint32_t kIncrementalStateCleared = 1;
inline constexpr std::uint32_t kNeedsIncrementalState = 2;

// trace_packet_defaults.proto
enum class TracePacketDefaults : protozero::pbf_tag_type { kTimestampClockId = 58 };

// clock_snapshot.proto, common/builtin_clock.proto
enum class ClockSnapshot : protozero::pbf_tag_type { kClocks = 1, kPrimaryTraceClock = 2 };
enum class Clock : protozero::pbf_tag_type { kClockId = 1, kTimestamp = 2 };
inline constexpr std::uint32_t kRealtime = 1;
inline constexpr std::uint32_t kBoottime = 6;

// system_info.proto
enum class SystemInfo : protozero::pbf_tag_type { kUtsname = 1 };
enum class Utsname : protozero::pbf_tag_type { kSysname = 1, kRelease = 3 };

// track_event/track_descriptor.proto
enum class TrackDescriptor : protozero::pbf_tag_type {
    kUuid = 1,
    kName = 2,
    kProcess = 3,
    kThread = 4,
    kParentUuid = 5,
    kCounter = 8,
    kSiblingMergeBehavior = 15,
};
inline constexpr std::int32_t kMergeNone = 2;  // two sockets of one name stay two tracks

// track_event/{process,thread,counter}_descriptor.proto
enum class ProcessDescriptor : protozero::pbf_tag_type {
    kPid = 1,
    kCmdline = 2,
    kProcessName = 6,
    kStartTimestampNs = 7,
    kProcessLabels = 8,
};
enum class ThreadDescriptor : protozero::pbf_tag_type { kPid = 1, kTid = 2, kThreadName = 5 };
enum class CounterDescriptor : protozero::pbf_tag_type { kUnit = 3 };
inline constexpr std::int32_t kUnitUnspecified = 0;

// track_event/track_event.proto
enum class TrackEvent : protozero::pbf_tag_type {
    kCategoryIids = 3,
    kDebugAnnotations = 4,
    kType = 9,
    kNameIid = 10,
    kTrackUuid = 11,
    kDoubleCounterValue = 44,
    kFlowIds = 47,
    kTerminatingFlowIds = 48,
    kCallstackIid = 56,
};
enum class EventType : std::int32_t { kSliceBegin = 1, kSliceEnd = 2, kInstant = 3, kCounter = 4 };

// track_event/debug_annotation.proto
enum class DebugAnnotation : protozero::pbf_tag_type {
    kNameIid = 1,
    kBoolValue = 2,
    kUintValue = 3,
    kIntValue = 4,
    kStringValue = 6,
    kDictEntries = 11,
    kArrayValues = 12,
};

// interned_data.proto; the entries' own fields in track_event.proto and profiling/profile_common.proto
enum class InternedData : protozero::pbf_tag_type {
    kEventCategories = 1,
    kEventNames = 2,
    kDebugAnnotationNames = 3,
    kFunctionNames = 5,
    kFrames = 6,
    kCallstacks = 7,
    kMappingPaths = 17,
    kMappings = 19,
};
enum class InternedName : protozero::pbf_tag_type { kIid = 1, kName = 2 };  // a category, event or annotation
enum class InternedString : protozero::pbf_tag_type { kIid = 1, kStr = 2 };
enum class Mapping : protozero::pbf_tag_type { kIid = 1, kPathStringIds = 7 };
enum class Frame : protozero::pbf_tag_type {
    kIid = 1,
    kFunctionNameId = 2,
    kMappingId = 3,
    kRelPc = 4,
    kKind = 7
};
enum class Callstack : protozero::pbf_tag_type { kIid = 1, kFrameIds = 2 };
inline constexpr std::int32_t kKindKernel = 2;

}  // namespace waitclose::timeline::perfetto
