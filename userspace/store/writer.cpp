// SPDX-License-Identifier: BSD-2-Clause
#include "store/writer.h"

#include <type_traits>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <sqlite3.h>

#include "store/place.h"
#include "store/schema.h"
#include "version.h"

namespace waitclose::store {
namespace {

constexpr std::uint64_t kKeepUpEveryNs = 400'000'000;
constexpr std::uint64_t kPageBytes = 4096;
constexpr std::uint64_t kLeastPages = 64;
constexpr std::uint64_t kUsualLogBytes = 4 << 20;
/// For what else the recording ends with.
constexpr std::uint64_t kRoomBesideActivity = 32 * kPageBytes;

std::int64_t signed_of(std::uint64_t value) {
    return static_cast<std::int64_t>(value);
}

}  // namespace

Result<std::unique_ptr<Writer>> Writer::create(WriterSettings settings) {
    auto path = resolved(settings.path);
    if (!path) return tl::unexpected(path.error());
    settings.path = *path;
    auto place = create_place(settings.path, settings.force);
    if (!place) return tl::unexpected(place.error());
    std::unique_ptr<Writer> writer(new Writer(std::move(settings), std::move(*place)));
    if (auto opened = writer->open(); !opened) {
        writer->discard();
        return tl::unexpected(opened.error());
    }
    return writer;
}

Writer::~Writer() = default;

Result<void> Writer::open() {
    int code = 0;
    auto database = Database::open(settings_.path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, code);
    const auto fail = [&](const std::string& why) {
        return tl::unexpected(
            Failure{fmt::format("the recording '{}' cannot be created: {}", settings_.path, why),
                    "name a file on a local file system with some space, with -o"});
    };
    if (!database) return fail(sqlite3_errstr(code));
    database_ = std::move(*database);
    const bool set =
        database_.execute(fmt::format("PRAGMA page_size = {}", kPageBytes)) &&
        database_.execute("PRAGMA journal_mode = WAL") &&
        database_.execute(
            "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -8192; PRAGMA wal_autocheckpoint = 0") &&
        // Once a reader that was in the way has gone, the log shrinks again.
        database_.execute(fmt::format("PRAGMA journal_size_limit = {}", kUsualLogBytes));
    // Created whole or not at all. Then the file tells of itself what it is, without its log.
    if (!set || !database_.execute("BEGIN;\n" + schema_sql() +
                                   "INSERT INTO recording (ending) VALUES ('not');\nCOMMIT;\n"
                                   "PRAGMA wal_checkpoint(TRUNCATE)"))
        return fail(database_.error_text());
    if (!prepare()) return fail(database_.error_text());
    const std::uint64_t pages = std::max(settings_.max_bytes / kPageBytes, kLeastPages);
    database_.execute(fmt::format("PRAGMA max_page_count = {}", pages));
    room_ = room_beside(settings_.path, 16 * kPageBytes);
    return {};
}

bool Writer::prepare() {
    begin_ = database_.prepare("BEGIN");
    commit_ = database_.prepare("COMMIT");
    update_recording_ = database_.prepare("UPDATE recording SET end_ns = ?, dropped_holds = ?");
    insert_transition_ =
        database_.prepare("INSERT INTO transitions VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    insert_losses_ = database_.prepare("INSERT INTO losses VALUES (NULL, ?, ?, ?, ?, ?)");
    insert_diagnosis_ = database_.prepare("INSERT INTO diagnoses VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    insert_because_ = database_.prepare("INSERT INTO because VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    insert_contributing_ = database_.prepare("INSERT INTO contributing VALUES (?, ?, ?)");
    insert_evidence_ = database_.prepare("INSERT INTO evidence VALUES (?, ?, ?, ?, ?, ?, ?)");
    insert_hold_diagnosis_ = database_.prepare("INSERT OR REPLACE INTO hold_diagnoses VALUES (?, ?, ?)");
    const model::Selection& selection = settings_.selection;
    return begin_ && commit_ && update_recording_ && insert_transition_ && insert_losses_ &&
           insert_diagnosis_ && insert_because_ && insert_contributing_ && insert_evidence_ &&
           insert_hold_diagnosis_ && interner_.prepare(database_) && looks_.prepare(database_) &&
           activity_.prepare(database_) &&
           holds_.prepare(database_, {selection.min_held_ns, selection.by_holder()});
}

/// Opens a transaction if none is open. False when nothing can be written any more.
bool Writer::begin() {
    if (ending_ != Ending::kNot || database_.first_error() != 0) return false;
    if (!database_.is_in_transaction()) begin_.run();
    return database_.first_error() == 0;
}

void Writer::about(const About& about) {
    if (!begin()) return;
    Statement update = database_.prepare(
        "UPDATE recording SET program = ?, hostname = ?, kernel = ?, boot_id = ?, arguments = ?, begun_ns = "
        "?, "
        "wall_offset_ns = ?, end_ns = ?, all_transitions = ?, min_held_ns = ?, selects = ?, dropped_holds = "
        "0");
    update.bind_text(1, about.program);
    update.bind(2, interner_.text(about.hostname));
    update.bind(3, interner_.text(about.kernel));
    update.bind(4, interner_.text(about.boot_id));
    update.bind(5, interner_.text(about.arguments));
    update.bind(6, signed_of(about.begun_ns));
    update.bind(7, about.wall_offset_ns);
    update.bind(8, signed_of(about.begun_ns));
    update.bind(9, about.all_transitions);
    update.bind(10, signed_of(about.min_held_ns));
    update.bind(11, about.selects);
    update.run();
    Statement probe = database_.prepare("INSERT INTO probes VALUES (?, ?)");
    for (const auto& [need, hook] : about.probes.hooks) {
        probe.bind(1, interner_.text(need));
        probe.bind(2, interner_.text(hook));
        probe.run();
    }
    for (const std::string& need : about.probes.missing) {
        probe.bind(1, interner_.text(need));
        probe.bind_null(2);
        probe.run();
    }
    commit(about.begun_ns);
    checkpointer_.emplace(settings_.path);
}

void Writer::on(const model::Entered& event) {
    if (begin()) holds_.apply(event, step_);
}

void Writer::on(const model::Left& event) {
    if (begin()) holds_.apply(event, step_, interner_);
}

void Writer::on(const model::Transition& event) {
    if (!begin()) return;
    const model::Connection& connection = event.connection;
    insert_transition_.bind(1, signed_of(event.at_ns));
    insert_transition_.bind_word(2, word_of(event.from));
    insert_transition_.bind_word(3, word_of(event.to));
    insert_transition_.bind(4, connection.key.netns);
    insert_transition_.bind(5, signed_of(connection.key.cookie));
    insert_transition_.bind_word(6, word_of(connection.family));
    insert_transition_.bind(7, interner_.address(connection.family, connection.local));
    insert_transition_.bind(8, connection.local.port);
    insert_transition_.bind(9, interner_.address(connection.family, connection.remote));
    insert_transition_.bind(10, connection.remote.port);
    insert_transition_.bind(11, step_);
    insert_transition_.run();
}

void Writer::look_begins(std::uint64_t at_ns) {
    ++look_;
    step_ = 2 * look_ - 1;
    look_begun_ns_ = at_ns;
    holds_.look_begins();
}

void Writer::look(model::Census& census) {
    if (look_ == 0 || step_ != 2 * look_ - 1) return;  // it never began
    commit(census.taken_ns);  // what has happened is safe before the long work begins
    if (begin()) {
        std::vector<SocketPlace> places;
        places.reserve(census.sockets.size());
        model::Selection selection = settings_.selection;
        selection.min_held_ns = 0;
        for (const model::Socket& socket : census.sockets)
            places.push_back({holds_.seen(socket, interner_), model::is_wanted(census, socket, selection)});
        looks_.write(look_, look_begun_ns_, census, places, interner_);
    }
    holds_.look_ends();
    step_ = 2 * look_;
}

void Writer::losses(std::uint64_t at_ns, const model::Losses& so_far) {
    const auto same = [&](const model::Losses& before) {
        return before.ring == so_far.ring && before.storage == so_far.storage &&
               before.reconciled == so_far.reconciled;
    };
    if (losses_ ? same(*losses_) : !so_far.any()) return;
    if (!begin()) return;
    losses_ = so_far;
    insert_losses_.bind(1, signed_of(at_ns));
    insert_losses_.bind(2, signed_of(so_far.ring));
    insert_losses_.bind(3, signed_of(so_far.storage));
    insert_losses_.bind(4, signed_of(so_far.reconciled));
    insert_losses_.bind(5, step_);
    insert_losses_.run();
}

void Writer::missed(const model::Closed& closed) {
    if (begin()) holds_.missed(closed.hold.connection.key, closed.hold.since_ns + closed.held_ns);
}

void Writer::diagnosed(const model::SocketKey& key, std::uint64_t verdict,
                       const std::function<diagnose::Diagnosis()>& diagnosis) {
    if (!begin()) return;
    const auto hold = holds_.judged(key, verdict);
    if (!hold) return;
    const auto [place, is_new] = diagnoses_.try_emplace(verdict, last_diagnosis_ + 1);
    if (is_new) write_diagnosis(++last_diagnosis_, *hold, diagnosis());
    insert_hold_diagnosis_.bind(1, *hold);
    insert_hold_diagnosis_.bind(2, look_);
    insert_hold_diagnosis_.bind(3, place->second);
    insert_hold_diagnosis_.run();
}

void Writer::activity(model::Activity& activity) {
    commit(activity.to_ns);
    if (!begin()) return;
    const std::uint64_t used = bytes() + kRoomBesideActivity;
    const std::uint64_t room = settings_.max_bytes - std::min(used, settings_.max_bytes);
    activity_.write(look_, activity, named_, room, interner_);
    commit(activity.to_ns);
    check_errors();
}

void Writer::commit(std::uint64_t now_ns) {
    if (!database_.is_in_transaction() || database_.first_error() != 0) return;
    update_recording_.bind(1, signed_of(now_ns));
    update_recording_.bind(2, signed_of(holds_.dropped()));
    update_recording_.run();
    commit_.run();
}

std::uint64_t Writer::bytes() const {
    return size_of(settings_.path) + size_of(settings_.path + "-wal");
}

void Writer::stop(Ending ending, Failure failure) {
    if (ending_ != Ending::kNot) return;
    ending_ = ending;
    failure_ = std::move(failure);
}

/// The write-ahead log counts, too, until it has been brought into the file.
void Writer::check_size() {
    if (bytes() < settings_.max_bytes) return;
    database_.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    if (bytes() + 8 * kPageBytes >= settings_.max_bytes) stop(Ending::kSize, {});
}

/// Without its name the file cannot be found, and beside that name another recorder may have put its own.
void Writer::check_whereabouts() {
    if (ending_ != Ending::kNot) return;
    const Whereabouts found = whereabouts(place_, settings_.path);
    if (found == Whereabouts::kInPlace) return;
    const bool moved = found == Whereabouts::kMoved;
    stop(Ending::kFailed,
         {fmt::format("'{}' was {} while it was written: the recording ends here", settings_.path,
                      moved ? "moved" : "removed or replaced"),
          moved ? "what was recorded until then is in the file that was moved"
                : "what was recorded is lost; record again, to a file that nothing else touches"});
}

void Writer::check_errors() {
    const int code = database_.first_error();
    if (code == 0 || ending_ != Ending::kNot) return;
    constexpr std::uint64_t kSomeBytes = 4 * kPageBytes;
    const bool is_full = (code & 0xff) == SQLITE_FULL;
    if (is_full && free_bytes(settings_.path) >= kSomeBytes) return stop(Ending::kSize, {});
    stop(Ending::kFailed,
         {is_full ? fmt::format("the disk of '{}' is full: the recording ends here", settings_.path)
                  : fmt::format("'{}' cannot be written any more: {}", settings_.path, sqlite3_errstr(code)),
          is_full ? "what was recorded is there; free some space, or record to another disk"
                  : "what was recorded until then can be read; record to another disk"});
}

bool Writer::keep_up(std::uint64_t now_ns) {
    if (begin()) holds_.write_due(now_ns, interner_);
    // Looks commit, too, and there may be many: that must not put off the rest.
    if (now_ns - kept_up_ns_ >= kKeepUpEveryNs) {
        kept_up_ns_ = now_ns;
        commit(now_ns);
        check_whereabouts();
        if (database_.first_error() == 0) check_size();
    }
    check_errors();
    return ending_ == Ending::kNot;
}

Result<void> Writer::finish(Ending ending, std::uint64_t now_ns) {
    commit(now_ns);
    check_whereabouts();
    check_errors();
    if (ending_ == Ending::kNot) stop(ending, {});
    checkpointer_.reset();
    if (database_.is_in_transaction()) database_.execute("ROLLBACK");
    database_.forget_error();
    // The last words need little room, but they need it.
    room_ = {};
    database_.execute("PRAGMA max_page_count = 1073741823");
    begin_.run();
    Statement update = database_.prepare("UPDATE recording SET ending = ?, failure = ?");
    update.bind_word(1, word_of(ending_));
    if (failure_.what.empty())
        update.bind_null(2);
    else
        update.bind(2, interner_.text(failure_.what));
    update.run();
    commit_.run();
    if (database_.is_in_transaction()) database_.execute("ROLLBACK");
    // One file remains, unless somebody reads it now, or it has no room for the rest of the log.
    database_.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    // What has the log's name is another's, if the file is no longer where it was.
    if (whereabouts(place_, settings_.path) == Whereabouts::kInPlace)
        database_.execute("PRAGMA journal_mode = DELETE");
    else
        database_.keep_log();
    const int code = database_.first_error();
    database_.close();
    if (ending_ == Ending::kFailed) return tl::unexpected(failure_);
    if (code != 0)
        return tl::unexpected(
            Failure{fmt::format("'{}' could not be completed: {}", settings_.path, sqlite3_errstr(code)),
                    "what was recorded until then can be read"});
    return {};
}

void Writer::discard() {
    checkpointer_.reset();
    database_.close();
    if (whereabouts(place_, settings_.path) == Whereabouts::kInPlace) remove_place(settings_.path);
}

}  // namespace waitclose::store
