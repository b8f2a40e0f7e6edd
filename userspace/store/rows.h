// SPDX-License-Identifier: BSD-2-Clause
// What is made of a list of fields (fields.h): names of columns, a row that is written or read, a fingerprint
// that tells whether it changed, and a copy.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "store/database.h"
#include "store/dictionary.h"
#include "store/fields.h"
#include "store/interner.h"
#include "store/words.h"

namespace waitclose::store {

template <typename M>
inline constexpr bool kIsOptional = false;
template <typename M>
inline constexpr bool kIsOptional<std::optional<M>> = true;
template <typename M>
inline constexpr bool kIsOptional<std::unique_ptr<M>> = true;

template <typename M>
M* address_of(M& member) {
    return &member;
}
template <typename M>
M* address_of(std::optional<M>& member) {
    return member ? &*member : nullptr;
}
template <typename M>
const M* address_of(const std::optional<M>& member) {
    return member ? &*member : nullptr;
}
template <typename M>
M* address_of(const std::unique_ptr<M>& member) {
    return member.get();
}
template <typename M>
M* address_of(std::unique_ptr<M>& member) {
    return member.get();
}

template <typename M>
struct Bare {
    using Type = M;
};
template <typename M>
struct Bare<std::optional<M>> {
    using Type = M;
};
template <typename M>
struct Bare<std::unique_ptr<M>> {
    using Type = M;
};

using Arguments = std::array<std::uint64_t, 4>;

struct Column {
    std::string name;
    bool is_word = false;  // an enumerator; all others are numbers, or refer to a table by number
};

/// Lists the columns of a structure.
template <typename T>
class ColumnLister {
public:
    ColumnLister(std::string prefix, std::vector<Column>& columns)
        : prefix_(std::move(prefix)), columns_(columns) {}

    template <typename M>
    void operator()(const char* name, M T::*) {
        if constexpr (std::same_as<M, Arguments>)
            for (std::size_t i = 0; i < std::tuple_size_v<Arguments>; ++i)
                columns_.push_back({prefix_ + name + std::to_string(i), false});
        else
            columns_.push_back({prefix_ + name, std::is_enum_v<typename Bare<M>::Type>});
    }
    template <typename M>
    void bound(const char* name, M T::*member) {
        (*this)(name, member);
    }
    template <typename M>
    void moment(const char* name, M T::*member) {
        (*this)(name, member);
    }
    template <typename M>
    void identity(const char* name, M T::*member) {
        (*this)(name, member);
    }
    template <typename M, typename K>
    void asked(const char* name, M T::*member, K T::*) {
        (*this)(name, member);
    }
    template <typename F>
    void endpoint(const char* name, model::Endpoint T::*, F T::*) {
        columns_.push_back({prefix_ + name + "_address", false});
        columns_.push_back({prefix_ + name + "_port", false});
    }
    template <typename M>
    void part(const char* prefix, M T::*) {
        using Part = typename Bare<M>::Type;
        ColumnLister<Part> lister(prefix_ + prefix, columns_);
        Fields<Part>::visit(lister);
    }

private:
    std::string prefix_;
    std::vector<Column>& columns_;
};

/// Binds a structure to the parameters of a statement, from `at` on. Without an object: NULL to all.
template <typename T>
class Binder {
public:
    Binder(Statement& statement, int& at, Interner& interner, const T* object)
        : statement_(statement), at_(at), interner_(interner), object_(object) {}

    template <typename M>
    void operator()(const char*, M T::*member) {
        if constexpr (std::same_as<M, Arguments>)
            for (std::size_t i = 0; i < std::tuple_size_v<Arguments>; ++i)
                object_ ? put((object_->*member)[i]) : skip();
        else
            object_ ? put(object_->*member) : skip();
    }
    template <typename M>
    void bound(const char* name, M T::*member) {
        (*this)(name, member);
    }
    template <typename M>
    void moment(const char* name, M T::*member) {
        (*this)(name, member);
    }
    void identity(const char*, std::uint64_t T::*member) {
        object_ ? put(interner_.identity(object_->*member)) : skip();
    }
    void asked(const char*, std::uint64_t T::*member, model::Question::Kind T::*kind) {
        if (!object_) return skip();
        const bool is_file = object_->*kind == model::Question::Kind::kFile;
        put(is_file ? interner_.identity(object_->*member) : object_->*member);
    }
    void endpoint(const char*, model::Endpoint T::*member, model::Family T::*family) {
        if (!object_) return skip(), skip();
        put(interner_.address(object_->*family, object_->*member));
        put((object_->*member).port);
    }
    template <typename M>
    void part(const char*, M T::*member) {
        using Part = typename Bare<M>::Type;
        const Part* inner = object_ ? address_of(object_->*member) : nullptr;
        Binder<Part> binder(statement_, at_, interner_, inner);
        Fields<Part>::visit(binder);
    }

private:
    void skip() { statement_.bind_null(at_++); }
    template <std::integral M>
    void put(M value) {
        statement_.bind(at_++, static_cast<std::int64_t>(value));
    }
    template <typename M>
    requires std::is_enum_v<M>
    void put(M value) { statement_.bind_word(at_++, word_of(value)); }
    void put(const std::string& value) { put(interner_.text(value)); }
    void put(const model::Actor& value) { put(interner_.actor(value)); }
    void put(const model::KernelStack& value) { value ? put(interner_.stack(*value)) : skip(); }
    template <typename M>
    void put(const std::optional<M>& value) {
        value ? put(*value) : skip();
    }

    Statement& statement_;
    int& at_;
    Interner& interner_;
    const T* object_;
};

/// Reads a structure from the columns of a row, from `at` on; every value is checked. `good` becomes false
/// when one cannot be. Without an object the columns are passed over.
template <typename T>
class RowReader {
public:
    RowReader(const Statement& row, int& at, Dictionary& dictionary, bool& good, T* object)
        : row_(row), at_(at), dictionary_(dictionary), good_(good), object_(object) {}

    template <typename M>
    void operator()(const char*, M T::*member) {
        if constexpr (std::same_as<M, Arguments>)
            for (std::size_t i = 0; i < std::tuple_size_v<Arguments>; ++i)
                object_ ? take((object_->*member)[i]) : skip();
        else
            object_ ? take(object_->*member) : skip();
    }
    template <typename M>
    void bound(const char* name, M T::*member) {
        (*this)(name, member);
    }
    template <typename M>
    void moment(const char* name, M T::*member) {
        (*this)(name, member);
    }
    template <typename M>
    void identity(const char* name, M T::*member) {
        (*this)(name, member);
    }
    template <typename M, typename K>
    void asked(const char* name, M T::*member, K T::*) {
        (*this)(name, member);
    }
    void endpoint(const char*, model::Endpoint T::*member, model::Family T::*family) {
        if (!object_) return skip(), skip();
        std::int64_t address = 0;
        take(address);
        good_ = good_ && dictionary_.address(address, object_->*family, object_->*member);
        take((object_->*member).port);
    }
    template <typename M>
    void part(const char*, M T::*member) {
        using Part = typename Bare<M>::Type;
        if constexpr (kIsOptional<M>) {
            if (object_ && !row_.is_null(at_)) {
                if constexpr (std::same_as<M, std::unique_ptr<Part>>)
                    object_->*member = std::make_unique<Part>();
                else
                    (object_->*member).emplace();
            }
        }
        RowReader<Part> reader(row_, at_, dictionary_, good_,
                               object_ ? address_of(object_->*member) : nullptr);
        Fields<Part>::visit(reader);
    }

private:
    void skip() { ++at_; }
    template <std::integral M>
    void take(M& value) {
        const int at = at_++;
        const std::int64_t found = row_.integer(at);
        if constexpr (std::same_as<M, bool>)
            good_ = good_ && (found == 0 || found == 1);
        else if constexpr (sizeof(M) < sizeof(found))
            good_ = good_ && found >= std::numeric_limits<M>::min() && found <= std::numeric_limits<M>::max();
        good_ = good_ && row_.is_integer(at);
        value = static_cast<M>(found);
    }
    template <typename M>
    requires std::is_enum_v<M>
    void take(M& value) {
        const auto word = row_.bytes(at_++);
        const auto found = word ? value_of<M>(*word) : std::nullopt;
        good_ = good_ && found;
        if (found) value = *found;
    }
    void take(std::string& value) {
        std::int64_t id = 0;
        take(id);
        good_ = good_ && dictionary_.text(id, value);
    }
    void take(model::Actor& value) {
        std::int64_t id = 0;
        take(id);
        good_ = good_ && dictionary_.actor(id, value);
    }
    void take(model::KernelStack& value) {
        value.reset();
        if (row_.is_null(at_)) return skip();
        std::int64_t id = 0;
        take(id);
        good_ = good_ && dictionary_.stack(id, value);
    }
    template <typename M>
    void take(std::optional<M>& value) {
        value.reset();
        if (row_.is_null(at_)) return skip();
        take(value.emplace());
    }

    const Statement& row_;
    int& at_;
    Dictionary& dictionary_;
    bool& good_;
    T* object_;
};

/// What a row was when it was written: enough to tell whether it has changed.
struct Print {
    static constexpr std::size_t kMostBounds = 6;
    /// Bounds made of jiffies move by up to a tick (10 ms at most) between two looks at the same thing.
    static constexpr std::uint64_t kJitterNs = 20'000'000;

    std::uint64_t hash = 14695981039346656037U;
    std::array<std::uint64_t, kMostBounds> bounds{};
    std::size_t bound_count = 0;

    void mix(std::uint64_t value) {
        hash = (hash ^ value) * 0x9e3779b97f4a7c15U;
        hash ^= hash >> 32;
    }
    bool is_as(const Print& other) const {
        if (hash != other.hash || bound_count != other.bound_count) return false;
        for (std::size_t i = 0; i < bound_count; ++i) {
            const auto [low, high] = std::minmax(bounds[i], other.bounds[i]);
            if (high - low >= kJitterNs) return false;
        }
        return true;
    }
};

template <typename T>
class Printer {
public:
    Printer(Print& print, const T* object) : print_(print), object_(object) {}

    template <typename M>
    void operator()(const char*, M T::*member) {
        if (object_) put(object_->*member);
    }
    void bound(const char*, std::uint64_t T::*member) { put_bound(object_ ? object_->*member : 0); }
    void bound(const char*, std::optional<std::uint64_t> T::*member) {
        const bool has = object_ && (object_->*member).has_value();
        print_.mix(has);
        put_bound(has ? *(object_->*member) : 0);
    }
    template <typename M>
    void moment(const char*, M T::*) {}
    template <typename M>
    void identity(const char* name, M T::*member) {
        (*this)(name, member);
    }
    template <typename M, typename K>
    void asked(const char* name, M T::*member, K T::*) {
        (*this)(name, member);
    }
    template <typename F>
    void endpoint(const char*, model::Endpoint T::*member, F T::*) {
        if (!object_) return;
        const model::Endpoint& end = object_->*member;
        put(std::string_view(reinterpret_cast<const char*>(end.address.data()), end.address.size()));
        put(end.port);
    }
    template <typename M>
    void part(const char*, M T::*member) {
        using Part = typename Bare<M>::Type;
        const Part* inner = object_ ? address_of(object_->*member) : nullptr;
        print_.mix(inner != nullptr);
        Printer<Part> printer(print_, inner);
        Fields<Part>::visit(printer);
    }

private:
    void put_bound(std::uint64_t value) {
        // Whether there is one at all is no jitter.
        print_.mix(value == 0);
        print_.bounds.at(print_.bound_count++) = value;
    }
    template <typename M>
    requires std::integral<M> || std::is_enum_v<M>
    void put(M value) { print_.mix(static_cast<std::uint64_t>(value)); }
    void put(std::string_view value) { print_.mix(std::hash<std::string_view>{}(value)); }
    void put(const std::string& value) { put(std::string_view(value)); }
    void put(const Arguments& value) {
        for (const std::uint64_t one : value) print_.mix(one);
    }
    void put(const model::Actor& value) {
        print_.mix(value.start_ns);
        print_.mix(static_cast<std::uint64_t>(value.pid) << 32 | value.tid);
        put(std::string_view(value.comm.data(), value.comm.size()));
    }
    void put(const model::KernelStack& value) {
        print_.mix(value ? value->size() + 1 : 0);
        if (!value) return;
        for (const std::string& frame : *value) put(frame);
    }
    template <typename M>
    void put(const std::optional<M>& value) {
        print_.mix(value.has_value());
        if (value) put(*value);
    }

    Print& print_;
    const T* object_;
};

/// Copies what the list names; what it does not stays as it is.
template <typename T>
class Copier {
public:
    Copier(const T& from, T& to) : from_(from), to_(to) {}

    template <typename M>
    void operator()(const char*, M T::*member) {
        to_.*member = from_.*member;
    }
    template <typename M>
    void bound(const char*, M T::*member) {
        to_.*member = from_.*member;
    }
    template <typename M>
    void moment(const char*, M T::*member) {
        to_.*member = from_.*member;
    }
    template <typename M>
    void identity(const char*, M T::*member) {
        to_.*member = from_.*member;
    }
    template <typename M, typename K>
    void asked(const char*, M T::*member, K T::*) {
        to_.*member = from_.*member;
    }
    template <typename F>
    void endpoint(const char*, model::Endpoint T::*member, F T::*) {
        to_.*member = from_.*member;
    }
    template <typename M>
    void part(const char*, M T::*member) {
        if constexpr (std::is_copy_assignable_v<M>) {
            to_.*member = from_.*member;
        } else {
            using Part = typename Bare<M>::Type;
            to_.*member = from_.*member ? std::make_unique<Part>(*(from_.*member)) : nullptr;
        }
    }

private:
    const T& from_;
    T& to_;
};

template <typename T>
std::vector<Column> columns_of(const std::string& prefix = {}) {
    std::vector<Column> columns;
    ColumnLister<T> lister(prefix, columns);
    Fields<T>::visit(lister);
    return columns;
}

template <typename T>
void bind_fields(Statement& statement, int& at, Interner& interner, const T& object) {
    Binder<T> binder(statement, at, interner, &object);
    Fields<T>::visit(binder);
}

template <typename T>
void read_fields(const Statement& row, int& at, Dictionary& dictionary, bool& good, T& object) {
    RowReader<T> reader(row, at, dictionary, good, &object);
    Fields<T>::visit(reader);
}

template <typename T>
void print_fields(Print& print, const T& object) {
    Printer<T> printer(print, &object);
    Fields<T>::visit(printer);
}

}  // namespace waitclose::store
