// SPDX-License-Identifier: BSD-2-Clause
// Grades one answer of waitclose against the truth that was told beforehand. Pure: no process is started
// here.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace runtime {

using nlohmann::json;

enum class Grade {
    right,   // the very cause; of a decoy: nobody is accused
    weaker,  // another one that the culprit declared acceptable before anybody looked
    missed,  // unknown, or not listed, and that was not declared
    wrong,   // a cause that was not declared; of a decoy: somebody is accused
};

const char* name_of(Grade grade);

struct Judgement {
    std::string truth;       // the cause, or "healthy"
    std::string answer;      // the last cause given, or "not listed"
    std::string confidence;  // of that answer; empty when there is none
    Grade grade = Grade::missed;
    bool decoy = false;
    bool names_thread = false;
    bool wrong_process = false;  // in any of the lines, as are the next two
    bool wrong_thread = false;
    bool wrong_holder = false;         // only of the last line: a look may come between accept() and close()
    bool proven_and_wrong = false;     // in any of the lines
    std::vector<std::string> remarks;  // a sentence for everything that is not as it should be

    bool acceptable() const {
        return (grade == Grade::right || grade == Grade::weaker) && !wrong_process && !wrong_thread &&
               !wrong_holder && !proven_and_wrong;
    }
};

/// Neither a program nor a thread is blamed by it.
bool blames(const std::string& cause);

/// A healthy program: one that holds nothing, or a half-closed stream.
bool is_healthy(const json& truth);

/// `lines` are all the socket objects that one look gave about the socket of `truth`, in their order;
/// `traced`: the tracer was there from the beginning.
Judgement judge(const json& truth, const std::vector<json>& lines, bool traced);

}  // namespace runtime
