// SPDX-License-Identifier: BSD-2-Clause
// A directory that closes itself.
#pragma once

#include <memory>
#include <string>

#include <dirent.h>

namespace waitclose::system {

struct DirectoryCloser {
    void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, DirectoryCloser>;

/// For readdir(); null when it cannot be opened.
inline Directory open_directory(const std::string& path) {
    return Directory(::opendir(path.c_str()));
}

}  // namespace waitclose::system
