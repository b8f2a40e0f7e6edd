// SPDX-License-Identifier: BSD-2-Clause
#include "timeline/check.h"

#include <fmt/format.h>

#include <utility>

namespace waitclose::timeline {

namespace {

class Checker {
public:
    Checker(const Timeline& timeline, std::size_t most) : timeline_(timeline), most_(most) {}

    std::vector<std::string> run() {
        const Window& window = timeline_.window;
        if (window.from_ns > window.to_ns) complain("the window ends before it begins");
        for (const Process& process : timeline_.processes) {
            for (const StringId id : {process.comm, process.exe, process.cgroup, process.container}) {
                text(id, "a process");
            }
            for (const Thread& one : process.threads) thread(one);
        }
        for (const Hold& one : timeline_.holds) hold(one);
        for (const Counter& one : timeline_.counters) counter(one);
        for (const Loss& loss : timeline_.losses) {
            text(loss.what, "a loss");
            if (!within_window(loss.at_ns)) complain("a loss lies outside the window");
        }
        return std::move(found_);
    }

private:
    template <typename... Values>
    void complain(fmt::format_string<Values...> form, Values&&... values) {
        if (found_.size() < most_) found_.push_back(fmt::format(form, std::forward<Values>(values)...));
    }

    bool within_window(std::uint64_t at) const {
        return at >= timeline_.window.from_ns && at <= timeline_.window.to_ns;
    }

    void text(StringId id, std::string_view of) {
        if (static_cast<std::size_t>(id) > timeline_.strings.size())
            complain("{} has a text that is not there", of);
    }

    void stack(StackId id, std::string_view of) {
        if (static_cast<std::size_t>(id) > timeline_.stacks.size())
            complain("{} has a stack that is not there", of);
    }

    void thread(const Thread& thread) {
        const std::string name = fmt::format("thread {}", thread.tid);
        text(thread.comm, name);
        if (thread.from_ns > thread.to_ns) complain("{} ends before it begins", name);
        if (!within_window(thread.from_ns) || !within_window(thread.to_ns)) {
            complain("{} lies outside the window", name);
        }
        std::uint64_t at = thread.from_ns;
        for (const Slice& slice : thread.slices) {
            if (slice.begin_ns >= slice.end_ns)
                complain("{} has a slice of no length at {}", name, slice.begin_ns);
            if (slice.begin_ns < at) complain("slices of {} overlap at {}", name, slice.begin_ns);
            if (slice.begin_ns > at) complain("{} has a gap at {}", name, at);
            const bool blocked = slice.activity == Activity::kBlocked;
            if (blocked != (slice.wait_class != StringId::kNone)) {
                complain("a wait class of {} at {} {}", name, slice.begin_ns,
                         blocked ? "is missing" : "is wrong");
            }
            at = slice.end_ns;
            text(slice.wait_class, name);
            text(slice.detail, name);
            text(slice.waker, name);
            stack(slice.stack, name);
        }
        if (at != thread.to_ns) {
            complain("the slices of {} end at {} instead of {}", name, at, thread.to_ns);
        }
    }

    void hold(const Hold& hold) {
        const std::string name = fmt::format("hold {}", timeline_.text(hold.id));
        phases(hold, name);
        for (const auto& deed : {hold.first_touch, hold.closed}) {
            if (deed) this->deed(hold, *deed, name);
        }
        if (hold.first_touch && hold.closed && hold.first_touch->at_ns > hold.closed->at_ns) {
            complain("{} was first touched after its close", name);
        }
        if (hold.open && hold.closed) complain("{} is open, and yet was closed", name);
        if (hold.owner != kNowhere && timeline_.process_at(hold.owner) == nullptr) {
            complain("{} has an owner that is not there", name);
        }
        tenures(hold, name);
        texts(hold, name);
        stack(hold.stack, name);
        shares(hold, name);
    }

    void shares(const Hold& hold, const std::string& name) {
        if (hold.shares.empty()) return;
        std::uint64_t sum = 0;
        for (const Share& share : hold.shares) {
            text(share.doing, name);
            stack(share.stack, name);
            if (share.ns == 0) complain("{} has a share of no length", name);
            sum += share.ns;
        }
        if (sum != hold.held_ns)
            complain("the shares of {} are together another time than it was held", name);
    }

    void tenures(const Hold& hold, const std::string& name) {
        if (hold.tenures.empty()) return;
        if (hold.tenures.size() == 1) complain("{} was passed on, and yet to nobody", name);
        std::uint64_t at = hold.since_ns.value_or(0);
        for (std::size_t i = 0; i < hold.tenures.size(); ++i) {
            const Tenure& tenure = hold.tenures[i];
            text(tenure.cause, name);
            if (tenure.begin_ns != at || tenure.begin_ns >= tenure.end_ns)
                complain("who had {} is not in order at {}", name, tenure.begin_ns);
            if (tenure.owner != kNowhere && timeline_.process_at(tenure.owner) == nullptr)
                complain("{} was had by an owner that is not there", name);
            if (i > 0 && tenure.owner == hold.tenures[i - 1].owner)
                complain("{} was passed on to who had it", name);
            at = tenure.end_ns;
        }
        if (!hold.since_ns || !hold.held_ns || at != *hold.since_ns + *hold.held_ns)
            complain("who had {} together had it for another time", name);
    }

    void phases(const Hold& hold, const std::string& name) {
        std::vector<const Phase*> around;  // those that contain the one looked at, the outermost first
        const Phase* before = nullptr;
        std::size_t holds = 0;
        for (const Phase& phase : hold.phases) {
            text(phase.name, name);
            if (phase.begin_ns >= phase.end_ns) complain("{} has a phase of no length", name);
            if (phase.end_ns > timeline_.window.to_ns) complain("{} has a phase past the window", name);
            if (before != nullptr &&
                (phase.begin_ns < before->begin_ns ||
                 (phase.begin_ns == before->begin_ns && phase.end_ns > before->end_ns))) {
                complain("the phases of {} are not in order", name);
            }
            while (!around.empty() && around.back()->end_ns <= phase.begin_ns) around.pop_back();
            if (!around.empty() && phase.end_ns > around.back()->end_ns) {
                complain("phases of {} overlap at {}", name, phase.begin_ns);
            }
            around.push_back(&phase);
            before = &phase;
            if (!phase.is_hold) continue;
            ++holds;
            if (phase.end_ns - phase.begin_ns != hold.held_ns || phase.begin_ns != hold.since_ns) {
                complain("the phase of {} is not what was held", name);
            }
        }
        const std::size_t expected = hold.held_ns && *hold.held_ns > 0 ? 1 : 0;
        if (holds != expected) complain("{} has {} phases that are the hold", name, holds);
    }

    void deed(const Hold& hold, const Deed& deed, const std::string& name) {
        text(deed.comm, name);
        if (hold.since_ns && deed.at_ns < *hold.since_ns) complain("{} was touched before its FIN", name);
        if (deed.at_ns > timeline_.window.to_ns) complain("{} was touched after the window", name);
        const bool nowhere = deed.where.process == kNowhere && deed.where.thread == kNowhere;
        if (!nowhere && timeline_.thread_at(deed.where) == nullptr) {
            complain("{} was touched by a thread that is not there", name);
        }
    }

    void texts(const Hold& hold, const std::string& name) {
        const Diagnosis& diagnosis = hold.diagnosis;
        for (const StringId id :
             {hold.id, hold.family, hold.role, hold.local.host, hold.remote.host, hold.precision,
              hold.wait_class, diagnosis.cause, diagnosis.confidence, diagnosis.summary, diagnosis.advice}) {
            text(id, name);
        }
        for (const Holder& holder : hold.holders) {
            for (const StringId id : {holder.comm, holder.exe, holder.cgroup, holder.container})
                text(id, name);
        }
        if (hold.peer) text(hold.peer->comm, name);
        if (diagnosis.culprit) {
            text(diagnosis.culprit->comm, name);
            text(diagnosis.culprit->basis, name);
        }
        for (const Link& link : diagnosis.because) {
            for (const StringId id : {link.comm, link.waits_for, link.detail, link.function}) text(id, name);
        }
        for (const StringId id : diagnosis.contributing) text(id, name);
        for (const Evidence& fact : diagnosis.evidence) {
            for (const StringId id : {fact.fact, fact.value.text, fact.text}) text(id, name);
        }
    }

    void counter(const Counter& counter) {
        const std::string name = fmt::format("counter {}", timeline_.text(counter.name));
        text(counter.name, name);
        text(counter.unit, name);
        if (counter.process != kNowhere && timeline_.process_at(counter.process) == nullptr) {
            complain("{} is of a process that is not there", name);
        }
        std::uint64_t at = 0;
        for (const Counter::Sample& sample : counter.samples) {
            if (sample.at_ns < at) complain("{} runs backwards at {}", name, sample.at_ns);
            if (!within_window(sample.at_ns)) complain("{} leaves the window at {}", name, sample.at_ns);
            at = sample.at_ns;
        }
    }

    const Timeline& timeline_;
    std::size_t most_;
    std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> check(const Timeline& timeline, std::size_t most) {
    return Checker(timeline, most).run();
}

}  // namespace waitclose::timeline
