// SPDX-License-Identifier: BSD-2-Clause
// `doctor` for people: the verdict, where it stands, hook by hook, and what could be changed.
#pragma once

#include "model/findings.h"
#include "output/sink.h"
#include "output/style.h"

namespace waitclose::output {

enum class Detail : std::uint8_t {
    kBrief,  // what was ruled out only where it would have been better
    kAll,    // every alternative, and what each capability is for
};

void write_doctor_text(Sink& sink, const model::Findings& findings, Detail detail, const TextStyle& style);

}  // namespace waitclose::output
