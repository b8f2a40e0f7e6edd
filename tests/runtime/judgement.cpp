// SPDX-License-Identifier: BSD-2-Clause
#include "judgement.h"

#include <algorithm>
#include <set>

namespace runtime {

namespace {

using Ids = std::set<std::string>;

void add(Ids& ids, const json& truth, const char* key) {
    if (truth.contains(key))
        for (const json& id : truth.at(key)) ids.insert(id.get<std::string>());
}

Ids declared(const json& truth, bool traced) {
    Ids ids;
    add(ids, truth, "acceptable");
    if (!traced) add(ids, truth, "acceptable_untraced");
    return ids;
}

bool is_one_of(const json& value, const json& truth, const char* singular, const char* plural) {
    if (truth.contains(plural)) {
        const json& all = truth.at(plural);
        if (std::find(all.begin(), all.end(), value) != all.end()) return true;
    }
    return truth.contains(singular) && truth.at(singular) == value;
}

json wanted_thread(const json& truth) {
    const json& tid = truth.at("tid");
    return {{"tid", tid.is_null() ? truth.at("pid") : tid}, {"tids", truth.value("tids", json::array())}};
}

// Whom one line names. Of a program that is not at fault, any name is a wrong one.
void judge_names(Judgement& judged, const json& truth, const json& socket) {
    const json& culprit = socket.at("culprit");
    if (culprit.is_null()) return;
    const json& pid = culprit.at("pid");
    const json& tid = culprit.at("tid");
    if (!pid.is_null() && !is_one_of(pid, truth, "pid", "pids")) {
        judged.wrong_process = true;
        judged.remarks.push_back("it names process " + pid.dump() + ", and it was " + truth.at("pid").dump());
    }
    if (!tid.is_null() && !is_one_of(tid, wanted_thread(truth), "tid", "tids")) {
        judged.wrong_thread = true;
        judged.remarks.push_back("it names thread " + tid.dump() + ", and it was " + truth.at("tid").dump());
    }
}

void judge_holders(Judgement& judged, const json& truth, const json& socket) {
    for (const json& holder : socket.at("holders")) {
        const bool right = std::ranges::any_of(truth.at("holders"), [&](const json& wanted) {
            return wanted.at("pid") == holder.at("pid") && wanted.at("fd") == holder.at("fd");
        });
        if (right) continue;
        judged.wrong_holder = true;
        judged.remarks.push_back("pid " + holder.at("pid").dump() + " does not hold it at fd " +
                                 holder.at("fd").dump());
    }
}

// `unknown` accuses nobody, so it is never a wrong one to give, only a missed one.
Grade grade_of(const std::string& answer, const std::string& truth, const Ids& ids) {
    if (answer == truth) return Grade::right;
    if (ids.contains(answer)) return Grade::weaker;
    return answer == "unknown" || answer == "not listed" ? Grade::missed : Grade::wrong;
}

void judge_culprit(Judgement& judged, const json& truth, const std::vector<json>& lines, const Ids& ids) {
    for (const json& socket : lines) {
        judge_names(judged, truth, socket);
        const std::string id = socket.at("cause").at("id");
        if (socket.at("cause").at("confidence") == "proven" && id != judged.truth && !ids.contains(id)) {
            judged.proven_and_wrong = true;
            judged.remarks.push_back("it was " + judged.truth + ", and " + id + " was called proven");
        }
    }
    if (!lines.empty()) judge_holders(judged, truth, lines.back());
    judged.proven_and_wrong |= judged.confidence == "proven" && (judged.wrong_process || judged.wrong_thread);
    judged.grade = grade_of(judged.answer, judged.truth, ids);
    if (judged.grade == Grade::missed || judged.grade == Grade::wrong)
        judged.remarks.push_back("it was " + judged.truth + ", and the answer is " + judged.answer);
}

void judge_decoy(Judgement& judged, const std::vector<json>& lines, const Ids& ids) {
    judged.grade = Grade::right;
    for (const json& socket : lines) {
        const std::string id = socket.at("cause").at("id");
        if (!blames(id) || ids.contains(id)) continue;
        judged.grade = Grade::wrong;
        judged.answer = id;
        judged.confidence = socket.at("cause").at("confidence");
        judged.proven_and_wrong |= judged.confidence == "proven";
        judged.remarks.push_back("it is healthy, and was accused after " +
                                 std::to_string(socket.at("held_ns").get<std::int64_t>() / 1'000'000) +
                                 " ms: " + id + ", " + judged.confidence + ": " +
                                 socket.at("cause").at("summary").get<std::string>());
    }
}

}  // namespace

const char* name_of(Grade grade) {
    switch (grade) {
    case Grade::right: return "right";
    case Grade::weaker: return "weaker";
    case Grade::missed: return "missed";
    case Grade::wrong: break;
    }
    return "wrong";
}

bool blames(const std::string& cause) {
    return cause != "unknown" && cause != "half-open" && cause != "kernel-socket";
}

bool is_healthy(const json& truth) {
    return !truth.value("held", true) || truth.at("cause") == "half-open" || truth.at("cause") == "none";
}

Judgement judge(const json& truth, const std::vector<json>& lines, bool traced) {
    Judgement judged;
    judged.decoy = is_healthy(truth);
    judged.truth = truth.at("cause") == "none" ? "healthy" : truth.at("cause").get<std::string>();
    judged.answer = "not listed";
    if (!lines.empty()) {
        const json& last = lines.back();
        judged.answer = last.at("cause").at("id");
        judged.confidence = last.at("cause").at("confidence");
        judged.names_thread = !last.at("culprit").is_null() && !last.at("culprit").at("tid").is_null();
    }
    const Ids ids = declared(truth, traced);
    if (judged.decoy)
        judge_decoy(judged, lines, ids);
    else
        judge_culprit(judged, truth, lines, ids);
    return judged;
}

}  // namespace runtime
