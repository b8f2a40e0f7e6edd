// SPDX-License-Identifier: BSD-2-Clause
#include "race_ledger.h"

#include <algorithm>
#include <ranges>

namespace runtime {

namespace {

using race::Entry;
using race::Kind;

constexpr int any_fd = -1;

bool overlap(std::int64_t begin, std::int64_t end, const Span& span) {
    return begin <= span.until_ns && (end == 0 || end >= span.from_ns);
}

template <typename Map, typename Key>
auto all_of_key(const Map& map, const Key& key) {
    const auto [first, last] = map.equal_range(key);
    return std::ranges::subrange(first, last) | std::views::values;
}

}  // namespace

RaceLedger::RaceLedger(const race::Ledger& ledger, std::uint32_t port) : ledger_(ledger), port_(port) {
    const std::uint32_t processes = std::min(ledger.processes.load(), race::Ledger::most_processes);
    for (std::uint32_t i = 0; i < processes; ++i) by_pid_.emplace(ledger.process[i].pid.load(), i);
    const std::uint32_t entries = std::min(ledger.entries.load(), race::Ledger::most_entries);
    for (std::uint32_t i = 0; i < entries; ++i) {
        const Entry& entry = ledger.entry[i];
        if (!entry.known) continue;
        if (entry.kind == Kind::thread)
            threads_of_.emplace(entry.process, &entry);
        else
            by_port_.emplace(entry.port, &entry);
    }
}

bool RaceLedger::is_about(const json& socket) const {
    return socket.at("local").at("port") == port_;
}

// Null is honest: it went away while it was looked at. Its own name, or that of one of those it was forked
// from, until it took its own; or after an exec, the program's.
bool RaceLedger::names(std::uint32_t process, const json& name) const {
    if (name.is_null()) return true;
    const std::string comm = name;
    if (comm == "race" || comm == "exe") return true;
    for (;; process = ledger_.process[process].parent) {
        if (process == 0) return false;
        if (comm.starts_with("r" + std::to_string(process) + ".")) return true;
    }
}

bool RaceLedger::lived(std::uint32_t process, const Span& span) const {
    return overlap(ledger_.process[process].begin_ns, ledger_.process[process].end_ns, span);
}

bool RaceLedger::held(std::uint32_t process, std::uint32_t port, int fd, const Span& span) const {
    return std::ranges::any_of(all_of_key(by_port_, port), [&](const Entry* entry) {
        return entry->kind == Kind::held && entry->process == process &&
               (fd == any_fd || entry->number == fd) && overlap(entry->begin_ns, entry->end_ns, span);
    });
}

std::vector<std::uint32_t> RaceLedger::processes(int pid, const Span& span) const {
    std::vector<std::uint32_t> found;
    for (const std::uint32_t process : all_of_key(by_pid_, pid))
        if (lived(process, span)) found.push_back(process);
    return found;
}

bool RaceLedger::right_holder(const json& holder, std::uint32_t port, const Span& span) const {
    return std::ranges::any_of(processes(holder.at("pid"), span), [&](std::uint32_t process) {
        return held(process, port, holder.at("fd"), span) && names(process, holder.at("comm"));
    });
}

bool RaceLedger::did(std::uint32_t process, std::uint32_t thread, std::uint32_t port,
                     const std::string& basis, const Span& span) const {
    const auto fits = [&](const Entry& entry) {
        if (basis == "read-eof") return entry.kind == Kind::read_eof;
        if (basis == "opened") return entry.kind == Kind::accepted;
        return entry.kind != Kind::held;
    };
    return std::ranges::any_of(all_of_key(by_port_, port), [&](const Entry* entry) {
        return entry->process == process && entry->thread == thread && entry->begin_ns <= span.until_ns &&
               fits(*entry);
    });
}

bool RaceLedger::right_thread(const json& culprit, std::uint32_t process, std::uint32_t port,
                              const Span& span) const {
    const int tid = culprit.at("tid");
    const json& comm = culprit.at("comm");
    const std::string basis = culprit.at("basis");
    // The first thread of all only starts the others; an exec makes its tid that of the thread which called
    // it.
    if (tid == ledger_.process[process].pid) return names(process, comm);
    const bool by_deed = basis == "read-eof" || basis == "opened" || basis == "last-touch";
    return std::ranges::any_of(all_of_key(threads_of_, process), [&](const Entry* thread) {
        return thread->number == tid && overlap(thread->begin_ns, thread->end_ns, span) &&
               (!by_deed || did(process, thread->thread, port, basis, span)) && names(process, comm);
    });
}

bool RaceLedger::right_culprit(const json& culprit, const json& socket, const Span& span) const {
    const std::uint32_t port = socket.at("remote").at("port");
    const bool in_queue =
        socket.at("cause").at("id") == "never-accepted" || socket.at("cause").at("id") == "fd-limit";
    return std::ranges::any_of(processes(culprit.at("pid"), span), [&](std::uint32_t process) {
        if (!in_queue && !held(process, port, any_fd, span)) return false;
        if (process == 0) return in_queue;
        return culprit.at("tid").is_null() ? names(process, culprit.at("comm"))
                                           : right_thread(culprit, process, port, span);
    });
}

std::vector<std::string> RaceLedger::wrong_names(const json& socket, const Span& looked) const {
    std::vector<std::string> wrong;
    const std::uint32_t port = socket.at("remote").at("port");
    for (const json& holder : socket.at("holders"))
        if (!right_holder(holder, port, looked)) wrong.push_back("no such holder: " + holder.dump());
    const json& culprit = socket.at("culprit");
    if (!culprit.is_null() && !right_culprit(culprit, socket, looked))
        wrong.push_back("it cannot be the culprit: " + culprit.dump());
    const json& peer = socket.at("peer").at("local_holder");
    // A worker has its judge's descriptors for the moment before it closes them.
    if (!peer.is_null() && processes(peer.at("pid"), looked).empty())
        wrong.push_back("it cannot be the peer: " + peer.dump());
    return wrong;
}

// For whoever has to find out why: each hold of that connection, in microseconds before and after the moment.
std::string RaceLedger::holds_of(std::uint32_t port, const Span& span) const {
    const std::int64_t middle_ns = (span.from_ns + span.until_ns) / 2;
    std::string text;
    for (const Entry* entry : all_of_key(by_port_, port)) {
        if (entry->kind != Kind::held) continue;
        text += "\n  process " + std::to_string(entry->process) + " (pid " +
                std::to_string(ledger_.process[entry->process].pid) + ") held fd " +
                std::to_string(entry->number) + " from " +
                std::to_string((entry->begin_ns - middle_ns) / 1000) + " us until " +
                (entry->end_ns == 0 ? "its end" : std::to_string((entry->end_ns - middle_ns) / 1000) + " us");
    }
    return text;
}

std::vector<std::string> RaceLedger::wrong_closer(const json& event, const Span& closed) const {
    const json& closer = event.at("closer");
    if (closer.is_null()) return {};
    const std::uint32_t port = event.at("socket").at("remote").at("port");
    for (const std::uint32_t process : processes(closer.at("pid"), closed))
        if (held(process, port, any_fd, closed) && names(process, closer.at("comm"))) return {};
    return {"it cannot have closed it: " + closer.dump() + holds_of(port, closed)};
}

}  // namespace runtime
