// SPDX-License-Identifier: BSD-2-Clause
// The fields of the model's structures, each listed once: columns, writing, reading, comparing and copying
// are all made from these lists (columns.h, row_writer.h, row_reader.h, print.h). A list is a function that
// shows a visitor the members:
//
//   visit(name, member)                 a number, a truth, an enumerator, a text, a thread, or an optional
//   one visit.bound(name, member)           a time that jitters by a tick or two from look to look
//   visit.moment(name, member)          a time that moves on with the look when nothing else changes
//   visit.identity(name, member)        a number that tells kernel objects apart, says nothing else; 0: none
//   visit.later(name, member)           a field that recordings of earlier builds do not have; it is optional
//   visit.asked(name, member, kind)     an identity, or another number, as `kind` says
//   visit.endpoint(name, member, of)    an address and port of that family
//   visit.part(prefix, member)          a structure, optional or behind a pointer; the first field of an
//                                       optional one is never absent by itself
//
// A field that is added to a structure and not here breaks the build: see the sizes in fields.h.
#pragma once

namespace waitclose::store {

/// The list of a structure: `template <typename V> static void visit(V& v)`.
template <typename T>
struct Fields;

/// What a visitor does with fields of a kind that means nothing to it: the same as with any other.
template <typename Visitor>
class PlainVisitor {
public:
    template <typename T, typename M>
    void bound(const char* name, M T::*member) {
        visitor()(name, member);
    }
    template <typename T, typename M>
    void moment(const char* name, M T::*member) {
        visitor()(name, member);
    }
    template <typename T, typename M>
    void identity(const char* name, M T::*member) {
        visitor()(name, member);
    }
    template <typename T, typename M>
    void later(const char* name, M T::*member) {
        visitor()(name, member);
    }
    template <typename T, typename M, typename K>
    void asked(const char* name, M T::*member, K T::*) {
        visitor()(name, member);
    }

private:
    Visitor& visitor() { return static_cast<Visitor&>(*this); }
};

}  // namespace waitclose::store
