// SPDX-License-Identifier: BSD-2-Clause
// Reading a recording.
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/activity_reader.h"
#include "store/event_reader.h"
#include "store/look_reader.h"
#include "store/place.h"
#include "store/recording.h"
#include "store/schema.h"
#include "system/files.h"

namespace waitclose::store {
namespace {

Failure damaged(const std::string& path) {
    return {fmt::format("the recording '{}' is damaged: what follows cannot be read", path),
            "look at what is left with: sqlite3 FILE .recover"};
}

/// A path as part of a file: name, in which some characters mean something.
std::string uri_of(const std::string& path, const char* query) {
    std::string uri = "file:";
    for (const char c : path) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte == '%' || byte == '?' || byte == '#' || byte < 0x20)
            uri += fmt::format("%{:02x}", byte);
        else
            uri += c;
    }
    return uri + query;
}

/// How a file is read. Only a recorder that writes it meanwhile makes locks necessary, and the index of the
/// log in a file; else nothing beside the recording is created, changed or removed.
enum class Reading : std::uint8_t {
    kShared,  // with locks
    kAlone,   // the index of the log in memory, no locks
    kWhole,   // there is no log
};

std::optional<Database> open_as(Reading reading, const std::string& path, int& code) {
    constexpr int kFlags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_PRIVATECACHE;
    const char* query = reading == Reading::kShared  ? "?mode=ro"
                        : reading == Reading::kAlone ? "?mode=ro&vfs=unix-none"
                                                     : "?mode=ro&immutable=1";
    auto database = Database::open(uri_of(path, query), kFlags, code);
    if (!database) return std::nullopt;
    database->keep_log();
    if (reading == Reading::kAlone) database->execute("PRAGMA locking_mode = EXCLUSIVE");
    if (database->number("SELECT count(*) FROM sqlite_schema")) return database;
    code = database->error();
    return std::nullopt;
}

/// The name with every symbolic link resolved, as SQLite does: the log lies beside the file itself.
std::string real_path(const std::string& path) {
    const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), std::free);
    return real ? real.get() : path;
}

/// What a hostile file must not be able to do.
void defend(Database& database) {
    sqlite3* connection = database.handle();
    sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
    constexpr int kMostBytes = 1 << 20;
    sqlite3_limit(connection, SQLITE_LIMIT_LENGTH, kMostBytes);
    sqlite3_limit(connection, SQLITE_LIMIT_SQL_LENGTH, 1 << 16);
    sqlite3_limit(connection, SQLITE_LIMIT_COLUMN, 200);
    sqlite3_limit(connection, SQLITE_LIMIT_EXPR_DEPTH, 20);
    sqlite3_limit(connection, SQLITE_LIMIT_VDBE_OP, 25'000);
    sqlite3_limit(connection, SQLITE_LIMIT_ATTACHED, 0);
    database.execute("PRAGMA mmap_size = 0");
    database.execute("PRAGMA cell_size_check = ON");
}

Failure no_recording(const std::string& path) {
    return {fmt::format("'{}' is no recording of waitclose", path),
            "make one with: waitclose record -o FILE"};
}

/// Whether there is something to read, and how.
Result<Reading> check_readable(const std::string& path) {
    const system::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat found {};
    if (!file || ::fstat(file.get(), &found) != 0)
        return tl::unexpected(Failure{fmt::format("'{}' cannot be read: {}", path, std::strerror(errno)),
                                      "name a recording that this user may read"});
    if (!S_ISREG(found.st_mode))
        return tl::unexpected(Failure{fmt::format("'{}' is no file", path), "name a recording"});
    // SQLite would take it for a new database, and remove a log beside it.
    if (found.st_size == 0) return tl::unexpected(no_recording(path));
    if (is_being_written(file)) return Reading::kShared;
    const std::string log = real_path(path) + "-wal";
    if (size_of(log) == 0) return Reading::kWhole;
    if (::access(log.c_str(), R_OK) != 0)
        return tl::unexpected(
            Failure{fmt::format("'{}', the newest part of the recording, cannot be read: {}", log,
                                std::strerror(errno)),
                    "let this user read it, too: a recording that was cut off needs what lies beside it"});
    return Reading::kAlone;
}

class Recording {
public:
    static Result<Recording> open(const std::string& path);
    Result<void> play(Player& player, const PlayProgress& progress);

private:
    Result<void> check_kind();
    bool read_about(About& about);
    bool read_probes(model::ProbeFacts& probes);
    std::uint64_t count_rows();

    Failure unreadable() const;

    std::string path_;
    bool unlocked_ = false;  // it may change while it is read
    Database database_;
    Dictionary dictionary_;
};

Result<Recording> Recording::open(const std::string& path) {
    const auto reading = check_readable(path);
    if (!reading) return tl::unexpected(reading.error());
    int code = 0;
    auto database = open_as(*reading, path, code);
    const auto is_refused = [&] {
        const int primary = code & 0xff;
        return primary == SQLITE_CANTOPEN || primary == SQLITE_READONLY || primary == SQLITE_IOERR;
    };
    // Who may not write beside it cannot lock, either.
    const bool unlocked = !database && *reading == Reading::kShared && is_refused();
    if (unlocked) database = open_as(Reading::kAlone, path, code);
    if (!database) {
        const int primary = code & 0xff;
        if (primary == SQLITE_NOTADB) return tl::unexpected(no_recording(path));
        if (primary == SQLITE_CORRUPT) return tl::unexpected(damaged(path));
        return tl::unexpected(
            Failure{fmt::format("'{}' cannot be opened: {}", path, sqlite3_errstr(code)),
                    "copy it, with the files beside it, to a directory that can be written to"});
    }
    Recording recording;
    recording.path_ = path;
    recording.unlocked_ = unlocked;
    recording.database_ = std::move(*database);
    defend(recording.database_);
    // One view of it, however much is added meanwhile.
    recording.database_.execute("BEGIN");
    if (auto good = recording.check_kind(); !good) return tl::unexpected(good.error());
    return recording;
}

Failure Recording::unreadable() const {
    if (!unlocked_) return damaged(path_);
    return {fmt::format("'{}' is being written, and has changed while it was read", path_),
            "try again, or read it as a user who may write beside it, or when it has ended"};
}

Result<void> Recording::check_kind() {
    if (database_.number("PRAGMA application_id") != kApplicationId)
        return tl::unexpected(no_recording(path_));
    // A table that runs code of its own is not ours.
    if (database_.number("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND rootpage = 0") != 0)
        return tl::unexpected(no_recording(path_));
    const auto version = database_.number("PRAGMA user_version");
    if (!version) return tl::unexpected(unreadable());
    if (*version < 1)
        return tl::unexpected(Failure{
            fmt::format("'{}' is marked as a recording of waitclose, but of no schema (user_version is {}): "
                        "something else has made or changed it",
                        path_, *version),
            "read the recording as waitclose wrote it, or make one with: waitclose record -o FILE"});
    if (*version > kSchemaVersion)
        return tl::unexpected(
            Failure{fmt::format("'{}' was made by a newer waitclose (schema {}; this one reads up to {})",
                                path_, *version, kSchemaVersion),
                    "read it with the waitclose that made it, or a later one"});
    return {};
}

bool Recording::read_probes(model::ProbeFacts& probes) {
    Statement rows = database_.prepare("SELECT need, hook FROM probes ORDER BY rowid LIMIT 1000");
    if (!rows) return false;
    while (rows.step() == Statement::Step::kRow) {
        std::string need;
        std::string hook;
        if (!dictionary_.text(rows.integer(0), need)) return false;
        if (rows.is_null(1)) {
            probes.missing.push_back(need);
            continue;
        }
        if (!dictionary_.text(rows.integer(1), hook)) return false;
        probes.hooks.emplace_back(need, hook);
    }
    return !rows.failed();
}

bool Recording::read_about(About& about) {
    Statement row = database_.prepare(
        "SELECT program, begun_ns, wall_offset_ns, end_ns, ending, all_transitions, min_held_ns, selects, "
        "hostname, kernel, boot_id, arguments, failure, dropped_holds FROM recording");
    if (!row || row.step() != Statement::Step::kRow) return false;
    const auto ending = value_of<Ending>(row.bytes(4).value_or(""));
    if (!ending) return false;
    about.ending = *ending;
    if (row.is_null(0)) return true;  // cut off before it began
    about.program = std::string(row.bytes(0).value_or(""));
    about.begun_ns = static_cast<std::uint64_t>(row.integer(1));
    about.wall_offset_ns = row.integer(2);
    if (row.is_integer(3)) about.end_ns = static_cast<std::uint64_t>(row.integer(3));
    about.dropped_holds = static_cast<std::uint64_t>(row.integer(13));
    about.all_transitions = row.integer(5) != 0;
    about.min_held_ns = static_cast<std::uint64_t>(row.integer(6));
    about.selects = row.integer(7) != 0;
    return dictionary_.text(row.integer(8), about.hostname) &&
           dictionary_.text(row.integer(9), about.kernel) &&
           dictionary_.text(row.integer(10), about.boot_id) &&
           dictionary_.text(row.integer(11), about.arguments) &&
           (row.is_null(12) || dictionary_.text(row.integer(12), about.failure)) && read_probes(about.probes);
}

/// An estimate for progress: rows are numbered, and none is ever removed.
std::uint64_t Recording::count_rows() {
    std::uint64_t total = 0;
    const auto add = [&](const char* table) {
        const auto last = database_.number(fmt::format("SELECT max(rowid) FROM {}", table));
        if (last && *last > 0) total += static_cast<std::uint64_t>(*last);
    };
    for_each_table([&](const auto& table) { add(table.name); });
    for (const char* table : {"holds", "holds", "transitions", "losses"}) add(table);
    return total;
}

Result<void> Recording::play(Player& player, const PlayProgress& progress) {
    About about;
    EventReader events;
    LookReader looks;
    ActivityReader activities;
    if (!dictionary_.prepare(database_) || !read_about(about)) return tl::unexpected(unreadable());
    player.about(about);
    if (!events.prepare(database_, dictionary_) || !looks.prepare(database_, dictionary_) ||
        !activities.prepare(database_, dictionary_))
        return tl::unexpected(unreadable());
    const std::uint64_t total = progress ? count_rows() : 0;
    const auto tell_progress = [&] {
        if (progress) progress(std::min(events.rows() + looks.rows() + activities.rows(), total), total);
    };
    std::int64_t last_look = 0;
    while (const auto next = looks.next()) {
        if (!events.tell_through(2 * next->id - 2, player)) return tl::unexpected(unreadable());
        player.look_begins(next->begun_ns);
        if (!events.tell_through(2 * next->id - 1, player)) return tl::unexpected(unreadable());
        auto census = looks.read();
        if (!census) return tl::unexpected(unreadable());
        last_look = next->id;
        if (!looks.unwanted().empty()) player.unwanted(looks.unwanted());
        player.look(*census);
        tell_progress();
    }
    if (looks.damaged() || !events.tell_through(std::numeric_limits<std::int64_t>::max(), player))
        return tl::unexpected(unreadable());
    std::optional<model::Activity> activity;
    if (!activities.read(last_look, activity)) return tl::unexpected(unreadable());
    if (activity) player.activity(*activity);
    tell_progress();
    return {};
}

}  // namespace

Result<void> play(const std::string& path, Player& player, const PlayProgress& progress) {
    auto recording = Recording::open(path);
    if (!recording) return tl::unexpected(recording.error());
    return recording->play(player, progress);
}

}  // namespace waitclose::store
