// SPDX-License-Identifier: BSD-2-Clause
#include "speedscope_package.h"

#include <cstdlib>
#include <filesystem>

#include "process.h"

namespace waitclose::timeline::testing {

namespace {

using runtime::Finished;
using namespace std::chrono_literals;

/// The release whose page speedscope.mjs knows how to take apart.
constexpr const char* kRelease = "1.25.0";

bool is_package(const std::string& directory) {
    return std::filesystem::exists(directory + "/dist/release");
}

std::string last_line(std::string text) {
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text.substr(text.rfind('\n') + 1);
}

tl::expected<std::string, std::string> fetch() {
    if (runtime::run({"node", "--version"}).code != 0)
        return tl::unexpected(std::string("node is not installed"));
    if (const char* named = std::getenv("WAITCLOSE_SPEEDSCOPE")) {
        if (is_package(named)) return std::string(named);
        return tl::unexpected(std::string("WAITCLOSE_SPEEDSCOPE names no package"));
    }
    const std::string place = std::string(WAITCLOSE_TIMELINE_TESTS_BINARY) + "/speedscope-" + kRelease;
    if (is_package(place + "/package")) return place + "/package";
    std::error_code ignored;
    std::filesystem::create_directories(place, ignored);
    const std::string archive = place + "/speedscope-" + kRelease + ".tgz";
    const Finished packed = runtime::run(
        {"npm", "pack", "--silent", std::string("speedscope@") + kRelease, "--pack-destination", place}, 90s);
    if (packed.code != 0) return tl::unexpected("npm could not fetch speedscope: " + last_line(packed.err));
    const Finished unpacked = runtime::run({"tar", "-xzf", archive, "-C", place});
    if (unpacked.code != 0)
        return tl::unexpected("the package could not be unpacked: " + last_line(unpacked.err));
    return place + "/package";
}

}  // namespace

const tl::expected<std::string, std::string>& speedscope_package() {
    static const auto package = fetch();
    return package;
}

tl::expected<nlohmann::json, std::string> speedscope_reads(const std::string& package,
                                                           const std::string& file) {
    const Finished ran =
        runtime::run({"node", std::string(WAITCLOSE_TIMELINE_TESTS) + "/speedscope.mjs", package, file}, 60s);
    // What it finds odd, and puts right on its own, it says on stderr.
    if (ran.code != 0 || !ran.err.empty()) return tl::unexpected(ran.err);
    return nlohmann::json::parse(ran.out);
}

}  // namespace waitclose::timeline::testing
