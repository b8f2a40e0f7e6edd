// SPDX-License-Identifier: BSD-2-Clause
#include "replay/doings.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include <sys/syscall.h>

#include "diagnose/chain.h"
#include "diagnose/roster.h"
#include "diagnose/text.h"
#include "diagnose/wait.h"
#include "model/give_stacks.h"
#include "model/syscalls.h"
#include "replay/words.h"

namespace waitclose::replay {

using diagnose::WaitClass;
using model::Census;
using model::Process;
using model::Thread;

namespace {

/// Chains are followed for so many ways of doing something.
constexpr std::size_t kMostDoings = 64;
/// On a CPU, or waiting for one, for so much of the capture: it computes.
constexpr double kBusyShare = 0.8;
/// In the same wait, again and again, for so much of the capture.
constexpr double kSameShare = 0.8;

double share(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

bool is_busy(const model::ThreadActivity& then) {
    std::uint64_t ns = 0;
    for (const model::Interval& one : then.intervals)
        if (one.doing == model::Doing::kRunning || one.doing == model::Doing::kRunnable)
            ns += one.end_ns - one.begin_ns;
    return share(ns, then.to_ns - then.from_ns) >= kBusyShare;
}

/// It was in the system call in which it is now, and on the same descriptor or lock, most of the time.
bool did_the_same(const model::Activity& activity, const model::ThreadActivity& then, const Thread& now) {
    std::uint64_t ns = 0;
    for (const model::Interval& one : then.intervals) {
        if (one.doing != model::Doing::kBlocked || one.sleep >= activity.sleeps.size()) continue;
        const model::Sleep& sleep = activity.sleeps[one.sleep];
        if (sleep.syscall && sleep.syscall == now.syscall && sleep.arguments[0] == now.arguments[0])
            ns += one.end_ns - one.begin_ns;
    }
    return share(ns, then.to_ns - then.from_ns) >= kSameShare;
}

/// On a connection that this process accepted.
bool is_for_client(const Census& census, const Thread& thread) {
    if (!thread.file || thread.file->kind != model::FileKind::kTcp || thread.file->local_port == 0)
        return false;
    const auto is_of = [&](const model::Socket& listener) {
        return listener.local.port == thread.file->local_port;
    };
    return model::uses_of(thread)[0].access == model::Access::kRead &&
           (std::ranges::any_of(census.listeners, is_of) ||
            std::ranges::any_of(census.sockets, [&](const model::Socket& held) {
                return held.role == model::Role::kServer && is_of(held);
            }));
}

/// What it polls for is its program's secret: the next piece of work, or what one piece of work needs. An
/// epoll is the loop of a server, as a rule.
bool is_polling(const Thread& thread) {
    return thread.syscall && model::waits_for_work(thread) && model::watches_descriptors(*thread.syscall) &&
           !model::waits_on_epoll(*thread.syscall);
}

/// For a signal, as the first thread of a server does that has given all its work to others.
bool waits_for_signal(const Thread& thread) {
    constexpr std::array<long, 2> kCalls{SYS_rt_sigtimedwait, SYS_rt_sigsuspend};
    if (!thread.syscall) return false;
#ifdef SYS_pause
    if (*thread.syscall == static_cast<std::uint32_t>(SYS_pause)) return true;
#endif
    return std::ranges::find(kCalls, static_cast<long>(*thread.syscall)) != kCalls.end();
}

/// On a futex whose owner nobody knows: a condition variable, mostly.
bool is_parked(const Thread& thread) {
    if (waits_for_signal(thread)) return true;
    return thread.syscall == static_cast<std::uint32_t>(SYS_futex) && !thread.lock_owner_tid;
}

class Judge {
public:
    Judge(const Census& census, const Process& process, const model::Activity& activity,
          const model::ActivityIndex& index)
        : census_(census), process_(process), activity_(activity), index_(index) {}

    Interest of(const Thread& thread) const {
        const model::ThreadActivity* then = followed(thread);
        if (then != nullptr && is_busy(*then)) return Interest::kBusy;
        if (is_polling(thread)) return Interest::kPolling;
        if (is_parked(thread) || diagnose::waits_for_orders(census_, process_, thread))
            return Interest::kIdleLike;
        if (is_for_client(census_, thread)) return Interest::kClient;
        return lasts(thread, then) ? by_class(diagnose::wait_of(thread).what) : Interest::kBrief;
    }

private:
    const model::ThreadActivity* followed(const Thread& thread) const {
        return index_.find(process_.pid, process_.start_ns, thread.tid, thread.start_ns);
    }

    bool lasts(const Thread& thread, const model::ThreadActivity* then) const {
        const std::uint64_t captured_ns = activity_.to_ns - activity_.from_ns;
        if (thread.asleep_since_ns && *thread.asleep_since_ns + captured_ns <= census_.taken_ns) return true;
        return then != nullptr && did_the_same(activity_, *then, thread);
    }

    static Interest by_class(WaitClass what) {
        switch (what) {
        case WaitClass::kDisk: return Interest::kDisk;
        case WaitClass::kDownstream: return Interest::kDownstream;
        case WaitClass::kPipe: return Interest::kPipe;
        case WaitClass::kLock: return Interest::kLock;
        case WaitClass::kSleep: return Interest::kSleep;
        case WaitClass::kNothing: return Interest::kBusy;
        case WaitClass::kMemory:
        case WaitClass::kChild:
        case WaitClass::kEventLoop:
        case WaitClass::kOther: break;
        }
        return Interest::kOther;
    }

    const Census& census_;
    const Process& process_;
    const model::Activity& activity_;
    const model::ActivityIndex& index_;
};

/// What it waits for, whatever number the descriptor has.
std::string resource_of(const Thread& thread, Interest interest) {
    if (interest == Interest::kBusy || interest == Interest::kClient) return {};
    if (thread.lock_owner_tid) return std::to_string(*thread.lock_owner_tid);
    if (!thread.file) return {};
    return thread.file->remote.empty() ? thread.file->name : thread.file->remote;
}

/// Those that do the same, and the one of them that has slept for longest.
struct Alike {
    Interest interest = Interest::kOther;
    const Thread* first = nullptr;
    std::uint64_t threads = 0;

    std::uint64_t since_ns() const { return first->asleep_since_ns.value_or(UINT64_MAX); }
};

std::vector<Alike> alike(const Census& census, const Process& process, const Judge& judge,
                         OwnerDoings& made) {
    std::map<std::tuple<Interest, std::string, std::string>, Alike> sums;
    for (const Thread& thread : census.threads_of(process)) {
        if (!diagnose::is_live(thread)) continue;
        ++made.threads;
        const Interest interest = judge.of(thread);
        const bool is_listed = interest == Interest::kBusy || interest == Interest::kPolling;
        if (!is_listed && model::waits_for_work(thread)) {
            ++made.idle;
            continue;
        }
        Alike& sum = sums[{interest, diagnose::function_of(thread), resource_of(thread, interest)}];
        sum.interest = interest;
        ++sum.threads;
        if (!sum.first ||
            thread.asleep_since_ns.value_or(UINT64_MAX) < sum.first->asleep_since_ns.value_or(UINT64_MAX))
            sum.first = &thread;
    }
    std::vector<Alike> sorted;
    for (auto& [key, sum] : sums) sorted.push_back(sum);
    std::ranges::stable_sort(sorted, {},
                             [](const Alike& one) { return std::pair(one.interest, one.since_ns()); });
    return sorted;
}

/// Of one that computes the sleep it may be in at the moment tells nothing.
void make_busy(diagnose::Link& link, const model::Activity& activity, const model::ThreadActivity* then) {
    link.waits_for = diagnose::id_of(WaitClass::kNothing);
    link.detail.clear();
    link.for_ns.reset();
    link.on.reset();
    const std::uint32_t stack = then ? model::busiest_stack(activity, *then) : model::kNowhere;
    if (stack >= activity.stacks.size()) return;
    if (const model::Frame* own = model::own_function(activity.stacks[stack])) link.function = own->function;
}

bool is_of(const timeline::Link& link, const timeline::Link& other) {
    return link.pid == other.pid && link.tid == other.tid;
}

struct Ranked {
    Doing doing;
    Interest rank = Interest::kOther;  // its own, or that of one behind it in its chain
};

/// A thread that another one waits for is told with that: the chain leads to it, and is as interesting.
void fold_into_chains(std::vector<Ranked>& all) {
    std::ranges::stable_sort(all, std::greater<>(), [](const Ranked& one) { return one.doing.links.size(); });
    std::vector<Ranked> kept;
    for (Ranked& one : all) {
        const auto leads_to_it = [&](const Ranked& other) {
            const auto& links = other.doing.links;
            return std::any_of(links.begin() + 1, links.end(), [&](const timeline::Link& link) {
                return is_of(link, one.doing.links.front());
            });
        };
        const auto found = std::ranges::find_if(kept, leads_to_it);
        if (one.doing.threads == 1 && found != kept.end())
            found->rank = std::min(found->rank, one.rank);
        else
            kept.push_back(std::move(one));
    }
    // Those in a circle come before those that wait for them.
    std::ranges::stable_sort(kept, {}, [](const Ranked& one) {
        const bool outside = one.rank == Interest::kDeadlock && one.doing.circle < one.doing.links.size();
        return std::tuple(one.rank, outside);
    });
    all = std::move(kept);
}

Doing doing_of(const Census& census, const Process& process, const model::Activity& activity,
               const model::ActivityIndex& index, const Alike& sum, timeline::StringTable& strings) {
    diagnose::Chain chain = diagnose::chain_from(census, process, *sum.first);
    Doing made{sum.interest, {}, chain.returns, chain.circle, sum.threads};
    if (sum.interest == Interest::kBusy) {
        chain.links.resize(1);
        make_busy(chain.links[0], activity,
                  index.find(process.pid, process.start_ns, sum.first->tid, sum.first->start_ns));
        made.returns = false;
        made.circle = 0;
    } else if (chain.deadlock) {
        made.interest = Interest::kDeadlock;
    }
    for (const diagnose::Link& link : chain.links) made.links.push_back(interned(link, strings));
    return made;
}

}  // namespace

OwnerDoings doings_of(const Census& census, const Process& process, const model::Activity& activity,
                      timeline::StringTable& strings) {
    OwnerDoings made;
    const model::ActivityIndex index(activity);
    std::vector<Ranked> ranked;
    for (const Alike& sum : alike(census, process, Judge(census, process, activity, index), made)) {
        if (ranked.size() == kMostDoings) {
            made.left_out += sum.threads;
            continue;
        }
        Doing doing = doing_of(census, process, activity, index, sum, strings);
        const Interest rank = doing.interest;
        ranked.push_back({std::move(doing), rank});
    }
    fold_into_chains(ranked);
    for (Ranked& one : ranked) made.doings.push_back(std::move(one.doing));
    return made;
}

}  // namespace waitclose::replay
