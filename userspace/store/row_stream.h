// SPDX-License-Identifier: BSD-2-Clause
// The rows of a table in the order in which they were written, look by look. The file is hostile.
#pragma once

#include <cstdint>
#include <tuple>

#include "store/row_reader.h"
#include "store/tables.h"

namespace waitclose::store {

/// One pass over a table whose rows have a look.
class RowStream {
public:
    bool prepare(Database& database, const std::string& select) {
        statement_ = database.prepare(select);
        if (statement_) advance();
        return static_cast<bool>(statement_);
    }
    /// Whether the row is of this look. A row of an earlier one, which nobody has read, is damage.
    bool is_at(std::int64_t look) {
        if (!has_row_ || damaged_) return false;
        damaged_ = !statement_.is_integer(0) || statement_.integer(0) < look;
        return !damaged_ && statement_.integer(0) == look;
    }
    void advance() {
        has_row_ = statement_.step() == Statement::Step::kRow;
        // The end of a table cannot be told from a page that cannot be read by has_row_ alone.
        damaged_ = damaged_ || (!has_row_ && statement_.failed());
        rows_ += has_row_;
    }
    const Statement& row() const { return statement_; }
    bool damaged() const { return damaged_; }
    void damage() { damaged_ = true; }
    std::uint64_t rows() const { return rows_; }

private:
    Statement statement_;
    bool has_row_ = false;
    bool damaged_ = false;
    std::uint64_t rows_ = 0;
};

/// Of what lasts.
template <typename... Parts>
class VersionStream {
public:
    template <typename... All>
    bool prepare(Database& database, const Table<All...>& table) {
        return stream_.prepare(database, table.select()) ||
               stream_.prepare(database, table.select_of_earlier());
    }
    /// Shows every row of the look: `use(id, place, parts...)`, or `gone(id)`.
    template <typename Use, typename Gone>
    bool read(std::int64_t look, Dictionary& dictionary, const Use& use, const Gone& gone) {
        for (; stream_.is_at(look); stream_.advance()) {
            const Statement& row = stream_.row();
            if (!row.is_integer(1)) stream_.damage();
            if (row.is_null(2)) {
                gone(row.integer(1));
                continue;
            }
            bool good = row.is_integer(2);
            int at = 3;
            std::tuple<Parts...> parts;
            std::apply([&](Parts&... part) { (read_fields(row, at, dictionary, good, part), ...); }, parts);
            if (good)
                std::apply([&](Parts&... part) { use(row.integer(1), row.integer(2), part...); }, parts);
            else
                stream_.damage();
        }
        return !stream_.damaged();
    }
    std::uint64_t rows() const { return stream_.rows(); }

private:
    RowStream stream_;
};

/// Of lists.
template <typename... Parts>
class ListStream {
public:
    bool prepare(Database& database, const Table<Parts...>& table) {
        keys_ = key_count(table.keys);
        return stream_.prepare(database, table.select());
    }
    /// Shows every row of the look: `use(owner, parts...)`; of a list that belongs to the look, its n.
    template <typename Use>
    bool read(std::int64_t look, Dictionary& dictionary, const Use& use) {
        for (; stream_.is_at(look); stream_.advance()) {
            const Statement& row = stream_.row();
            bool good = row.is_integer(1);
            int at = keys_;
            std::tuple<Parts...> parts;
            std::apply([&](Parts&... part) { (read_fields(row, at, dictionary, good, part), ...); }, parts);
            if (good) good = std::apply([&](Parts&... part) { return use(row.integer(1), part...); }, parts);
            if (!good) stream_.damage();
        }
        return !stream_.damaged();
    }
    std::uint64_t rows() const { return stream_.rows(); }

private:
    RowStream stream_;
    int keys_ = 2;
};

}  // namespace waitclose::store
