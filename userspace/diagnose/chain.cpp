// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/chain.h"

#include <algorithm>

#include <fmt/format.h>

#include "diagnose/text.h"
#include "diagnose/wait.h"

namespace waitclose::diagnose {

using model::Provider;
using model::Question;

namespace {

/// Whom a wait is for, where the chain cannot say it by going on: the process without the thread, or how many
/// there are.
std::string provider_text(const model::Census& census, const Provider& next, bool is_child) {
    const char* whose = is_child ? "child" : "at the other end";
    if (next.processes > 1)
        return is_child ? fmt::format("; any of {} children", next.processes)
                        : fmt::format("; {}: {} processes", whose, next.processes);
    if (next.processes == 0) return next.hidden ? fmt::format("; {}: nobody who could be found", whose) : "";
    if (next.hidden) return fmt::format("; {}: 1 process, and one that could not be found", whose);
    if (!next.process) return fmt::format("; {}: pid {}", whose, next.end->pid);
    const std::string name = fmt::format("; {}: {}", whose, process_text(*next.process));
    if (next.thread) return name;
    const auto threads = census.threads_of(*next.process);
    return fmt::format("{}, one of {} threads", name, std::ranges::count_if(threads, is_live));
}

Link link_of(const model::Census& census, const model::Step& step) {
    const model::Thread& thread = *step.thread;
    Wait wait = wait_of(thread);
    Link link{
        step.process->pid,      thread.tid,   thread.comm,        std::string(id_of(wait.what)), std::nullopt,
        std::move(wait.detail), std::nullopt, function_of(thread)};
    if (const auto question = model::question_of(*step.process, thread))
        link.detail += provider_text(census, step.next, question->kind == Question::Kind::kChildren);
    if (thread.asleep_since_ns && *thread.asleep_since_ns <= census.taken_ns)
        link.for_ns = census.taken_ns - *thread.asleep_since_ns;
    if (step.next.thread)
        link.on = ThreadId{step.next.process->pid, step.next.thread->tid};
    else if (thread.lock_holder)
        link.on = ThreadId{thread.lock_holder->pid, 0};
    return link;
}

std::string name_of(const Link& link, std::uint32_t pid_before) {
    std::string about = link.pid == pid_before ? "" : fmt::format("pid {}", link.pid);
    if (!link.function.empty())
        about += fmt::format("{}in {}", about.empty() ? "" : ", ", function_text(link.function));
    return about.empty() ? link.comm : fmt::format("{} ({})", link.comm, about);
}

}  // namespace

Chain chain_from(const model::Census& census, const model::Process& process, const model::Thread& first) {
    const model::Steps followed = model::follow_waits(census, process, first);
    Chain chain;
    chain.returns = followed.end == model::ChainEnd::kReturns;
    chain.deadlock = followed.deadlock;
    chain.circle = chain.returns ? followed.steps.size() - followed.returns_to : 0;
    for (const model::Step& step : followed.steps) {
        chain.links.push_back(link_of(census, step));
        chain.by_memory = chain.by_memory || step.thread->lock_owner_tid.has_value();
    }
    return chain;
}

std::string end_of_chain_text(const Chain& chain) {
    if (chain.links.size() < 2) return "";
    const Link& last = chain.links.back();
    std::string text;
    for (std::size_t i = 1; i < chain.links.size(); ++i)
        text += fmt::format("{}{}", i == 1 ? "; it waits for " : ", which waits for ",
                            name_of(chain.links[i], chain.links[i - 1].pid));
    if (chain.returns) {
        const Link& again = chain.links[chain.links.size() - chain.circle];
        return text + fmt::format(", which waits for {} again", name_of(again, last.pid));
    }
    const std::string slept = last.for_ns ? " for " + duration_text(*last.for_ns) : "";
    if (last.waits_for == id_of(WaitClass::kNothing)) return text + ", which runs";
    return text + fmt::format(", which is in {}{}", last.detail, slept);
}

}  // namespace waitclose::diagnose
