// SPDX-License-Identifier: BSD-2-Clause
#include "model/scope.h"

#include <algorithm>
#include <optional>
#include <set>

#include "model/provider.h"
#include "model/selection.h"

namespace waitclose::model {
namespace {

class Scope {
public:
    Scope(const Census& census, std::size_t most) : census_(census), most_(most) {}

    void add(std::uint32_t process) {
        if (found_.size() < most_ && known_.insert(process).second) found_.push_back(process);
    }
    /// Those that the threads of the n-th found wait for.
    void follow(std::size_t n) {
        const Process& process = census_.processes[found_[n]];
        for (const Thread& thread : census_.threads_of(process)) {
            if (thread.lock_holder) add_pid(thread.lock_holder->pid);
            if (thread.lock_owner_tid && !thread.foreign_ids) add_thread(*thread.lock_owner_tid);
            if (const auto question = question_of(process, thread)) add_answers(*question);
        }
    }
    const std::vector<std::uint32_t>& found() const { return found_; }

private:
    void add_pid(std::uint32_t pid) {
        for (std::uint32_t i = 0; i < census_.processes.size(); ++i)
            if (census_.processes[i].pid == pid) add(i);
    }
    void add_thread(std::uint32_t tid) {
        for (std::uint32_t i = 0; i < census_.processes.size(); ++i)
            if (std::ranges::any_of(census_.threads_of(census_.processes[i]),
                                    [&](const Thread& thread) { return thread.tid == tid; }))
                add(i);
    }
    void add_answers(const Question& question) {
        auto answer =
            std::ranges::lower_bound(census_.answers, question, std::ranges::less{}, &Answer::question);
        for (; answer != census_.answers.end() && answer->question == question; ++answer)
            if (answer->process != kNone) add(static_cast<std::uint32_t>(answer->process));
    }

    const Census& census_;
    std::size_t most_;
    std::set<std::uint32_t> known_;
    std::vector<std::uint32_t> found_;
};

}  // namespace

std::vector<std::uint32_t> processes_in_scope(const Census& census,
                                              const std::vector<std::uint32_t>& selected, std::size_t most) {
    Scope scope(census, most);
    for (const std::uint32_t index : selected)
        for (const Holder& holder : owners_of(census, census.sockets[index])) scope.add(holder.process);
    for (std::size_t n = 0; n < scope.found().size(); ++n) scope.follow(n);
    return scope.found();
}

}  // namespace waitclose::model
