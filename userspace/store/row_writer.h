// SPDX-License-Identifier: BSD-2-Clause
// Writing a row from a list of fields (field_list.h).
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <type_traits>

#include "store/columns.h"
#include "store/database.h"
#include "store/interner.h"
#include "store/words.h"

namespace waitclose::store {

/// Binds a structure to the parameters of a statement, from `at` on. Without an object: NULL to all.
template <typename T>
class Binder : public PlainVisitor<Binder<T>> {
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
    void put(const model::StackRef& value) { value ? put(interner_.call_stack(*value)) : skip(); }
    template <typename M>
    void put(const std::optional<M>& value) {
        value ? put(*value) : skip();
    }

    Statement& statement_;
    int& at_;
    Interner& interner_;
    const T* object_;
};

template <typename T>
void bind_fields(Statement& statement, int& at, Interner& interner, const T& object) {
    Binder<T> binder(statement, at, interner, &object);
    Fields<T>::visit(binder);
}

}  // namespace waitclose::store
