// SPDX-License-Identifier: BSD-2-Clause
// Files that are no recording, or no longer one: each is one sentence, and never a crash.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "fuzz/recording.h"
#include "store/place.h"
#include "store/schema.h"
#include "store_fixture.h"

namespace waitclose::store {
namespace {

std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream bytes;
    bytes << file.rdbuf();
    return bytes.str();
}

void write(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

void change(const std::string& path, const std::string& sql) {
    sqlite3* connection = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &connection), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(connection, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(connection);
    sqlite3_close(connection);
}

std::unique_ptr<Writer> begin_recording(const std::string& path, int looks = 3) {
    auto writer = Writer::create({.path = path, .selection = {}}).value();
    About about;
    about.program = "waitclose test";
    writer->about(about);
    for (int i = 0; i < looks; ++i) {
        Filling filling;
        filling.present = i % 2 == 0;
        filling.last = static_cast<std::uint64_t>(i) * 100'000;
        model::Census census = full_census(filling);
        census.taken_ns = 1'000'000'000 * static_cast<std::uint64_t>(i + 1);
        for (std::uint64_t j = 1; j <= 50; ++j) {
            const model::Connection connection{
                {1, j}, model::Family::kIpv4, {{127, 0, 0, 1}, 80}, {{10, 2}, 5}};
            writer->on(model::Entered{j, connection});
            if (j % 2)
                writer->on(model::Left{j + 9, connection.key, model::End::kProgram, 0, model::Actor{}});
            writer->on(model::Transition{j, model::TcpState::kListen, model::TcpState::kClosing, connection});
        }
        writer->look_begins(census.taken_ns - 5);
        writer->look(census);
        writer->keep_up(census.taken_ns);
    }
    return writer;
}

void make_recording(const std::string& path) {
    ASSERT_TRUE(begin_recording(path)->finish(Ending::kAsked, 10'000'000'000));
}

/// What is said of a file that cannot be played.
std::string refusal(const std::string& path) {
    Listener listener;
    const auto played = play(path, listener);
    EXPECT_FALSE(played) << path;
    if (played) return "it was played";
    EXPECT_FALSE(played.error().remedy.empty());
    return played.error().what;
}

TEST(StoreHostile, WhatIsNoRecordingIsSaidToBeNone) {
    Directory directory;
    const std::string path = directory.file("a.db");
    EXPECT_NE(refusal(path).find("cannot be read"), std::string::npos);
    write(path, "");
    EXPECT_NE(refusal(path).find("is no recording"), std::string::npos);
    write(path, "hello");
    EXPECT_NE(refusal(path).find("is no recording"), std::string::npos);
    write(path, std::string(10'000, 'x'));
    EXPECT_NE(refusal(path).find("is no recording"), std::string::npos);
    std::filesystem::remove(path);
    change(path, "CREATE TABLE recording (x)");
    EXPECT_NE(refusal(path).find("is no recording"), std::string::npos);
    EXPECT_NE(refusal("/dev/null").find("is no file"), std::string::npos);
    EXPECT_NE(refusal("/").find("is no file"), std::string::npos);
}

TEST(StoreHostile, ANewerOneIsSaidToBeNewer) {
    Directory directory;
    const std::string path = directory.file("a.db");
    make_recording(path);
    change(path, "PRAGMA user_version = 7");
    EXPECT_NE(refusal(path).find("made by a newer waitclose (schema 7; this one reads up to 1)"),
              std::string::npos);
}

TEST(StoreHostile, OneOfNoSchemaIsNotCalledDamaged) {
    Directory directory;
    const std::string path = directory.file("a.db");
    make_recording(path);
    change(path, "PRAGMA user_version = 0");
    EXPECT_NE(refusal(path).find("of no schema (user_version is 0)"), std::string::npos);
}

TEST(StoreHostile, WhatPointsNowhereIsDamage) {
    for (const char* sql : {
             "DELETE FROM texts WHERE id > 3",
             "DELETE FROM processes WHERE place IS NOT NULL",
             "DELETE FROM listeners",
             "DELETE FROM addresses",
             "UPDATE sockets SET listener = 4711 WHERE listener IS NOT NULL",
             "UPDATE holders SET owner = 4711",
             "UPDATE holders SET process = NULL",
             "UPDATE sleeps SET owner = -1",
             "UPDATE sleeps SET owner = 9999999999",
             "UPDATE queue_states SET state = 16",
             "UPDATE queue_states SET state = -1",
             "UPDATE sockets SET family = 'ipv7'",
             "UPDATE sockets SET family = NULL",
             "UPDATE sockets SET local_port = 70000",
             "UPDATE sockets SET cookie = 'x'",
             "UPDATE sockets SET cookie = 1.5",
             "UPDATE sockets SET look = look - 1",
             "UPDATE looks SET id = -id",
             "UPDATE looks SET begun_ns = -1",
             "UPDATE looks SET taken_ns = -1",
             "UPDATE looks SET traced = 2",
             "UPDATE holds SET closer = 4711 WHERE closer IS NOT NULL",
             "UPDATE holds SET ended_by = 'x' WHERE ended_by IS NOT NULL",
             "UPDATE holds SET entered_in = -1",
             "UPDATE holds SET left_in = 1 << 40 WHERE left_in IS NOT NULL",
             "UPDATE holds SET since_ns = 'x'",
             "UPDATE stacks SET frames = 1 << 40",
             "UPDATE texts SET text = NULL",
             "UPDATE texts SET text = zeroblob(2000000) WHERE id = 5",
             "UPDATE recording SET ending = 'x'",
             "DELETE FROM recording",
             "DROP TABLE threads",
             "DROP TABLE holds",
             "DROP TABLE texts",
             "DROP VIEW thread_list; ALTER TABLE threads DROP COLUMN syscall",
         }) {
        SCOPED_TRACE(sql);
        Directory directory;
        const std::string path = directory.file("a.db");
        make_recording(path);
        change(path, fmt::format("{}", sql));
        EXPECT_NE(refusal(path).find("is damaged"), std::string::npos);
    }
}

TEST(StoreHostile, TablesThatRunCodeAreNotOurs) {
    Directory directory;
    const std::string path = directory.file("a.db");
    make_recording(path);
    change(path, "DROP TABLE losses; CREATE VIRTUAL TABLE losses USING rtree (id, a, b)");
    EXPECT_NE(refusal(path).find("is no recording"), std::string::npos);
    std::filesystem::remove(path);
    make_recording(path);
    change(path, "ALTER TABLE losses RENAME TO x; CREATE VIEW losses AS SELECT * FROM x");
    EXPECT_NE(refusal(path).find("is damaged"), std::string::npos);
}

/// Flips bytes, overwrites and cuts, at many places: whatever comes of it, the reader ends.
void damage_at_random(const std::string& whole, unsigned seed, int times) {
    std::mt19937 random(seed);
    const auto below = [&](std::size_t most) {
        return std::uniform_int_distribution<std::size_t>(0, most - 1)(random);
    };
    for (int i = 0; i < times; ++i) {
        std::string bytes = whole;
        if (i % 4 == 0) bytes.resize(below(bytes.size()));
        for (std::size_t flips = below(8); flips > 0 && !bytes.empty(); --flips)
            bytes[below(bytes.size())] = static_cast<char>(below(256));
        if (i % 3 == 0 && bytes.size() > 8192) {
            const std::size_t page = below(bytes.size() / 4096) * 4096;
            for (std::size_t at = page; at < page + 16; ++at) bytes[at] = static_cast<char>(below(256));
        }
        LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    }
}

int times(int usual) {
    const char* asked = std::getenv("WAITCLOSE_FUZZ_TIMES");
    return asked ? std::atoi(asked) : usual;
}

TEST(StoreHostile, ADamagedFileNeverCrashesTheReader) {
    Directory directory;
    make_recording(directory.file("a.db"));
    damage_at_random(bytes_of(directory.file("a.db")), 1, times(300));
}

TEST(StoreHostile, ADamagedLogNeverCrashesTheReader) {
    Directory directory;
    const auto writer = begin_recording(directory.file("a.db"));
    const std::string log = bytes_of(directory.file("a.db-wal"));
    ASSERT_GT(log.size(), 10'000U);
    damage_at_random(bytes_of(directory.file("a.db")) + std::string(fuzz::kLogFollows) + log, 2, times(300));
}

TEST(StoreHostile, NothingIsWrittenOverThatIsNoRecording) {
    Directory directory;
    const std::string path = directory.file("a.db");
    const auto refused = [&](bool force) {
        const auto writer = Writer::create({.path = path, .force = force, .selection = {}});
        return writer ? std::string("it was created") : writer.error().what;
    };
    write(path, "precious");
    EXPECT_NE(refused(true).find("is no recording"), std::string::npos);
    EXPECT_EQ(bytes_of(path), "precious");
    std::filesystem::remove(path);
    change(path, "CREATE TABLE precious (x)");
    EXPECT_NE(refused(true).find("is no recording"), std::string::npos);
    std::filesystem::remove(path);
    std::filesystem::create_symlink(directory.file("elsewhere"), path);
    EXPECT_NE(refused(true).find("is a symbolic link to '" + directory.file("elsewhere")), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(directory.file("elsewhere")));
    std::filesystem::remove(path);
    make_recording(path);
    EXPECT_NE(refused(false).find("there is a recording"), std::string::npos);
    EXPECT_EQ(refused(true), "it was created");
    EXPECT_NE(refused(false).find("there is a recording"), std::string::npos);
}

TEST(StoreHostile, WhatIsNoPlaceForARecordingIsSaid) {
    const auto refusal_of = [](const std::string& path) {
        const auto writer = Writer::create({.path = path, .force = true, .selection = {}});
        return writer ? std::string("it was created") : writer.error().what;
    };
    Directory directory;
    std::filesystem::create_directory(directory.file("d"));
    EXPECT_NE(refusal_of(directory.file("d")).find("is a directory"), std::string::npos);
    EXPECT_NE(refusal_of(directory.file("d/")).find("Is a directory"), std::string::npos);
    EXPECT_NE(refusal_of("/dev/null").find("is no regular file"), std::string::npos);
    EXPECT_NE(refusal_of("").find("name of the recording is empty"), std::string::npos);
}

TEST(StoreHostile, WhatIsBeingWrittenIsNotReplaced) {
    Directory directory;
    const std::string path = directory.file("a.db");
    auto writer = begin_recording(path);
    for (const bool force : {false, true}) {
        const auto second = Writer::create({.path = path, .force = force, .selection = {}});
        ASSERT_FALSE(second);
        EXPECT_NE(second.error().what.find("another recorder is writing"), std::string::npos)
            << second.error().what;
    }
    EXPECT_TRUE(writer->keep_up(10'000'000'000));
    EXPECT_TRUE(writer->finish(Ending::kAsked, 11'000'000'000));
    writer.reset();
    EXPECT_TRUE(Writer::create({.path = path, .force = true, .selection = {}}));
}

TEST(StoreHostile, ARecorderWhoseFileIsTakenAwayNoticesAndTouchesNoOther) {
    Directory directory;
    const std::string path = directory.file("a.db");
    auto writer = begin_recording(path);
    std::filesystem::remove(path);
    const auto second = begin_recording(path);
    EXPECT_FALSE(writer->keep_up(10'000'000'000));
    const auto finished = writer->finish(writer->ending(), 11'000'000'000);
    ASSERT_FALSE(finished);
    EXPECT_NE(finished.error().what.find("was removed or replaced while it was written"), std::string::npos);
    writer.reset();
    EXPECT_TRUE(std::filesystem::exists(path + "-wal"));
    EXPECT_TRUE(second->keep_up(12'000'000'000));
    EXPECT_TRUE(second->finish(Ending::kAsked, 13'000'000'000));
    EXPECT_GT(played(path).size(), 100U);
}

// Every look commits what it wrote.
TEST(StoreHostile, ARecorderThatLooksAllTheTimeNoticesToo) {
    Directory directory;
    const std::string path = directory.file("a.db");
    auto writer = begin_recording(path);
    std::filesystem::remove(path);
    bool goes_on = true;
    int looks = 0;
    for (std::uint64_t now = 10'000'000'000; goes_on && looks < 10; now += 100'000'000, ++looks) {
        model::Census census;
        census.taken_ns = now;
        writer->look_begins(now);
        writer->look(census);
        goes_on = writer->keep_up(now);
    }
    EXPECT_FALSE(goes_on);
}

TEST(StoreHostile, ARecordingThatIsMovedIsCompleteThere) {
    Directory directory;
    const std::string path = directory.file("a.db");
    auto writer = begin_recording(path);
    std::filesystem::rename(path, directory.file("b.db"));
    EXPECT_FALSE(writer->keep_up(10'000'000'000));
    const auto finished = writer->finish(writer->ending(), 11'000'000'000);
    ASSERT_FALSE(finished);
    EXPECT_NE(finished.error().what.find("was moved while it was written"), std::string::npos);
    writer.reset();
    EXPECT_GT(played(directory.file("b.db")).size(), 100U);
}

/// What is in a directory, by name.
std::map<std::string, std::string> contents_of(const std::string& directory) {
    std::map<std::string, std::string> contents;
    for (const auto& entry : std::filesystem::directory_iterator(directory))
        contents[entry.path().filename()] = bytes_of(entry.path());
    return contents;
}

TEST(StoreHostile, ReadingChangesNothingOfWhatWasCutOff) {
    Directory directory;
    const auto writer = begin_recording(directory.file("a.db"));
    // As if it had been killed: the same bytes, and nobody who writes them.
    for (const bool with_index : {false, true}) {
        Directory copied;
        for (const char* suffix : {"", "-wal", "-shm"})
            if (with_index || suffix != std::string("-shm"))
                write(copied.file("a.db") + suffix, bytes_of(directory.file("a.db") + suffix));
        const auto before = contents_of(copied.file(""));
        EXPECT_GT(played(copied.file("a.db")).size(), 100U);
        std::filesystem::create_symlink(copied.file("a.db"), directory.file("link"));
        EXPECT_GT(played(directory.file("link")).size(), 100U);
        std::filesystem::remove(directory.file("link"));
        EXPECT_EQ(contents_of(copied.file("")), before);
    }
    Directory alone;
    write(alone.file("a.db"), bytes_of(directory.file("a.db")));
    Listener listener;
    static_cast<void>(play(alone.file("a.db"), listener));
    EXPECT_EQ(contents_of(alone.file("")).size(), 1U);
    // An empty file beside a log: SQLite would remove that.
    write(alone.file("a.db"), "");
    write(alone.file("a.db-wal"), bytes_of(directory.file("a.db-wal")));
    EXPECT_NE(refusal(alone.file("a.db")).find("is no recording"), std::string::npos);
    EXPECT_EQ(contents_of(alone.file("")).size(), 2U);
}

TEST(StoreHostile, AFileSaysWhatItIsFromTheBeginning) {
    Directory directory;
    const auto writer = Writer::create({.path = directory.file("a.db"), .selection = {}});
    ASSERT_TRUE(writer);
    EXPECT_TRUE(is_recording(directory.file("a.db")));
    std::filesystem::create_symlink(directory.file("a.db"), directory.file("link"));
    EXPECT_TRUE(is_recording(directory.file("link")));
    EXPECT_FALSE(is_recording(directory.file("a.db-wal")));
    EXPECT_FALSE(is_recording(directory.file("missing")));
}

TEST(StoreHostile, TheFileIsForItsOwnerAlone) {
    Directory directory;
    const auto writer = begin_recording(directory.file("a.db"));
    for (const char* name : {"a.db", "a.db-wal", "a.db-shm"}) {
        struct stat found {};
        ASSERT_EQ(::stat(directory.file(name).c_str(), &found), 0) << name;
        EXPECT_EQ(found.st_mode & 0777U, 0600U) << name;
    }
}

}  // namespace
}  // namespace waitclose::store
