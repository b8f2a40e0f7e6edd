// SPDX-License-Identifier: BSD-2-Clause
// Whether a row has changed since it was written, and a copy of what it was made of (field_list.h).
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "store/columns.h"

namespace waitclose::store {

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
class Printer : public PlainVisitor<Printer<T>> {
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
    void put(const model::StackRef& value) {
        print_.mix(value ? value->size() + 1 : 0);
        if (!value) return;
        for (const model::Frame& frame : *value) {
            put(frame.function);
            put(frame.module);
            print_.mix(frame.offset.value_or(0));
            print_.mix(static_cast<std::uint64_t>(frame.kernel) << 1 | static_cast<std::uint64_t>(frame.own));
        }
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
class Copier : public PlainVisitor<Copier<T>> {
public:
    Copier(const T& from, T& to) : from_(from), to_(to) {}

    template <typename M>
    void operator()(const char*, M T::*member) {
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
void print_fields(Print& print, const T& object) {
    Printer<T> printer(print, &object);
    Fields<T>::visit(printer);
}

}  // namespace waitclose::store
