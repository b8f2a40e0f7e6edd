// SPDX-License-Identifier: BSD-2-Clause
// What a capture was asked for, and its two halves: following threads for a while, and writing the bundle.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bundle/evidence.h"
#include "bundle/manifest.h"
#include "bundle/place.h"
#include "bundle/redaction.h"
#include "commands/options.h"
#include "failure.h"
#include "model/events.h"
#include "system/files.h"

namespace waitclose::commands {

struct CaptureRequest {
    Request common;
    std::uint64_t duration_ns = 0;
    std::optional<std::string> hold;  // as typed; common.selection has it understood
    std::uint32_t max_threads = 0;
    std::uint64_t max_bytes = 0;
    double max_overhead = 0;  // of one core
    bool force = false;
    bool redact = false;
    bool arguments = false;
    bool ask_runtime = false;
};

/// What was found out, beside the recording.
struct Captured {
    bundle::Manifest manifest;  // without files and headline
    bundle::Evidence evidence;
    model::Census last;  // the last look
};

inline constexpr const char* kRecordingName = "recording.db";

/// Follows threads until the time is over or a signal comes, and records it all in the place. Null where
/// addresses stay: `redaction`.
Result<Captured> capture_into(const bundle::Place& place, const CaptureRequest& request,
                              bundle::Redaction* redaction, const system::Descriptor& signals);

/// Writes everything that is made from the recording, the system evidence, and the manifest. Fills in the
/// manifest's files and headline.
Result<void> write_bundle(const bundle::Place& place, const CaptureRequest& request,
                          bundle::Redaction* redaction, Captured& captured);

}  // namespace waitclose::commands
