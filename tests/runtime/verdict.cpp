// SPDX-License-Identifier: BSD-2-Clause
#include "verdict.h"

#include <algorithm>
#include <set>

#include "clock.h"

namespace runtime {

namespace {

constexpr std::int64_t exact_ns = 100'000;
constexpr std::int64_t below_ns = 25'000'000;
constexpr std::int64_t may_answer_ns = 10'500'000'000;

// On an emulated machine, ticks are counted later than the margin that waitclose leaves for that.
std::int64_t late_ticks_ns() {
    const char* milliseconds = std::getenv("WAITCLOSE_LATE_TICKS_MS");
    return milliseconds ? std::atoll(milliseconds) * 1'000'000 : 0;
}

class Findings {
public:
    std::vector<std::string> sentences;

    void expect(bool right, const std::string& subject, const json& got, const json& wanted) {
        if (!right) sentences.push_back(subject + " is " + got.dump() + ", expected " + wanted.dump());
    }
    void equal(const std::string& subject, const json& got, const json& wanted) {
        expect(got == wanted, subject, got, wanted);
    }
};

void check_address(Findings& findings, const json& socket, const json& truth) {
    bool mapped = truth.at("family") == "mapped";
    auto address = [&](const std::string& end, const std::string& wanted) {
        const json& got = socket.at(end).at("address");
        findings.expect(got == wanted || (mapped && got == "::ffff:" + wanted), end + " address", got,
                        wanted);
    };
    address("local", truth.at("local_address"));
    address("remote", truth.at("remote_address"));
    const json& family = socket.at("family");
    findings.expect(family == truth.at("family") || (mapped && (family == "ipv4" || family == "ipv6")),
                    "family", family, truth.at("family"));
    if (truth.contains("netns")) findings.equal("netns", socket.at("netns"), truth.at("netns"));
}

// Told from a census alone, who opened the connection may be unknown; it may never be wrong.
void check_state(Findings& findings, const json& socket, const json& truth, Tracing tracing) {
    const json& role = socket.at("role");
    bool honest = tracing == Tracing::after && role == "unknown" && truth.at("cause") != "idle-in-pool";
    findings.expect(role == truth.at("role") || honest, "role", role, truth.at("role"));
    for (const char* key : {"accepted", "eof_read", "unread_bytes"}) {
        if (truth.at(key).is_null()) continue;
        bool unknown =
            tracing == Tracing::after && key == std::string("accepted") && socket.at(key).is_null();
        findings.expect(socket.at(key) == truth.at(key) || unknown, key, socket.at(key), truth.at(key));
    }
}

void check_holders(Findings& findings, const json& socket, const json& truth) {
    using Set = std::set<std::pair<int, int>>;
    auto set_of = [](const json& holders) {
        Set set;
        for (const json& holder : holders) set.emplace(holder.at("pid"), holder.at("fd"));
        return set;
    };
    Set got = set_of(socket.at("holders"));
    Set wanted = set_of(truth.at("holders"));
    findings.expect(got == wanted, "holders (pid, fd)", got, wanted);
    const json& peer = socket.at("peer").at("local_holder");
    if (!peer.is_null() && truth.contains("peer")) {
        findings.equal("peer pid", peer.at("pid"), truth.at("peer").at("pid"));
        findings.equal("peer fd", peer.at("fd"), truth.at("peer").at("fd"));
    }
}

// A thread is the right one or null with the reason. After end-of-file was seen being read, it must be named,
// unless another thread was awake since and may have been given the connection.
void check_culprit(Findings& findings, const json& socket, const json& truth, Tracing tracing) {
    json culprit = socket.at("culprit");
    if (culprit.is_null()) culprit = {{"pid", nullptr}, {"tid", nullptr}, {"basis", nullptr}};
    const json& pid = culprit.at("pid");
    const json& tid = culprit.at("tid");
    const json& wanted_tid = truth.at("tid").is_null() ? truth.at("pid") : truth.at("tid");
    findings.expect(pid.is_null() || pid == truth.at("pid"), "culprit pid", pid, truth.at("pid"));
    findings.expect(tid.is_null() || tid == wanted_tid, "culprit tid", tid, wanted_tid);
    findings.expect(tid.is_null() || !truth.value("nobody_to_name", false), "culprit tid", tid, nullptr);
    const bool open = tid.is_null() && socket.at("cause").at("confidence") == "possible";
    bool seen = !open && tracing != Tracing::after && truth.at("seen_reading").get<bool>();
    findings.expect(!seen || tid == wanted_tid, "culprit tid, seen by the tracer", tid, wanted_tid);
    findings.expect(!seen || culprit.at("basis") == "read-eof", "basis", culprit.at("basis"), "read-eof");
    if (tid.is_null())
        findings.expect(!socket.at("cause").at("evidence").empty(), "evidence for a culprit without a thread",
                        socket.at("cause").at("evidence"), "the reason");
}

void check_cause(Findings& findings, const json& socket, const json& truth, Tracing tracing) {
    std::set<std::string> right{truth.at("cause").get<std::string>()};
    for (const json& id : truth.at("acceptable")) right.insert(id);
    bool missed =
        tracing == Tracing::after || (tracing == Tracing::before_fin && truth.value("decided_early", false));
    if (missed)
        for (const json& id : truth.at("acceptable_untraced")) right.insert(id);
    // For ten seconds somebody may still come by, or a loop may hold back on purpose; leaks_test.cpp and
    // event_loop_test.cpp see what is said after that.
    bool young = socket.at("held_ns").get<std::int64_t>() < may_answer_ns;
    const std::set<std::string> wait_and_see{"eof-ignored",  "abandoned",    "idle-in-pool",
                                             "duplicate-fd", "inherited-fd", "unwatched-event"};
    const bool may_wait =
        std::ranges::any_of(right, [&](const auto& id) { return wait_and_see.contains(id); });
    if (young && may_wait) right.insert("unknown");
    const json& cause = socket.at("cause");
    findings.expect(right.contains(cause.at("id").get<std::string>()), "cause", cause.at("id"), right);
    const std::set<std::string> levels{"proven", "likely", "possible"};
    findings.expect(levels.contains(cause.at("confidence")), "confidence", cause.at("confidence"), levels);
    findings.expect(!cause.at("summary").get<std::string>().empty(), "summary", cause.at("summary"),
                    "a sentence");
}

// The first link of the chain is the culprit, with what it waits for, and for whom.
void check_wait(Findings& findings, const json& socket, const json& truth) {
    const json& cause = socket.at("cause");
    const std::string wanted = truth.value("waits_for", "");
    if (wanted.empty() || (cause.at("id") != "handler-blocked" && cause.at("id") != "deadlock")) return;
    if (cause.at("because").empty()) return findings.equal("because", cause.at("because"), wanted);
    const json& link = cause.at("because").front();
    findings.equal("waits_for", link.at("waits_for"), wanted);
    const std::string detail = link.at("detail");
    const std::string part = truth.value("wait_detail", "");
    findings.expect(detail.find(part) != std::string::npos, "detail", detail, part);
    const auto waits_for = [&](const char* key, const json& whom) {
        if (!whom.is_null())
            findings.expect(link.at("on").is_object() && link.at("on").at(key) == whom, "on", link.at("on"),
                            whom);
    };
    waits_for("pid", truth.value("lock_holder", json()));
    waits_for("tid", truth.value("lock_owner", json()));
}

// From the clock readings around the FIN. A lower bound may fall short of the truth, but never exceed it.
void check_hold(Findings& findings, const json& socket, const json& truth, Tracing tracing) {
    bool exact = tracing != Tracing::after;
    findings.equal("held_precision", socket.at("held_precision"), exact ? "exact" : "at-least");
    std::int64_t since = boot_ns_of(socket.at("held_since"));
    std::int64_t before = truth.at("fin_before_ns");
    std::int64_t after = truth.at("fin_after_ns");
    std::int64_t latest = after + (exact ? exact_ns : below_ns);
    std::int64_t earliest = before - exact_ns - (exact ? 0 : late_ticks_ns());
    findings.expect(since >= earliest, "held_since, ns after the FIN", since - before, ">= 0 (-0.1 ms)");
    bool bounded = exact || truth.at("quiet").get<bool>();  // what the peer sends later weakens a lower bound
    findings.expect(since <= latest || !bounded, "held_since, ns after the FIN", since - after,
                    exact ? "<= 0.1 ms" : "<= 25 ms");
}

}  // namespace

std::vector<std::string> disagreements(const json& socket, const json& truth, Tracing tracing) {
    Findings findings;
    check_address(findings, socket, truth);
    check_state(findings, socket, truth, tracing);
    check_holders(findings, socket, truth);
    if (!socket.contains("cause") || socket.at("cause").is_null()) {
        findings.sentences.emplace_back("there is no diagnosis");
        return findings.sentences;
    }
    check_culprit(findings, socket, truth, tracing);
    check_cause(findings, socket, truth, tracing);
    check_wait(findings, socket, truth);
    check_hold(findings, socket, truth, tracing);
    return findings.sentences;
}

std::vector<std::string> closing_disagreements(const json& event, const json& truth, const json& closed,
                                               Tracing tracing) {
    Findings findings;
    const json& closer = event.at("closer");
    if (closer.is_null())
        findings.equal("closer", closer, closed);
    else {
        findings.equal("closer pid", closer.at("pid"), closed.at("closer_pid"));
        findings.equal("closer tid", closer.at("tid"), closed.at("closer_tid"));
    }
    std::int64_t held = event.at("socket").at("held_ns");
    std::int64_t shortest =
        closed.at("close_before_ns").get<std::int64_t>() - truth.at("fin_after_ns").get<std::int64_t>();
    std::int64_t longest =
        closed.at("close_after_ns").get<std::int64_t>() - truth.at("fin_before_ns").get<std::int64_t>();
    std::int64_t low = shortest - (tracing == Tracing::after ? below_ns : exact_ns);
    bool bounded = tracing != Tracing::after || truth.value("quiet", true);
    findings.expect(held >= low || !bounded, "held_ns of closed", held, shortest);
    std::int64_t high = longest + exact_ns + (tracing == Tracing::after ? late_ticks_ns() : 0);
    findings.expect(held <= high, "held_ns of closed", held, longest);
    return findings.sentences;
}

const json* fact_of(const json& cause, std::string_view name) {
    const json& evidence = cause.at("evidence");
    const auto found =
        std::ranges::find_if(evidence, [&](const json& one) { return one.at("fact") == name; });
    return found == evidence.end() ? nullptr : &*found;
}

std::string joined(const std::vector<std::string>& sentences) {
    std::string text;
    for (const std::string& sentence : sentences) text += "\n  " + sentence;
    return text;
}

}  // namespace runtime
