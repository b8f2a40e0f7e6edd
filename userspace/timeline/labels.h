// SPDX-License-Identifier: BSD-2-Clause
// What things of a timeline are called in every format. The texts are raw: writers escape them.
#pragma once

#include <string>
#include <string_view>

#include "timeline/timeline.h"

namespace waitclose::timeline {

inline constexpr std::string_view kNotKnown = "(not known)";
/// Of a hold that several have, or nobody: the first that was found with it is not named in their place.
inline constexpr std::string_view kOwnerNotKnown = "owner not known";

/// "running", "waiting for a CPU", "blocked: disk", "(not known)". Only of these two fields does it depend.
std::string slice_label(const Timeline& timeline, Activity activity, StringId wait_class);

/// "java [4121]"
std::string process_label(const Timeline& timeline, const Process& process);

/// "10.0.0.7:8080 ← 10.2.3.4:51234", the arrow away from who opened the connection.
std::string hold_label(const Timeline& timeline, const Hold& hold);

/// "10.0.0.7:8080" or "[2001:db8::1]:8080"
std::string address_label(const Timeline& timeline, const Address& address);

/// Its function; else "libx.so+0x1f0"; else "(not known)". Kernel functions end in "_[k]", as flame graphs
/// have it.
std::string frame_label(const Timeline& timeline, const Frame& frame);

/// A phase; the hold's own says its cause: "CLOSE_WAIT: eof-ignored".
std::string phase_label(const Timeline& timeline, const Phase& phase, StringId cause);

/// "orders", by the index of a process; "owner not known" where that is nowhere.
std::string_view owner_label(const Timeline& timeline, std::uint32_t owner);

/// "http-exec-17 [4188]"; "java [4121], thread not known" where no thread could be named.
std::string culprit_label(const Timeline& timeline, const Culprit& culprit);

/// "http-exec-17 [4188] waits for lock: mutex 0x7f held by tid 4190"
std::string link_label(const Timeline& timeline, const Link& link);

/// "eof_read = true: its FIN was read"
std::string evidence_label(const Timeline& timeline, const Evidence& evidence);

/// "disk pressure (%)"
std::string counter_label(const Timeline& timeline, const Counter& counter);

/// "lost: ring"
std::string loss_label(const Timeline& timeline, const Loss& loss);

/// The text, or "(not known)".
std::string_view known(const Timeline& timeline, StringId id);

/// The length of what begins and ends then; 0 where it ends before it begins.
constexpr std::uint64_t length(std::uint64_t begin_ns, std::uint64_t end_ns) {
    return end_ns > begin_ns ? end_ns - begin_ns : 0;
}

}  // namespace waitclose::timeline
