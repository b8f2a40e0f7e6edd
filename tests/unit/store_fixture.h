// SPDX-License-Identifier: BSD-2-Clause
// Censuses with something in every field, and what they say as text, both made from the lists of fields.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "store/recording.h"
#include "store/tables.h"
#include "store/writer.h"

namespace waitclose::store {

/// Gives every field a value of its own. Optional ones are there or not as `present` says, truths are that.
struct Filling {
    bool present = true;
    std::uint64_t last = 1000;
};

template <typename T>
class Filler {
public:
    Filler(Filling& filling, T& object) : filling_(filling), object_(object) {}

    template <typename M>
    void operator()(const char*, M T::*member) {
        put(object_.*member);
    }
    template <typename M>
    void bound(const char*, M T::*member) {
        // Far enough from any other to be no jitter.
        filling_.last += 1'000'000'000;
        put(object_.*member);
    }
    template <typename M>
    void moment(const char*, M T::*member) {
        put(object_.*member);
    }
    template <typename M>
    void identity(const char*, M T::*member) {
        put(object_.*member);
    }
    template <typename M>
    void later(const char*, M T::*member) {
        put(object_.*member);
    }
    template <typename M, typename K>
    void asked(const char*, M T::*member, K T::*) {
        put(object_.*member);
    }
    void endpoint(const char*, model::Endpoint T::*member, model::Family T::*family) {
        model::Endpoint& end = object_.*member;
        end = {};
        const std::size_t size = object_.*family == model::Family::kIpv4 ? 4 : 16;
        for (std::size_t i = 0; i < size; ++i) end.address[i] = static_cast<std::uint8_t>(++filling_.last);
        put(end.port);
    }
    template <typename M>
    void part(const char*, M T::*member) {
        M& part = object_.*member;
        using Part = typename Bare<M>::Type;
        if constexpr (kIsOptional<M>) {
            part.reset();
            if (!filling_.present) return;
            if constexpr (std::is_same_v<M, std::unique_ptr<Part>>)
                part = std::make_unique<Part>();
            else
                part.emplace();
        }
        Filler<Part> filler(filling_, *address_of(part));
        Fields<Part>::visit(filler);
    }

private:
    void put(bool& value) { value = filling_.present; }
    template <std::integral M>
    void put(M& value) {
        value = static_cast<M>(++filling_.last);
    }
    template <typename M>
    requires std::is_enum_v<M>
    void put(M& value) { value = static_cast<M>(++filling_.last % kWords<M>.size()); }
    void put(std::string& value) { value = "\xff\x1b]0;<b>" + std::to_string(++filling_.last) + '\0' + "x"; }
    void put(model::Actor& value) {
        value = {.start_ns = ++filling_.last,
                 .pid = static_cast<std::uint32_t>(++filling_.last),
                 .tid = static_cast<std::uint32_t>(++filling_.last),
                 .comm = {'\xfe', 'c', '\n'}};
    }
    void put(model::KernelStack& value) {
        value.reset();
        if (!filling_.present) return;
        value = std::make_shared<std::vector<std::string>>(
            std::vector<std::string>{"f" + std::to_string(++filling_.last), "", "g"});
    }
    void put(model::StackRef& value) {
        value.reset();
        if (!filling_.present) return;
        model::Stack frames(3);
        frames[0] = {"f\xff" + std::to_string(++filling_.last), "m", ++filling_.last, true, false};
        frames[1] = {"", "/bin/\x1b" + std::to_string(++filling_.last), ~std::uint64_t{0} - filling_.last,
                     false, true};
        frames[2].function = "main";
        value = std::make_shared<const model::Stack>(std::move(frames));
    }
    void put(Arguments& value) {
        for (std::uint64_t& one : value) one = ~std::uint64_t{0} - ++filling_.last;
    }
    template <typename M>
    void put(std::optional<M>& value) {
        value.reset();
        if (filling_.present) put(value.emplace());
    }

    Filling& filling_;
    T& object_;
};

template <typename T>
void fill(Filling& filling, T& object) {
    Filler<T> filler(filling, object);
    Fields<T>::visit(filler);
}

/// What identities stand for, in the order in which they appear.
using Identities = std::map<std::uint64_t, std::uint64_t>;

template <typename T>
class Teller : public PlainVisitor<Teller<T>> {
public:
    Teller(std::string& text, Identities& identities, std::string prefix, const T& object)
        : text_(text), identities_(identities), prefix_(std::move(prefix)), object_(object) {}

    template <typename M>
    void operator()(const char* name, M T::*member) {
        text_ += " " + prefix_ + name + "=";
        tell(object_.*member);
    }
    void identity(const char* name, std::uint64_t T::*member) { tell_identity(name, object_.*member); }
    void asked(const char* name, std::uint64_t T::*member, model::Question::Kind T::*kind) {
        if (object_.*kind == model::Question::Kind::kFile)
            tell_identity(name, object_.*member);
        else
            (*this)(name, member);
    }
    template <typename F>
    void endpoint(const char* name, model::Endpoint T::*member, F T::*) {
        const model::Endpoint& end = object_.*member;
        text_ += " " + prefix_ + name + "=";
        for (const std::uint8_t byte : end.address) text_ += std::to_string(byte) + ".";
        tell(end.port);
    }
    template <typename M>
    void part(const char* prefix, M T::*member) {
        using Part = typename Bare<M>::Type;
        const Part* inner = address_of(object_.*member);
        if (!inner) {
            text_ += " " + prefix_ + prefix + "absent";
            return;
        }
        Teller<Part> teller(text_, identities_, prefix_ + prefix, *inner);
        Fields<Part>::visit(teller);
    }

private:
    void tell_identity(const char* name, std::uint64_t value) {
        const auto [place, is_new] = identities_.try_emplace(value, identities_.size() + 1);
        text_ += " " + prefix_ + name + "=#" + std::to_string(value ? place->second : 0);
    }
    template <std::integral M>
    void tell(M value) {
        text_ += std::to_string(value);
    }
    template <typename M>
    requires std::is_enum_v<M>
    void tell(M value) { text_ += std::to_string(static_cast<int>(value)); }
    void tell(const std::string& value) { text_ += "'" + value + "'"; }
    void tell(const model::Actor& value) {
        text_ += std::to_string(value.start_ns) + "/" + std::to_string(value.pid) + "/" +
                 std::to_string(value.tid) + "/" + std::string(value.comm.data(), value.comm.size());
    }
    void tell(const model::KernelStack& value) {
        if (!value) return tell(std::string("none"));
        for (const std::string& frame : *value) tell(frame);
    }
    void tell(const model::StackRef& value) {
        if (!value) return tell(std::string("none"));
        for (const model::Frame& frame : *value) {
            tell(frame.function);
            tell(frame.module);
            tell(frame.offset);
            tell(frame.kernel);
            tell(frame.own);
        }
    }
    void tell(const Arguments& value) {
        for (const std::uint64_t one : value) text_ += std::to_string(one) + ",";
    }
    template <typename M>
    void tell(const std::optional<M>& value) {
        if (value)
            tell(*value);
        else
            text_ += "absent";
    }

    std::string& text_;
    Identities& identities_;
    std::string prefix_;
    const T& object_;
};

/// A line that says everything.
template <typename T>
std::string line_of(Identities& identities, const std::string& what, const T& object) {
    std::string text = what + ":";
    Teller<T> teller(text, identities, "", object);
    Fields<T>::visit(teller);
    return text;
}

/// All that a census says, a line each, with what indices point at instead of indices.
std::vector<std::string> lines_of(const model::Census& census);

/// A census with something in every field.
model::Census full_census(Filling& filling);

/// Remembers what it is told, as lines.
class Listener : public Player {
public:
    void about(const About& about) override;
    void on(const model::Entered& event) override;
    void on(const model::Left& event) override;
    void on(const model::Transition& event) override;
    void look_begins(std::uint64_t at_ns) override;
    void look(model::Census& census) override;
    void losses(std::uint64_t at_ns, const model::Losses& so_far) override;

    std::vector<std::string> lines;
};

/// A directory that goes away with its files.
class Directory {
public:
    Directory();
    ~Directory();
    std::string file(const std::string& name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

/// What a player is told of a recording.
std::vector<std::string> played(const std::string& path);

/// The first line that differs; empty when none does.
std::string difference(const std::vector<std::string>& expected, const std::vector<std::string>& found);

}  // namespace waitclose::store
