// SPDX-License-Identifier: BSD-2-Clause
// Rows of what lasts: written when new or changed, and once more when gone.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <unordered_map>
#include <vector>

#include "store/print.h"
#include "store/row_writer.h"
#include "store/tables.h"

namespace waitclose::store {

/// What identifies something from look to look; a fifth number tells apart what one look shows twice.
struct VersionKey {
    std::array<std::uint64_t, 5> parts{};
    bool operator==(const VersionKey&) const = default;
};
struct VersionKeyHash {
    std::size_t operator()(const VersionKey& key) const {
        std::uint64_t hash = 0;
        for (const std::uint64_t part : key.parts) {
            hash = (hash ^ part) * 0x9e3779b97f4a7c15U;
            hash ^= hash >> 29;
        }
        return hash;
    }
};

struct Version {
    std::int64_t id = 0;
    std::optional<std::int64_t> place;  // nothing: not written yet
    std::int64_t seen_at = 0;           // the latest look that shows it
    bool moved = true;                  // it is new, or its place has changed
    Print print;
};

/// Gives every version a place so that places rise in this order, changing as few as possible.
void arrange(std::vector<Version*>& in_order);

/// The rows of one table.
template <typename... Parts>
class Versions {
public:
    bool prepare(Database& database, const Table<Parts...>& table) {
        insert_ = database.prepare(table.insert());
        columns_ = static_cast<int>(table.columns().size());
        return static_cast<bool>(insert_);
    }

    /// First all of a look are noted, in its order. `last_id` numbers what is new.
    Version& note(VersionKey key, std::int64_t look, std::int64_t& last_id) {
        for (;; ++key.parts.back()) {
            auto [place, is_new] = versions_.try_emplace(key);
            Version& version = place->second;
            if (is_new) version.id = ++last_id;
            if (version.seen_at == look) continue;  // seen twice in this look
            version.seen_at = look;
            version.moved = is_new;
            noted_.push_back(&version);
            return version;
        }
    }
    /// Then they get their places,
    void arrange_noted() { arrange(noted_); }
    const std::vector<Version*>& noted() const { return noted_; }

    /// then each is written if it has to be; true if it was, so that its lists have to be, too.
    bool write(Version& version, const Print& print, Interner& interner, std::int64_t look,
               const Parts&... parts) {
        if (!version.moved && version.print.is_as(print)) return false;
        version.print = print;
        int at = 1;
        insert_.bind(at++, look);
        insert_.bind(at++, version.id);
        insert_.bind(at++, *version.place);
        (bind_fields(insert_, at, interner, parts), ...);
        insert_.run();
        return true;
    }

    /// and what was not noted is gone.
    void end_look(std::int64_t look) {
        noted_.clear();
        for (auto next = versions_.begin(); next != versions_.end();) {
            if (next->second.seen_at == look) {
                ++next;
                continue;
            }
            insert_.bind(1, look);
            insert_.bind(2, next->second.id);
            for (int at = 3; at <= columns_; ++at) insert_.bind_null(at);
            insert_.run();
            next = versions_.erase(next);
        }
    }

private:
    std::unordered_map<VersionKey, Version, VersionKeyHash> versions_;
    std::vector<Version*> noted_;
    Statement insert_;
    int columns_ = 0;
};

/// The rows of a list.
template <typename... Parts>
class Rows {
public:
    bool prepare(Database& database, const Table<Parts...>& table) {
        insert_ = database.prepare(table.insert());
        return static_cast<bool>(insert_);
    }
    /// Of a list that belongs to `owner`.
    void write(Interner& interner, std::int64_t look, std::int64_t owner, std::int64_t n,
               const Parts&... parts) {
        int at = 1;
        insert_.bind(at++, look);
        insert_.bind(at++, owner);
        insert_.bind(at++, n);
        (bind_fields(insert_, at, interner, parts), ...);
        insert_.run();
    }
    /// Of a look.
    void write_of_look(Interner& interner, std::int64_t look, std::int64_t n, const Parts&... parts) {
        int at = 1;
        insert_.bind(at++, look);
        insert_.bind(at++, n);
        (bind_fields(insert_, at, interner, parts), ...);
        insert_.run();
    }

private:
    Statement insert_;
};

}  // namespace waitclose::store
