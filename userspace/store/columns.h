// SPDX-License-Identifier: BSD-2-Clause
// The columns of a list of fields (field_list.h).
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "store/fields.h"

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
    bool is_word = false;   // an enumerator; all others are numbers, or refer to a table by number
    bool is_later = false;  // recordings of earlier builds do not have it
};

/// Lists the columns of a structure.
template <typename T>
class ColumnLister : public PlainVisitor<ColumnLister<T>> {
public:
    ColumnLister(std::string prefix, std::vector<Column>& columns)
        : prefix_(std::move(prefix)), columns_(columns) {}

    template <typename M>
    void operator()(const char* name, M T::*) {
        if constexpr (std::same_as<M, Arguments>)
            for (std::size_t i = 0; i < std::tuple_size_v<Arguments>; ++i)
                columns_.push_back({prefix_ + name + std::to_string(i)});
        else
            columns_.push_back({prefix_ + name, std::is_enum_v<typename Bare<M>::Type>, false});
    }
    template <typename M>
    void later(const char* name, M T::*member) {
        (*this)(name, member);
        columns_.back().is_later = true;
    }
    template <typename F>
    void endpoint(const char* name, model::Endpoint T::*, F T::*) {
        columns_.push_back({prefix_ + name + "_address"});
        columns_.push_back({prefix_ + name + "_port"});
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

template <typename T>
std::vector<Column> columns_of(const std::string& prefix = {}) {
    std::vector<Column> columns;
    ColumnLister<T> lister(prefix, columns);
    Fields<T>::visit(lister);
    return columns;
}

}  // namespace waitclose::store
