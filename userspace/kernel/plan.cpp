// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/plan.h"

#include <algorithm>
#include <array>

namespace waitclose::kernel {
namespace {

constexpr std::array<std::string_view, 1> kTransitionPrograms{"on_transition"};
constexpr std::array<std::string_view, 1> kReadPrograms{"on_receive"};
constexpr std::array<std::string_view, 1> kWritePrograms{"on_send"};
constexpr std::array<std::string_view, 2> kAcceptPrograms{"on_accept_exit", "on_accept4_exit"};
constexpr std::array<std::string_view, 1> kClosePrograms{"on_close_enter"};

// tp_btf needs 5.5; each "since" is that of the rarer of the two.
constexpr std::array kTransition{Alternative{"tp_btf/inet_sock_set_state", kTransitionPrograms, "5.5"}};
constexpr std::array kRead{Alternative{"tp_btf/sock_recv_length", kReadPrograms, "6.3"}};
constexpr std::array kWrite{Alternative{"tp_btf/sock_send_length", kWritePrograms, "6.3"}};
constexpr std::array kAccept{Alternative{"tp/syscalls/sys_exit_accept", kAcceptPrograms, "4.7"}};
constexpr std::array kClose{Alternative{"tp/syscalls/sys_enter_close", kClosePrograms, "4.7"}};

constexpr std::array kNeeds{
    Need{"transition", true, "no hold is seen beginning or ending", kTransition},
    Need{"read", false, "which thread read end-of-file is not known; only that it was read", kRead},
    Need{"write", false, "bytes sent after the peer's FIN are not counted; half-open streams stay unknown",
         kWrite},
    Need{"accept", false, "which thread accepted a connection is not known", kAccept},
    Need{"close", false, "a close() that left another descriptor open is not seen", kClose},
};

}  // namespace

std::span<const Need> all_needs() {
    return kNeeds;
}

Plan make_plan(std::span<const Need> needs, const Refusals& refused) {
    Plan plan;
    for (const Need& need : needs) {
        const auto usable = std::find_if(need.alternatives.begin(), need.alternatives.end(),
                                         [&](const Alternative& one) { return !refused.contains(one.hook); });
        plan.push_back(usable == need.alternatives.end() ? nullptr : &*usable);
    }
    return plan;
}

bool is_hook(std::string_view name) {
    return std::any_of(kNeeds.begin(), kNeeds.end(), [&](const Need& need) {
        return std::any_of(need.alternatives.begin(), need.alternatives.end(),
                           [&](const Alternative& one) { return one.hook == name; });
    });
}

model::ProbeFacts probe_facts(std::span<const Need> needs, const Plan& plan, bool traces) {
    model::ProbeFacts facts;
    facts.hooks.emplace_back("census", "iter/tcp, iter/task_file, iter/task");
    for (std::size_t i = 0; traces && i < needs.size(); ++i) {
        if (plan[i])
            facts.hooks.emplace_back(needs[i].name, plan[i]->hook);
        else
            facts.missing.emplace_back(needs[i].name);
    }
    return facts;
}

}  // namespace waitclose::kernel
