// SPDX-License-Identifier: BSD-2-Clause
#include "output/story.h"

#include <fmt/format.h>

#include <algorithm>

#include "diagnose/telling.h"
#include "diagnose/text.h"
#include "diagnose/wait.h"
#include "output/escape.h"
#include "output/format.h"
#include "output/labels.h"
#include "output/layout.h"
#include "output/outlook.h"

namespace waitclose::output {

namespace {

constexpr std::size_t kMostSentenceLines = 4;
constexpr std::size_t kMostAdviceLines = 8;  // what keepalive will do takes its words

/// "auditor (4190)", with the process where that is another than before.
std::string member_text(const diagnose::Link& before, const diagnose::Link& link, const TextStyle& style) {
    const std::string thread = process_text(link.comm, link.tid, style);
    return before.pid == link.pid || link.pid == link.tid ? thread
                                                          : fmt::format("{} of pid {}", thread, link.pid);
}

/// The threads behind the one of the sentence, each a step further in.
void write_chain(Sink& sink, const TextStyle& style, std::size_t indent,
                 const std::vector<diagnose::Link>& chain) {
    for (std::size_t i = 1; i < chain.size(); ++i) {
        const diagnose::Link& link = chain[i];
        const std::string slept = link.for_ns ? " for " + duration_text(*link.for_ns) : "";
        write_indented(
            sink, style, indent + 2 * i,
            fmt::format("{}{}{} {}: {}{}", relation_of(chain[i - 1]), member_text(chain[i - 1], link, style),
                        printable(in_function(link), style.charset), diagnose::phrase_of(link.waits_for),
                        printable(link.detail, style.charset), slept));
    }
}

/// That the peers give up after a fixed time, with its figures alone.
void write_peer_timeout(Sink& sink, const TextStyle& style, std::size_t indent,
                        const diagnose::Diagnosis& diagnosis) {
    for (const diagnose::Evidence& fact : diagnosis.evidence)
        if (fact.fact == "peer_timeout_ns")
            write_indented(sink, style, indent,
                           "contributing: " + sentence(fact.text.substr(0, fact.text.find(':')), style));
}

/// The advice behind an arrow, its further lines under its first word.
void write_advice(Sink& sink, const TextStyle& style, std::size_t indent, const std::string& advice) {
    const std::string sign = fmt::format("{} ", arrow(style));
    const std::size_t within = indent + display_width(sign);
    std::string head = std::string(indent, ' ') + sign;
    for (const std::string& line : wrap(advice, style.width - within, kMostAdviceLines, style.charset)) {
        sink.write(head + line + "\n");
        head.assign(within, ' ');
    }
}

bool claims_little(const diagnose::Diagnosis& diagnosis) {
    return diagnose::is_perhaps(diagnosis.cause, diagnosis.confidence);
}

}  // namespace

std::string_view relation_of(const diagnose::Link& waiting) {
    if (waiting.waits_for == "lock") return "held by ";
    return waiting.waits_for == "child" ? "the child " : "at the other end: ";
}

std::string in_function(const diagnose::Link& link) {
    return link.function.empty() ? std::string()
                                 : fmt::format(", in {},", diagnose::function_text(link.function));
}

std::string_view perhaps(const diagnose::Diagnosis& diagnosis) {
    return diagnosis.confidence == diagnose::Confidence::kPossible ? "perhaps " : "";
}

std::string reason_text(const diagnose::Diagnosis& diagnosis) {
    return claims_little(diagnosis) ? "perhaps because " + diagnosis.summary : diagnosis.summary;
}

std::string advice_text(const diagnose::Diagnosis& diagnosis) {
    return claims_little(diagnosis) ? "If so: " + diagnosis.advice : diagnosis.advice;
}

void write_indented(Sink& sink, const TextStyle& style, std::size_t indent, std::string_view text) {
    const std::string blanks(indent, ' ');
    for (const std::string& line : wrap(text, style.width - indent, kMostSentenceLines, style.charset)) {
        sink.write(blanks + line + "\n");
    }
}

void write_behind(Sink& sink, const TextStyle& style, std::size_t indent,
                  const diagnose::Diagnosis& diagnosis) {
    write_chain(sink, style, indent, diagnosis.because);
    write_peer_timeout(sink, style, indent, diagnosis);
}

void Advice::write(Sink& sink, const TextStyle& style, std::size_t indent, std::string_view advice) {
    std::string text = printable(advice, style.charset);
    write_advice(sink, style, indent, text == above_ ? "as above" : text);
    above_ = std::move(text);
}

}  // namespace waitclose::output
