// SPDX-License-Identifier: BSD-2-Clause
// Who and what appears in the HTML report, numbered: processes, threads, and holds in the order of telling.
#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "timeline/html_report.h"

namespace waitclose::timeline {

class ReportCast {
public:
    /// The timeline must outlive it.
    ReportCast(const Timeline& timeline, const ReportWords& words, const ReportLimits& limits);

    struct Process {
        std::uint32_t pid = 0;
        StringId comm = StringId::kNone;
        const timeline::Process* known = nullptr;
    };
    struct Thread {
        std::optional<std::uint32_t> process;
        std::uint32_t tid = 0;
        StringId comm = StringId::kNone;
        const timeline::Thread* track = nullptr;
        bool involved = false;  // a culprit, a closer, or part of a wait chain
    };

    const std::vector<Process>& processes() const { return processes_; }
    const std::vector<Thread>& threads() const { return threads_; }

    /// Indices into Timeline::holds: the typical ones of the groups, then by turns the one of each group that
    /// was held longest. A group has its part whatever the limit.
    const std::vector<std::uint32_t>& holds() const { return holds_; }

    /// Nothing when no process is known to have it.
    std::optional<std::uint32_t> process_of(const Hold& hold) const;
    /// Ids are given again: it is the one that lived while the hold lasted, or had that name.
    std::optional<std::uint32_t> thread_of(const Hold& hold, std::uint32_t pid, std::uint32_t tid,
                                           StringId comm) const;
    std::optional<std::uint32_t> closer_of(const Hold& hold) const;

    /// How many of the groups the page has.
    std::size_t groups() const { return groups_; }

    /// Nothing when it belongs to none of these.
    std::optional<std::uint32_t> group_of(std::uint32_t hold) const;

private:
    using Key = std::pair<std::uint32_t, std::uint32_t>;  // pid, tid
    struct Part {                                         // in a hold
        Key who;
        StringId comm = StringId::kNone;
        std::uint64_t from_ns = 0;
        std::uint64_t to_ns = 0;
    };

    void add_tracks();
    void add_people();
    void involve(const Hold& hold, const Part& part);
    std::optional<std::uint32_t> find(const Part& part) const;
    std::optional<std::uint32_t> process_by_pid(const Hold& hold, std::uint32_t pid) const;
    static Part part_of(const Hold& hold, std::uint32_t pid, std::uint32_t tid, StringId comm);
    static Part closing_of(const Deed& closed);
    void order_holds(std::size_t most);

    const Timeline& timeline_;
    const ReportWords& words_;
    std::size_t groups_;
    std::vector<Process> processes_;
    std::vector<Thread> threads_;
    std::vector<std::uint32_t> holds_;
    std::map<std::uint32_t, std::uint32_t> by_pid_;
    std::multimap<Key, std::uint32_t> by_tid_;
};

}  // namespace waitclose::timeline
