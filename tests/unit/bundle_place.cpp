// SPDX-License-Identifier: BSD-2-Clause
#include "bundle/place.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <nlohmann/json.hpp>

#include "bundle/manifest.h"

namespace waitclose::bundle {
namespace {

namespace fs = std::filesystem;

class PlaceTest : public testing::Test {
protected:
    PlaceTest() {
        std::string name = fs::temp_directory_path() / "waitclose-place-XXXXXX";
        root_ = ::mkdtemp(name.data());
    }
    ~PlaceTest() override { fs::remove_all(root_); }

    std::string target() const { return (root_ / "bundle").string(); }
    static void write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }
    void make_bundle(const std::string& file) const {
        fs::create_directory(target());
        Manifest manifest;
        manifest.files.push_back({file, "x", 1});
        write(fs::path(target()) / kManifestName, manifest_json(manifest).dump());
        write(fs::path(target()) / file, "old");
    }
    std::size_t entries() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(root_), fs::directory_iterator()));
    }

    fs::path root_;
};

TEST_F(PlaceTest, AppearsWholeAndForItsOwnerAlone) {
    {
        auto place = Place::create(target(), false);
        ASSERT_TRUE(place) << place.error().what;
        EXPECT_FALSE(fs::exists(target()));
        write(place->file("a"), "new");
        ASSERT_TRUE(place->commit());
    }
    struct stat found {};
    ASSERT_EQ(::stat(target().c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0700U);
    EXPECT_TRUE(fs::exists(fs::path(target()) / "a"));
    EXPECT_EQ(entries(), 1U);
}

TEST_F(PlaceTest, LeavesNothingWithoutCommit) {
    {
        auto place = Place::create(target() + "/", false);
        ASSERT_TRUE(place) << place.error().what;
        write(place->file("a"), "new");
    }
    EXPECT_EQ(entries(), 0U);
}

TEST_F(PlaceTest, TakesAnEmptyDirectory) {
    fs::create_directory(target());
    auto place = Place::create(target(), false);
    ASSERT_TRUE(place) << place.error().what;
    EXPECT_TRUE(place->commit());
    EXPECT_EQ(entries(), 1U);
}

TEST_F(PlaceTest, RefusesWhatIsSomebodyElses) {
    fs::create_directory(target());
    write(fs::path(target()) / "precious", "x");
    for (const bool force : {false, true}) EXPECT_FALSE(Place::create(target(), force));
    write(fs::path(target()) / kManifestName, R"({"schema": "other/1", "files": []})");
    EXPECT_FALSE(Place::create(target(), true));
    fs::remove_all(target());
    write(target(), "a file");
    EXPECT_FALSE(Place::create(target(), true));
    fs::remove(target());
    fs::create_directory(root_ / "elsewhere");
    fs::create_directory_symlink(root_ / "elsewhere", target());
    EXPECT_FALSE(Place::create(target(), true));
    EXPECT_FALSE(Place::create((root_ / "no" / "such").string(), true));
    EXPECT_FALSE(Place::create("/", true));
    EXPECT_FALSE(Place::create((root_ / "..").string(), true));
}

TEST_F(PlaceTest, ReplacesABundleOnlyWithForce) {
    make_bundle("report.txt");
    EXPECT_FALSE(Place::create(target(), false));
    auto place = Place::create(target(), true);
    ASSERT_TRUE(place) << place.error().what;
    write(place->file("report.txt"), "new");
    EXPECT_EQ(fs::file_size(fs::path(target()) / "report.txt"), 3U);  // still the old one
    ASSERT_TRUE(place->commit());
    EXPECT_FALSE(fs::exists(fs::path(target()) / kManifestName));
    EXPECT_EQ(entries(), 1U);
}

TEST_F(PlaceTest, ABundleWithSomethingElseInItIsNotReplaced) {
    make_bundle("report.txt");
    write(fs::path(target()) / "notes.txt", "mine");
    EXPECT_FALSE(Place::create(target(), true));
}

TEST_F(PlaceTest, AnAbandonedOneIsGone) {
    auto place = Place::create(target(), false);
    ASSERT_TRUE(place);
    write(place->file("a"), "x");
    abandon(place->directory());
    EXPECT_EQ(entries(), 0U);
}

TEST(Manifest, NamesThatLeadElsewhereMakeItNone) {
    const std::string head = std::string(R"({"schema": ")") + kManifestSchema + R"(", "files": [)";
    EXPECT_EQ(files_in_manifest(head + R"({"name": "a"}]})").size(), 2U);
    for (const char* name : {"../a", "/etc/passwd", "..", ".", "", "a/b"})
        EXPECT_TRUE(files_in_manifest(head + R"({"name": ")" + name + R"("}]})").empty()) << name;
    EXPECT_TRUE(files_in_manifest(head + R"({"name": 7}]})").empty());
    EXPECT_TRUE(files_in_manifest("{").empty());
    EXPECT_TRUE(files_in_manifest("[]").empty());
    EXPECT_TRUE(files_in_manifest(R"({"schema": 5})").empty());
}

TEST(Manifest, SaysWhatWasLeftOut) {
    Manifest manifest;
    auto json = manifest_json(manifest);
    EXPECT_EQ(json["schema"], kManifestSchema);
    EXPECT_EQ(json["asked"]["hold"], nullptr);
    EXPECT_EQ(json["secrecy"]["left_out"].size(), 4U);
    EXPECT_EQ(json["secrecy"]["rule"], nullptr);
    manifest.asked.arguments = manifest.asked.redact = true;
    json = manifest_json(manifest);
    EXPECT_EQ(json["secrecy"]["left_out"].size(), 3U);
    EXPECT_TRUE(json["secrecy"]["rule"].is_string());
}

}  // namespace
}  // namespace waitclose::bundle
