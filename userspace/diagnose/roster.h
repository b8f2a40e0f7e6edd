// SPDX-License-Identifier: BSD-2-Clause
// What the threads of one process do, worked out once however many sockets the process holds.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/census.h"
#include "model/syscalls.h"

namespace waitclose::diagnose {

using model::accepts;
using model::Access;
using model::syscall_text;
using model::Use;
using model::uses_of;
using model::waits_for_work;
using model::watches_descriptors;

/// A thread that sleeps in a system call on a descriptor.
struct Sleeper {
    std::int32_t fd = -1;
    const model::Thread* thread = nullptr;
    Access access = Access::kOther;
};

/// Where a thread sleeps in accept().
struct Door {
    const model::Thread* thread = nullptr;
    const model::Socket* listener = nullptr;  // null: a UNIX socket
};

/// It has not begun to exit.
bool is_live(const model::Thread& thread);
/// Stopped, traced or frozen.
bool is_stopped(const model::Thread& thread);
/// It runs, or sleeps in something other than the wait for the next piece of work.
bool is_at_work(const model::Thread& thread);
/// It does nothing until somebody tells it to: it waits for a connection, or reads from a pipe or UNIX socket
/// that its parent, or its own process, writes to. So it is taken to be where nobody knows who writes.
bool waits_for_orders(const model::Census& census, const model::Process& process,
                      const model::Thread& thread);

/// "worker-2" is "worker-".
std::string_view without_number(std::string_view name);

class Roster {
public:
    Roster(const model::Census& census, const model::Process& process);

    std::span<const model::Thread> threads() const { return threads_; }
    std::size_t live() const { return live_; }
    /// The one live thread; null when there are several or none.
    const model::Thread* only() const { return live_ == 1 ? a_live_one_ : nullptr; }
    /// The one live thread of a process of which no thread has ever exited: nobody else can have done
    /// anything in it. Null as well where that is not known.
    const model::Thread* only_ever() const { return threads_ended() == false ? only() : nullptr; }
    /// Some thread of it has begun to exit, or has gone; nothing where that is not known.
    std::optional<bool> threads_ended() const { return live_ < threads_.size() ? true : threads_ended_; }
    /// Every thread has begun to exit. False for a process whose threads could not be read.
    bool exiting() const { return !threads_.empty() && live_ == 0; }
    /// Every thread that is not a zombie is stopped, traced or frozen, and there is one.
    bool stopped() const { return stopped_ > 0 && stopped_ == not_zombies_; }
    /// Some live thread sleeps in epoll, poll or select.
    bool watches() const { return watches_; }
    /// Some live thread runs or sleeps in something that is not a wait for work.
    bool at_work() const { return at_work_; }
    /// Some live thread collects garbage, by its name.
    bool has_collectors() const { return has_collectors_; }

    /// The very thread that did something; null when it has gone, whoever has its id now.
    const model::Thread* find(const model::Actor& actor) const;
    std::span<const Sleeper> asleep_on(std::int32_t fd) const;

private:
    std::span<const model::Thread> threads_;
    std::vector<std::pair<std::uint32_t, const model::Thread*>> by_tid_;  // sorted
    std::vector<Sleeper> sleepers_;                                       // sorted by fd
    const model::Thread* a_live_one_ = nullptr;
    std::optional<bool> threads_ended_;
    std::size_t live_ = 0;
    std::size_t not_zombies_ = 0;
    std::size_t stopped_ = 0;
    bool watches_ = false;
    bool at_work_ = false;
    bool has_collectors_ = false;
};

/// The rosters of a census, each made when first asked for. Not for several threads at once.
class Rosters {
public:
    explicit Rosters(const model::Census& census) : census_(census), made_(census.processes.size()) {}

    const Roster& of(const model::Process& process);
    /// Its live threads at work that were not seen to read or write any held socket last.
    const std::vector<const model::Thread*>& unseen_workers(const model::Process& process);
    /// Its live threads at work that do not merely wait for orders, by when they fell asleep; those awake
    /// come first.
    const std::vector<const model::Thread*>& workers(const model::Process& process);
    /// The first of these that fell asleep in a stretch of time and has slept since; null: there is none.
    const model::Thread* fell_asleep(const model::Process& process, std::uint64_t from_ns,
                                     std::uint64_t to_ns);
    /// Some live thread is at work that may be part of what came at `came_ns` (0: not known when): it does
    /// not merely wait for orders, nor has it been parked since before.
    bool works(const model::Process& process, std::uint64_t came_ns);
    /// Some such thread was awake at `since_ns` or later, or may have been: the others have nothing in hand
    /// that came after that.
    bool works_since(const model::Process& process, std::uint64_t since_ns);
    /// Those live threads to which a connection that `handler` (null: nobody knows who) had may have been
    /// handed on, or that may come by and close it: who is at work and does not merely wait for orders. Not
    /// who is at another held connection, not the runtime's own threads, not an idle worker of the same pool,
    /// and not who has slept in a lock of nobody's, without a time limit, since before any connection held
    /// now was used.
    struct Heirs {
        std::uint64_t awake_ns = 0;  // the latest that one of them was; endless: it is now; 0: there is none
        std::size_t count = 0;
        std::vector<const model::Thread*> some;  // the first three
    };
    const Heirs& heirs(const model::Process& process, const model::Thread* handler);
    /// Where the thread, one of the process, sleeps in accept(); nothing when it does not, or the listener is
    /// not known.
    std::optional<Door> door_of(const model::Process& process, const model::Thread& thread);
    /// Every listener at which some live thread sleeps in accept(), once.
    const std::vector<Door>& doors(const model::Process& process);

private:
    /// Each made when first asked for.
    struct Made {
        std::unique_ptr<Roster> roster;
        std::optional<std::vector<const model::Thread*>> unseen_workers;
        std::optional<std::uint64_t> works_since_ns;  // 0: nobody works
        std::optional<std::uint64_t> awake_ns;        // the latest that one of them was; 0: nobody works
        std::optional<std::vector<const model::Thread*>> workers;  // who may be given something
        std::unordered_map<const model::Thread*, Heirs> heirs;     // by handler
        std::optional<std::vector<Door>> doors;
    };

    Made& made_for(const model::Process& process);
    bool was_seen(const model::Process& process, const model::Thread& thread);
    /// It was seen with another held connection last, and what it does now began with that.
    bool is_at_another(const model::Process& process, const model::Thread& thread);
    /// When it touched a held socket that nobody touched after it; 0: never, as far as known.
    std::uint64_t last_seen_ns(const model::Process& process, const model::Thread& thread);
    std::uint64_t first_used_ns(const model::Process& process);

    const model::Census& census_;
    std::vector<Made> made_;  // by index into Census::processes
    /// Who touched a held socket last: pid, tid, start. Sorted; made when first asked for.
    std::optional<std::vector<std::tuple<std::uint32_t, std::uint32_t, std::uint64_t, std::uint64_t>>> seen_;
    /// By index into Census::processes: the earliest that one of the sockets it holds was used, as far as
    /// known. Made when first asked for.
    std::optional<std::vector<std::uint64_t>> first_used_ns_;
};

}  // namespace waitclose::diagnose
