// SPDX-License-Identifier: BSD-2-Clause
// Reading a row into a list of fields (field_list.h). The file is hostile.
#pragma once

#include <concepts>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

#include "store/columns.h"
#include "store/database.h"
#include "store/dictionary.h"
#include "store/words.h"

namespace waitclose::store {

/// Reads a structure from the columns of a row, from `at` on; every value is checked. `good` becomes false
/// when one cannot be. Without an object the columns are passed over.
template <typename T>
class RowReader : public PlainVisitor<RowReader<T>> {
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
    void take(model::StackRef& value) {
        value.reset();
        if (row_.is_null(at_)) return skip();
        std::int64_t id = 0;
        take(id);
        good_ = good_ && dictionary_.call_stack(id, value);
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

template <typename T>
void read_fields(const Statement& row, int& at, Dictionary& dictionary, bool& good, T& object) {
    RowReader<T> reader(row, at, dictionary, good, &object);
    Fields<T>::visit(reader);
}

}  // namespace waitclose::store
