// SPDX-License-Identifier: BSD-2-Clause
// What is said under a group's headline: sentences, wait chain, advice. Takes names raw.
#pragma once

#include <string>
#include <string_view>

#include "diagnose/diagnosis.h"
#include "output/sink.h"
#include "output/style.h"

namespace waitclose::output {

/// For people, what is only possible accuses nobody: "perhaps " before whom it names, "perhaps because "
/// before what happened, and "If so: " before what to do. Raw. Where nothing is claimed (unknown) the words
/// stand alone.
std::string_view perhaps(const diagnose::Diagnosis& diagnosis);
std::string reason_text(const diagnose::Diagnosis& diagnosis);
std::string advice_text(const diagnose::Diagnosis& diagnosis);

/// How a thread stands to the one before it in a chain, which waits for it: "held by ", "at the other end: ".
std::string_view relation_of(const diagnose::Link& waiting);

/// ", in write_audit_log," behind its name; empty where it is not known. Raw.
std::string in_function(const diagnose::Link& link);

/// Printable text, wrapped beside so many blanks.
void write_indented(Sink& sink, const TextStyle& style, std::size_t indent, std::string_view text);

/// The threads behind the one of the sentence, each a step further in; and that the peers give up after a
/// fixed time, where they do.
void write_behind(Sink& sink, const TextStyle& style, std::size_t indent,
                  const diagnose::Diagnosis& diagnosis);

/// The advice behind an arrow; "as above" where the group right above has given the same.
class Advice {
public:
    void write(Sink& sink, const TextStyle& style, std::size_t indent, std::string_view advice);

private:
    std::string above_;
};

}  // namespace waitclose::output
