// SPDX-License-Identifier: BSD-2-Clause
#include "store/database.h"

#include <sqlite3.h>

#include "output/utf8.h"

namespace waitclose::store {

void Statement::Deleter::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

void Statement::bind(int at, std::int64_t value) {
    sqlite3_bind_int64(statement_.get(), at, value);
}

void Statement::bind_null(int at) {
    sqlite3_bind_null(statement_.get(), at);
}

void Statement::bind_word(int at, std::string_view value) {
    sqlite3_bind_text(statement_.get(), at, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
}

void Statement::bind_text(int at, std::string_view value) {
    bool is_text = true;
    for (std::string_view rest = value; is_text && !rest.empty();) {
        const output::Decoded next = output::decode_utf8(rest);
        is_text = next.valid && next.point != 0;  // the command line shell ends a text at a zero
        rest.remove_prefix(next.length);
    }
    if (is_text)
        bind_word(at, value);
    else
        bind_blob(at, {reinterpret_cast<const std::uint8_t*>(value.data()), value.size()});
}

void Statement::bind_blob(int at, std::span<const std::uint8_t> value) {
    sqlite3_bind_blob(statement_.get(), at, value.data(), static_cast<int>(value.size()), SQLITE_STATIC);
}

Statement::Step Statement::step() {
    const int code = sqlite3_step(statement_.get());
    failed_ = code != SQLITE_ROW && code != SQLITE_DONE;
    return failed_ ? Step::kFailed : code == SQLITE_ROW ? Step::kRow : Step::kDone;
}

void Statement::reset() {
    sqlite3_reset(statement_.get());
}

void Statement::run() {
    if (*first_error_ != 0) return;
    if (sqlite3_step(statement_.get()) != SQLITE_DONE)
        *first_error_ = sqlite3_extended_errcode(sqlite3_db_handle(statement_.get()));
    reset();
}

bool Statement::is_null(int at) const {
    return sqlite3_column_type(statement_.get(), at) == SQLITE_NULL;
}

bool Statement::is_integer(int at) const {
    return sqlite3_column_type(statement_.get(), at) == SQLITE_INTEGER;
}

std::int64_t Statement::integer(int at) const {
    return sqlite3_column_int64(statement_.get(), at);
}

std::optional<std::string_view> Statement::bytes(int at) const {
    const int type = sqlite3_column_type(statement_.get(), at);
    if (type != SQLITE_TEXT && type != SQLITE_BLOB) return std::nullopt;
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_.get(), at));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), at));
    return data ? std::string_view(data, size) : std::string_view();
}

void Database::Deleter::operator()(sqlite3* connection) const {
    sqlite3_close_v2(connection);
}

std::optional<Database> Database::open(const std::string& name, int flags, int& code) {
    sqlite3* connection = nullptr;
    code = sqlite3_open_v2(name.c_str(), &connection, flags, nullptr);
    Database database;
    database.connection_.reset(connection);
    if (code != SQLITE_OK) return std::nullopt;
    sqlite3_extended_result_codes(connection, 1);
    return database;
}

bool Database::execute(const char* sql) {
    return sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr) == SQLITE_OK;
}

Statement Database::prepare(std::string_view sql) {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v3(handle(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                       &statement, nullptr);
    return {statement, first_error_.get()};
}

std::optional<std::int64_t> Database::number(std::string_view sql) {
    Statement statement = prepare(sql);
    if (!statement || statement.step() != Statement::Step::kRow || !statement.is_integer(0))
        return std::nullopt;
    return statement.integer(0);
}

int Database::error() const {
    return sqlite3_extended_errcode(handle());
}

std::string Database::error_text() const {
    return sqlite3_errmsg(handle());
}

void Database::keep_log() {
    sqlite3_db_config(handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

bool Database::is_in_transaction() const {
    return sqlite3_get_autocommit(handle()) == 0;
}

}  // namespace waitclose::store
