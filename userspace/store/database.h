// SPDX-License-Identifier: BSD-2-Clause
// SQLite, wrapped thinly: a connection and prepared statements that end themselves.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "failure.h"

struct sqlite3;
struct sqlite3_stmt;

namespace waitclose::store {

/// A prepared statement. Parameters count from 1, columns from 0, as SQLite does.
class Statement {
public:
    Statement() = default;
    /// `first_error`: shared by all statements of a connection, which must outlive them.
    Statement(sqlite3_stmt* statement, int* first_error) : statement_(statement), first_error_(first_error) {}

    void bind(int at, std::int64_t value);
    void bind_null(int at);
    /// `value` must live until the statement is stepped. Bytes that are not UTF-8 text become a blob.
    void bind_text(int at, std::string_view value);
    /// The same for what is known to be text.
    void bind_word(int at, std::string_view value);
    void bind_blob(int at, std::span<const std::uint8_t> value);

    enum class Step : std::uint8_t { kRow, kDone, kFailed };
    Step step();
    /// Whether the latest step failed.
    bool failed() const { return failed_; }
    /// Makes ready for the next use; what is bound stays bound.
    void reset();
    /// Runs a statement that gives no rows, and makes ready for the next use. After the first error nothing
    /// is run any more: SQLite may have rolled back the transaction, and what follows would stand alone.
    void run();

    bool is_null(int at) const;
    bool is_integer(int at) const;
    std::int64_t integer(int at) const;
    /// Text or blob; valid until the next step. Nothing for numbers and NULL.
    std::optional<std::string_view> bytes(int at) const;

    explicit operator bool() const { return statement_ != nullptr; }

private:
    struct Deleter {
        void operator()(sqlite3_stmt* statement) const;
    };
    std::unique_ptr<sqlite3_stmt, Deleter> statement_;
    int* first_error_ = nullptr;
    bool failed_ = false;
};

/// A connection.
class Database {
public:
    Database() = default;

    /// `flags` and `uri` as sqlite3_open_v2() takes them. On failure `code` says how, as SQLite's result
    /// code.
    static std::optional<Database> open(const std::string& name, int flags, int& code);

    bool execute(const char* sql);
    bool execute(const std::string& sql) { return execute(sql.c_str()); }
    /// Nothing (a false statement) when it cannot be prepared.
    Statement prepare(std::string_view sql);
    /// The first column of the first row, or nothing.
    std::optional<std::int64_t> number(std::string_view sql);

    /// The first error of a statement that was run, as SQLite's result code; 0: none.
    int first_error() const { return first_error_ ? *first_error_ : 0; }
    void note_error(int code) { *first_error_ = *first_error_ ? *first_error_ : code; }
    void forget_error() { *first_error_ = 0; }
    /// The extended result code and the words of the latest error.
    int error() const;
    std::string error_text() const;
    bool is_in_transaction() const;

    /// Closing it brings no log into the file, nor removes it.
    void keep_log();

    sqlite3* handle() const { return connection_.get(); }
    explicit operator bool() const { return connection_ != nullptr; }
    void close() { connection_.reset(); }

private:
    struct Deleter {
        void operator()(sqlite3* connection) const;
    };
    std::unique_ptr<sqlite3, Deleter> connection_;
    std::unique_ptr<int> first_error_ = std::make_unique<int>(0);
};

}  // namespace waitclose::store
