// SPDX-License-Identifier: BSD-2-Clause
// The directory of a bundle: it appears whole under its name, or not at all.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "failure.h"

namespace waitclose::bundle {

inline constexpr const char* kManifestName = "manifest.json";

/// A directory beside the one that was asked for, for its owner alone, until commit() gives it its name.
/// Without that it goes, with all that is in it.
class Place {
public:
    /// Fails where something is in the way: anything but an empty directory, or, with `force`, a bundle of
    /// ours that has no other files than its own.
    static Result<Place> create(const std::string& path, bool force);

    Place(Place&& other) noexcept;
    Place& operator=(Place&&) = delete;
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place();

    /// Where files are written meanwhile; and where they will be.
    const std::string& directory() const { return directory_; }
    const std::string& target() const { return target_; }
    std::string file(std::string_view name) const { return directory_ + "/" + std::string(name); }

    /// Gives it its name; a bundle that was there is replaced at that moment, and then removed.
    Result<void> commit();

private:
    Place(std::string target, std::string directory, bool force)
        : target_(std::move(target)), directory_(std::move(directory)), force_(force) {}

    std::string target_;
    std::string directory_;  // empty: it has its name, or another owner
    bool force_ = false;
};

/// Takes a half-written bundle away while another thread may still be writing it: under another name first,
/// so that nothing more gets in.
void abandon(const std::string& directory);

/// The names of the files that the manifest of a bundle lists, itself included; nothing when it is no
/// manifest of ours. A name that is more than a name in the directory makes it none.
std::vector<std::string> files_in_manifest(std::string_view text);

}  // namespace waitclose::bundle
