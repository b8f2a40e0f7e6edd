// SPDX-License-Identifier: BSD-2-Clause
// The part of the writer that writes what was said of a hold, its wait chain and its evidence.
#include <string_view>
#include <utility>
#include <variant>

#include "store/writer.h"

namespace waitclose::store {
namespace {

template <typename Value>
void bind_optional(Statement& statement, int at, const std::optional<Value>& value) {
    if (value)
        statement.bind(at, static_cast<std::int64_t>(*value));
    else
        statement.bind_null(at);
}

}  // namespace

void Writer::write_diagnosis(std::int64_t id, std::int64_t hold, const diagnose::Diagnosis& diagnosis) {
    const auto& culprit = diagnosis.culprit;
    insert_diagnosis_.bind(1, id);
    insert_diagnosis_.bind(2, look_);
    insert_diagnosis_.bind(3, hold);
    insert_diagnosis_.bind_word(4, diagnose::id_of(diagnosis.cause));
    insert_diagnosis_.bind_word(5, diagnose::id_of(diagnosis.confidence));
    bind_optional(insert_diagnosis_, 6, culprit ? std::optional(culprit->pid) : std::nullopt);
    bind_optional(insert_diagnosis_, 7, culprit ? culprit->tid : std::nullopt);
    bind_optional(insert_diagnosis_, 8,
                  culprit ? std::optional(interner_.text(culprit->comm)) : std::nullopt);
    insert_diagnosis_.bind_word(9, culprit ? diagnose::id_of(culprit->basis) : std::string_view());
    if (!culprit) insert_diagnosis_.bind_null(9);
    insert_diagnosis_.bind(10, interner_.text(diagnosis.summary));
    insert_diagnosis_.bind(11, interner_.text(diagnosis.advice));
    insert_diagnosis_.run();
    write_because(id, diagnosis);
    write_evidence(id, diagnosis);
}

void Writer::write_because(std::int64_t id, const diagnose::Diagnosis& diagnosis) {
    std::int64_t n = 0;
    if (diagnosis.culprit && diagnosis.culprit->tid)
        named_.insert({diagnosis.culprit->pid, *diagnosis.culprit->tid});
    for (const diagnose::Link& link : diagnosis.because) {
        named_.insert({link.pid, link.tid});
        insert_because_.bind(1, id);
        insert_because_.bind(2, n++);
        insert_because_.bind(3, link.pid);
        insert_because_.bind(4, link.tid);
        insert_because_.bind(5, interner_.text(link.comm));
        insert_because_.bind(6, interner_.text(link.waits_for));
        bind_optional(insert_because_, 7, link.for_ns);
        insert_because_.bind(8, interner_.text(link.detail));
        bind_optional(insert_because_, 9, link.on ? std::optional(link.on->pid) : std::nullopt);
        // 0: which of its threads is not known
        bind_optional(insert_because_, 10,
                      link.on && link.on->tid ? std::optional(link.on->tid) : std::nullopt);
        bind_optional(insert_because_, 11,
                      link.function.empty() ? std::nullopt : std::optional(interner_.text(link.function)));
        insert_because_.run();
    }
    n = 0;
    for (const std::string& cause : diagnosis.contributing) {
        insert_contributing_.bind(1, id);
        insert_contributing_.bind(2, n++);
        insert_contributing_.bind(3, interner_.text(cause));
        insert_contributing_.run();
    }
}

void Writer::write_evidence(std::int64_t id, const diagnose::Diagnosis& diagnosis) {
    std::int64_t n = 0;
    for (const diagnose::Evidence& one : diagnosis.evidence) {
        insert_evidence_.bind(1, id);
        insert_evidence_.bind(2, n++);
        insert_evidence_.bind(3, interner_.text(one.fact));
        insert_evidence_.bind_null(5);
        insert_evidence_.bind_null(6);
        if (const auto* text = std::get_if<std::string>(&one.value)) {
            insert_evidence_.bind_word(4, "text");
            insert_evidence_.bind(6, interner_.text(*text));
        } else if (const auto* truth = std::get_if<bool>(&one.value)) {
            insert_evidence_.bind_word(4, "boolean");
            insert_evidence_.bind(5, *truth);
        } else {
            insert_evidence_.bind_word(4, "number");
            insert_evidence_.bind(5, std::get<std::int64_t>(one.value));
        }
        insert_evidence_.bind(7, interner_.text(one.text));
        insert_evidence_.run();
    }
}

}  // namespace waitclose::store
