// SPDX-License-Identifier: BSD-2-Clause
#include "bundle/place.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "bundle/manifest.h"
#include "system/directory.h"
#include "system/files.h"

namespace waitclose::bundle {
namespace {

Failure cannot_create(const std::string& path, int error) {
    return {fmt::format("the directory '{}' cannot be created: {}", path, std::strerror(error)),
            "name one in a directory that can be written to, with -o"};
}

/// Nothing when it cannot be read, or has more than a bundle can have.
std::optional<std::vector<std::string>> entries_of(const std::string& path) {
    constexpr std::size_t kMost = 1000;
    const system::Directory directory = system::open_directory(path);
    if (!directory) return std::nullopt;
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(directory.get())) {
        const std::string name = entry->d_name;
        if (name != "." && name != "..") names.push_back(name);
        if (names.size() > kMost) return std::nullopt;
    }
    return names;
}

/// Whether the directory holds a bundle, and nothing else.
bool is_bundle(const std::string& path, const std::vector<std::string>& names) {
    constexpr std::size_t kLongest = 4 << 20;
    struct stat found {};
    const std::string manifest = path + "/" + kManifestName;
    if (::lstat(manifest.c_str(), &found) != 0 || !S_ISREG(found.st_mode)) return false;
    const auto files = files_in_manifest(system::read_file(manifest, kLongest).value_or(""));
    return !files.empty() && std::ranges::all_of(names, [&](const std::string& name) {
        return std::ranges::find(files, name) != files.end();
    });
}

Result<void> check_target(const std::string& path, bool force) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) return {};
    if (!S_ISDIR(found.st_mode))
        return tl::unexpected(Failure{fmt::format("there is a '{}' already, and it is no directory", path),
                                      "name another directory with -o; this one is not touched"});
    const auto names = entries_of(path);
    if (names && names->empty()) return {};
    if (!names || !is_bundle(path, *names))
        return tl::unexpected(
            Failure{fmt::format("the directory '{}' is not empty, and no bundle of waitclose alone", path),
                    "name another directory with -o; this one is not touched"});
    if (!force)
        return tl::unexpected(Failure{fmt::format("there is a bundle '{}' already", path),
                                      "name another directory with -o, or replace that one with --force"});
    return {};
}

/// The path without slashes at its end, its directory resolved: nothing moves under it meanwhile.
Result<std::string> resolved(std::string path) {
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    const std::size_t slash = path.rfind('/');
    const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
    if (name.empty() || name == "." || name == "..") return tl::unexpected(cannot_create(path, EEXIST));
    const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    std::error_code error;
    const std::filesystem::path real = std::filesystem::canonical(parent, error);
    if (error) return tl::unexpected(cannot_create(path, error.value()));
    return (real / name).string();
}

void remove_all(const std::string& directory) {
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
}

}  // namespace

std::vector<std::string> files_in_manifest(std::string_view text) {
    const auto manifest = nlohmann::json::parse(text, nullptr, false);
    if (!manifest.is_object() || manifest.value("schema", nlohmann::json()) != kManifestSchema) return {};
    const auto files = manifest.find("files");
    if (files == manifest.end() || !files->is_array()) return {};
    std::vector<std::string> names{kManifestName};
    for (const auto& file : *files) {
        if (!file.is_object() || !file.contains("name") || !file["name"].is_string()) return {};
        const auto name = file["name"].get<std::string>();
        if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) return {};
        names.push_back(name);
    }
    return names;
}

Result<Place> Place::create(const std::string& path, bool force) {
    auto target = resolved(path);
    if (!target) return tl::unexpected(target.error());
    if (auto free = check_target(*target, force); !free) return tl::unexpected(free.error());
    std::string directory = *target + ".partial-XXXXXX";
    // A directory for its owner alone.
    if (::mkdtemp(directory.data()) == nullptr) return tl::unexpected(cannot_create(*target, errno));
    return Place(std::move(*target), std::move(directory), force);
}

Place::Place(Place&& other) noexcept
    : target_(std::move(other.target_)),
      directory_(std::exchange(other.directory_, {})),
      force_(other.force_) {}

Place::~Place() {
    if (!directory_.empty()) remove_all(directory_);
}

Result<void> Place::commit() {
    const auto failed = [&](int error) {
        return tl::unexpected(Failure{
            fmt::format("the bundle cannot be given its name '{}': {}", target_, std::strerror(error)),
            "name another directory with -o"});
    };
    // Over nothing, or over an empty directory.
    if (::rename(directory_.c_str(), target_.c_str()) == 0) {
        directory_.clear();
        return {};
    }
    if (!force_ || (errno != ENOTEMPTY && errno != EEXIST)) return failed(errno);
    if (auto free = check_target(target_, force_); !free) return free;
    if (::renameat2(AT_FDCWD, directory_.c_str(), AT_FDCWD, target_.c_str(), RENAME_EXCHANGE) != 0)
        return failed(errno);
    remove_all(std::exchange(directory_, {}));
    return {};
}

void abandon(const std::string& directory) {
    const std::string gone = directory + ".gone";
    remove_all(::rename(directory.c_str(), gone.c_str()) == 0 ? gone : directory);
}

}  // namespace waitclose::bundle
