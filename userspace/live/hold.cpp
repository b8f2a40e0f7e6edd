// SPDX-License-Identifier: BSD-2-Clause
// One hold in full: who, why, its life so far, what the thread does, the evidence, and what to do.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "diagnose/wait.h"
#include "live/life.h"
#include "live/views.h"
#include "output/escape.h"
#include "output/format.h"
#include "output/json.h"
#include "output/labels.h"
#include "output/story.h"
#include "output/watch_text.h"

namespace waitclose::live {
namespace {

using output::duration_text;

void add_holders(Text& text, const Canvas& canvas, const model::Socket& socket) {
    constexpr std::size_t kShown = 6;
    const model::Census& census = *canvas.picture.census;
    const auto holders = census.holders_of(socket);
    if (holders.empty())
        text.add("held by", socket.listener != model::kNone ? "no program yet: it waits in an accept queue"
                                                            : "no descriptor that can be seen here");
    for (std::size_t i = 0; i < std::min(kShown, holders.size()); ++i) {
        const model::Process& process = census.process_of(holders[i]);
        std::string line =
            fmt::format("{} fd {}{}", output::process_text(process.comm, process.pid, canvas.style),
                        holders[i].fd, holders[i].close_on_exec ? ", close-on-exec" : "");
        if (process.exe) line += ", " + canvas.clean(*process.exe);
        if (process.cgroup) line += ", cgroup " + canvas.clean(*process.cgroup);
        text.add(i == 0 ? "held by" : "", line);
    }
    if (holders.size() > kShown) text.add("", fmt::format("and {} more", holders.size() - kShown));
}

std::string culprit_line(const Canvas& canvas, const diagnose::Diagnosis& diagnosis) {
    if (!accuses(diagnosis.cause)) return "nobody is accused";
    if (!diagnosis.culprit) return "nobody is named; the evidence says why";
    const diagnose::Culprit& culprit = *diagnosis.culprit;
    const std::string name = output::culprit_text(diagnosis, canvas.style);
    const char* perhaps = diagnosis.confidence == diagnose::Confidence::kPossible ? "perhaps " : "";
    return culprit.tid ? fmt::format("{}thread {} of process {} (basis: {})", perhaps, name, culprit.pid,
                                     diagnose::id_of(culprit.basis))
                       : fmt::format("{}process {}; no single thread can be named", perhaps, name);
}

const model::Thread* culprit_thread(const Canvas& canvas, const diagnose::Diagnosis& diagnosis) {
    if (!diagnosis.culprit || !diagnosis.culprit->tid) return nullptr;
    const model::Process* process = find_process(canvas.picture, diagnosis.culprit->pid);
    if (!process) return nullptr;
    const auto threads = canvas.picture.census->threads_of(*process);
    const auto found = std::ranges::find_if(
        threads, [&](const model::Thread& thread) { return thread.tid == *diagnosis.culprit->tid; });
    return found == threads.end() ? nullptr : &*found;
}

void add_kernel_stack(Text& text, const Canvas& canvas, const model::Thread& thread) {
    constexpr std::size_t kShown = 8;
    if (!thread.kernel_stack || thread.kernel_stack->empty()) return;
    std::string frames;
    for (std::size_t i = 0; i < std::min(kShown, thread.kernel_stack->size()); ++i)
        frames += (i == 0           ? ""
                   : canvas.ascii() ? " < "
                                    : " ‹ ") +
                  canvas.clean((*thread.kernel_stack)[i].empty() ? "?" : (*thread.kernel_stack)[i]);
    text.add("in kernel", frames);
}

void add_did(Text& text, const Canvas& canvas, const diagnose::Diagnosis& diagnosis) {
    const model::Thread* thread = culprit_thread(canvas, diagnosis);
    if (!thread) return;
    const auto& window = canvas.picture.census->window;
    const model::ThreadTime* time = window ? window->find(thread->tid, thread->start_ns) : nullptr;
    if (time && time->length_ns() > 0) {
        const std::vector<Share> shares = shares_of(*time);
        const std::string over = fmt::format("  in the last {}", duration_text(time->length_ns()));
        const std::size_t left = kLabelWidth + 2 + over.size();
        Spans drawn = bar(shares, std::min<std::size_t>(60, canvas.width() - std::min(canvas.width(), left)),
                          canvas.style.charset);
        drawn.push_back({over, Role::kDim});
        text.line("it did", std::move(drawn));
        text.line("", legend(shares, canvas.style.charset));
    }
    add_kernel_stack(text, canvas, *thread);
}

void add_life(Text& text, const Canvas& canvas, const model::Socket& socket) {
    const std::size_t width = std::min<std::size_t>(60, canvas.width() - kLabelWidth - 4);
    const std::vector<Share> life = life_of(canvas.picture, socket);
    if (life.size() > 1) text.line("its life", bar(life, width, canvas.style.charset));
    text.add(life.size() > 1 ? "" : "its life", life_text(canvas, socket));
}

void add_evidence(Text& text, const Canvas& canvas, const diagnose::Diagnosis& diagnosis) {
    if (!diagnosis.contributing.empty())
        text.add("also", canvas.clean(fmt::format("{}", fmt::join(diagnosis.contributing, ", "))),
                 Role::kWarning);
    const char* label = "measured";
    for (const diagnose::Evidence& fact : diagnosis.evidence) {
        text.add(label, canvas.clean(fact.text));
        label = "";
    }
}

}  // namespace

bool chain_is_story(const diagnose::Diagnosis& diagnosis) {
    const bool waits =
        diagnosis.cause == diagnose::Cause::kHandlerBlocked || diagnosis.cause == diagnose::Cause::kDeadlock;
    return waits && diagnosis.because.size() > 1;
}

void add_chain(Text& text, const Canvas& canvas, const std::vector<diagnose::Link>& chain) {
    const char* branch = canvas.ascii() ? "`-> " : "└▶ ";
    for (std::size_t i = 0; i < chain.size(); ++i) {
        const diagnose::Link& link = chain[i];
        const bool elsewhere = i > 0 && chain[i - 1].pid != link.pid && link.pid != link.tid;
        std::string line = i == 0 ? "" : fmt::format("{}{}", branch, output::relation_of(chain[i - 1]));
        line += output::process_text(link.comm, link.tid, canvas.style);
        line += canvas.clean(output::in_function(link));
        if (link.waits_for == "nothing")
            line += " runs";
        else
            line += fmt::format("{} {}{}: {}", elsewhere ? fmt::format(" of pid {}", link.pid) : "",
                                diagnose::phrase_of(link.waits_for),
                                link.for_ns ? " for " + duration_text(*link.for_ns) : "",
                                canvas.clean(link.detail));
        text.add(i == 0 ? "it waits" : "", line, Role::kPlain, i == 0 ? 0 : 3 * (i - 1));
    }
    if (chain.size() < 2 || !chain.back().on) return;
    const auto back = std::ranges::find(chain, chain.back().on->tid, &diagnose::Link::tid);
    if (back == chain.end()) return;
    text.add("",
             fmt::format("{}back to {}: a circle", branch,
                         output::process_text(back->comm, back->tid, canvas.style)),
             Role::kAlarm, 3 * (chain.size() - 1));
}

void draw_hold(Canvas& canvas, std::size_t row) {
    const model::Socket* socket = socket_of(canvas.state, canvas.picture);
    Text text(canvas);
    const auto end = end_of(canvas.state, canvas.picture);
    if (end)
        text.add("ended",
                 fmt::format("{}, held {}", output::ending_text(end->left, canvas.style),
                             duration_text(end->held_ns)),
                 Role::kGood);
    if (!socket && end)
        text.add(
            "socket",
            fmt::format("{}, peer {}", output::endpoint_text(end->connection.family, end->connection.local),
                        output::endpoint_text(end->connection.family, end->connection.remote)),
            Role::kStrong);
    if (!socket) {
        text.add("", "This hold has ended. Esc goes back.");
        return text.draw(canvas, row);
    }
    if (end) text.add("", "What stands below was true at the last look before that.");
    const diagnose::Diagnosis diagnosis = canvas.picture.explain(*socket);
    text.line(
        "socket",
        {{output::connection_text(socket->role, socket->family, socket->local, socket->remote, canvas.style),
          Role::kStrong},
         {"  id " + output::id_text({socket->netns, socket->cookie}), Role::kDim}});
    text.add("cause", cause_text(diagnosis.cause, diagnosis.confidence),
             role_of(diagnosis.cause, diagnosis.confidence));
    if (!chain_is_story(diagnosis))
        text.add(why_label(diagnosis.cause, diagnosis.confidence), canvas.clean(diagnosis.summary),
                 Role::kStrong);
    text.add("culprit", culprit_line(canvas, diagnosis), Role::kStrong);
    add_chain(text, canvas, diagnosis.because);
    text.add("what to do", canvas.clean(diagnosis.advice));
    add_holders(text, canvas, *socket);
    add_life(text, canvas, *socket);
    add_did(text, canvas, diagnosis);
    add_evidence(text, canvas, diagnosis);
    text.draw(canvas, row);
}

}  // namespace waitclose::live
