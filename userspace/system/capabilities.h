// SPDX-License-Identifier: BSD-2-Clause
// What this process may do, and giving up what it no longer needs.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace waitclose::system {

/// A capability waitclose uses.
struct CapabilityUse {
    int capability;         // CAP_* of linux/capability.h
    std::string_view name;  // as setcap spells it
    bool required;          // without it nothing works; else something is missing
    bool after_attach;      // still needed once the probes are attached
    std::string_view why;
    std::string_view without;  // what the user loses
};

std::span<const CapabilityUse> capability_uses();

bool has_capability(int capability);

/// Whether this process may get the capability from a program's file: it is in the bounding set.
bool may_be_granted(int capability);

/// The required capabilities this process lacks, as setcap spells them, with commas; empty when it has all.
std::string missing_capabilities();

/// Keeps only what is needed after the probes are attached; everything else is gone for good, also for
/// programs this process might start. Also keeps `more`, until this is called again. Does nothing where the
/// kernel refuses.
void drop_capabilities(std::span<const int> more = {});

}  // namespace waitclose::system
