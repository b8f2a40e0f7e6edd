// SPDX-License-Identifier: BSD-2-Clause
// All lists of fields (field_list.h), and what keeps them whole.
#pragma once

#include <cstddef>

#include "model/census.h"
#include "store/activity_fields.h"
#include "store/look_fields.h"
#include "store/process_fields.h"
#include "store/socket_fields.h"

namespace waitclose::store {

// Who changes one of these structures changes the list above, or says there why a field is not in it; the
// schema (schema.h, schema.md) and the tests' second look at it follow. Sizes of one ABI stand for all of
// them.
#if defined(__x86_64__) && defined(__GLIBCXX__) && !defined(_GLIBCXX_DEBUG)
template <typename T, std::size_t kBytes>
inline constexpr bool kSizeIs = sizeof(T) == kBytes;
static_assert(kSizeIs<model::Actor, 32>);
static_assert(kSizeIs<model::Deed, 48>);
static_assert(kSizeIs<model::Touches, 256>);
static_assert(kSizeIs<model::Keepalive, 72>);
static_assert(kSizeIs<model::Endpoint, 18>);
static_assert(kSizeIs<model::Socket, 256>);
static_assert(kSizeIs<model::Watch, 48>);
static_assert(kSizeIs<model::InFlight, 56>);
static_assert(kSizeIs<model::EpollHolder, 56>);
static_assert(kSizeIs<model::FileFact, 96>);
static_assert(kSizeIs<model::LockHolder, 40>);
static_assert(kSizeIs<model::Tracer, 40>);
static_assert(kSizeIs<model::Polled, 24>);
static_assert(kSizeIs<model::Thread, 472>);
static_assert(kSizeIs<model::Process, 272>);
static_assert(kSizeIs<model::Holder, 12>);
static_assert(kSizeIs<model::Question, 16>);
static_assert(kSizeIs<model::Answer, 112>);
static_assert(kSizeIs<model::AcceptQueue, 88>);
static_assert(kSizeIs<model::AcceptCalls, 64>);
static_assert(kSizeIs<model::GrowingCount, 24>);
static_assert(kSizeIs<model::NetworkFacts, 112>);
static_assert(kSizeIs<model::FileTable, 16>);
static_assert(kSizeIs<model::AcceptSide, 144>);
static_assert(kSizeIs<model::EarlierLook, 56>);
static_assert(kSizeIs<model::PressureTime, 32>);
static_assert(kSizeIs<model::Window, 296>);
static_assert(kSizeIs<model::Census, 768>);
static_assert(kSizeIs<model::ThreadTime, 128>);
static_assert(kSizeIs<model::Slept, 24>);
static_assert(kSizeIs<model::Throttling, 56>);
static_assert(kSizeIs<model::JvmPauses, 48>);
static_assert(kSizeIs<model::SocketKey, 16>);
static_assert(kSizeIs<model::Frame, 88>);
static_assert(kSizeIs<model::Sleep, 152>);
static_assert(kSizeIs<model::Interval, 32>);
static_assert(kSizeIs<model::CpuSample, 16>);
static_assert(kSizeIs<model::ThreadActivity, 144>);
static_assert(kSizeIs<model::Activity, 152>);
#endif

}  // namespace waitclose::store
