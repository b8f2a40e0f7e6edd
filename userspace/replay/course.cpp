// SPDX-License-Identifier: BSD-2-Clause
#include "replay/course.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "diagnose/families.h"
#include "model/units.h"
#include "model/wording.h"

namespace waitclose::replay {

using diagnose::Cause;

namespace {

constexpr std::size_t kMostStandings = 16;  // beyond them culprits are not told apart
constexpr std::size_t kStepsTold = 4;

/// So long a hold may be `unknown` before it is due to have a cause: the grace of a program that may still
/// answer, and the looks until then.
constexpr std::uint64_t kYoungNs = diagnose::kMayAnswerNs + 2 * model::kSecond;

/// Who was said to do nothing about it and is then not said so for so long, and for such a part of the time
/// it was said before, was not understood.
constexpr std::uint64_t kTakenBackNs = 3 * model::kSecond;
constexpr std::uint64_t kTakenBackPart = 5;

/// Causes that say that nothing is done about it: they are not told before that has lasted for a while, and
/// have been true in that while.
bool tells_late(Cause cause) {
    switch (cause) {
    case Cause::kEofIgnored:
    case Cause::kIdleInPool:
    case Cause::kAbandoned:
    case Cause::kHalfOpen: return true;
    default: return false;
    }
}

}  // namespace

bool Course::goes_on(const Opinion& opinion) const {
    return standings_.empty() || said_.is_as(opinion);
}

std::size_t Course::standing_of(const Opinion& opinion) {
    std::optional<std::size_t> alike;
    for (std::size_t i = 0; i < standings_.size(); ++i) {
        if (standings_[i].opinion.is_as(opinion)) return i;
        if (standings_[i].opinion.cause == opinion.cause) alike = i;
    }
    if (standings_.size() >= kMostStandings && alike) return *alike;
    standings_.emplace_back();
    standings_.back().opinion = opinion;
    return standings_.size() - 1;
}

void Course::say(const Opinion& opinion, std::uint64_t at_ns) {
    end(at_ns);
    at_ns = until_ns_;
    current_ = standing_of(opinion);
    Standing& standing = standings_[current_];
    if (standing.first_ns == 0) standing.first_ns = at_ns;
    standing.last_ns = at_ns;
    said_ = opinion;
    if (steps_.empty() || steps_.back().cause != standing.opinion.cause)
        steps_.push_back({standing.opinion.cause, at_ns});
}

void Course::end(std::uint64_t at_ns) {
    at_ns = std::max(at_ns, until_ns_);
    if (!standings_.empty()) standings_[current_].stood_ns += at_ns - until_ns_;
    until_ns_ = at_ns;
}

bool Course::wants_words() const {
    return !standings_.empty() && best_of(standings_[current_].opinion.cause) == current_;
}

void Course::keep(Words words) {
    if (standings_.empty()) return;
    words.said = said_;
    standings_[current_].words = std::make_unique<Words>(std::move(words));
}

/// Who held it last while that was the cause; nowhere where nobody did.
std::uint32_t Course::last_owner(Cause cause) const {
    const Standing* last = nullptr;
    for (const Standing& one : standings_) {
        if (one.opinion.cause != cause || one.opinion.owner == timeline::kNowhere) continue;
        if (last == nullptr || one.last_ns >= last->last_ns) last = &one;
    }
    return last == nullptr ? timeline::kNowhere : last->opinion.owner;
}

/// The one that stood longest, unless a surer one came after it. Of such a cause, and its last owner.
std::size_t Course::best_of(Cause cause) const {
    std::size_t best = standings_.size();
    const std::uint32_t owner = last_owner(cause);
    const auto each = [&](auto&& better) {
        for (std::size_t i = 0; i < standings_.size(); ++i) {
            const Opinion& opinion = standings_[i].opinion;
            if (opinion.cause != cause || opinion.owner != owner) continue;
            if (best == standings_.size() || better(i)) best = i;
        }
    };
    each([&](std::size_t i) { return standings_[i].stood_ns >= standings_[best].stood_ns; });
    each([&](std::size_t i) {
        return standings_[i].opinion.confidence < standings_[best].opinion.confidence &&
               standings_[i].last_ns > standings_[best].last_ns;
    });
    return best;
}

std::optional<Cause> Course::cause_of(std::uint32_t owner) const {
    const Standing* longest = nullptr;
    for (const Standing& one : standings_)
        if (one.opinion.owner == owner && (!longest || one.stood_ns >= longest->stood_ns)) longest = &one;
    return longest ? std::optional(longest->opinion.cause) : std::nullopt;
}

std::uint64_t Course::length_of(std::size_t step) const {
    const std::uint64_t to_ns = step + 1 < steps_.size() ? steps_[step + 1].from_ns : until_ns_;
    return to_ns - steps_[step].from_ns;
}

/// Whether the looks ended with taking back that nothing is done about it: what is known later is known
/// better.
bool Course::is_taken_back(Cause cause) const {
    if (!tells_late(cause) || cause == Cause::kHalfOpen || steps_.back().cause != Cause::kUnknown)
        return false;
    std::uint64_t stood = 0;
    for (std::size_t i = 0; i < steps_.size(); ++i)
        if (steps_[i].cause == cause) stood += length_of(i);
    return length_of(steps_.size() - 1) >= std::max(kTakenBackNs, stood / kTakenBackPart);
}

/// What stood longest; `unknown` only where nothing else stood for a third of the time. To be unknown before
/// a cause that takes its time to be told counts for that cause, and young seconds count for nothing.
Cause Course::cause() const {
    std::array<std::uint64_t, diagnose::kCauseCount> stood{};
    std::array<bool, diagnose::kCauseCount> said{};
    const auto index = [](Cause cause) { return static_cast<std::size_t>(cause); };
    std::uint64_t counted = 0;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
        std::uint64_t length = length_of(i);
        Cause counts_for = is_taken_back(steps_[i].cause) ? Cause::kUnknown : steps_[i].cause;
        said[index(counts_for)] = true;
        if (counts_for == Cause::kUnknown && i + 1 < steps_.size()) {
            const Cause next = steps_[i + 1].cause;
            if (tells_late(next) && !is_taken_back(next))
                counts_for = next;
            else if (i == 0)
                length -= std::min(length, kYoungNs);
        }
        stood[index(counts_for)] += length;
        counted += length;
    }
    Cause best = Cause::kUnknown;
    for (const Step& step : steps_) {
        if (step.cause == Cause::kUnknown || is_taken_back(step.cause)) continue;
        if (best == Cause::kUnknown || stood[index(step.cause)] >= stood[index(best)]) best = step.cause;
    }
    return best != Cause::kUnknown && (stood[index(best)] >= counted / 3 || !said[index(Cause::kUnknown)])
               ? best
               : Cause::kUnknown;
}

std::optional<Course::Outcome> Course::outcome() {
    if (standings_.empty()) return std::nullopt;
    const Cause of = cause();
    Standing* best = &standings_[best_of(of)];
    if (!best->words) {
        // Where culprits were not told apart any more the words may be with another.
        for (Standing& other : standings_)
            if (other.words && (!best->words || other.opinion.cause == of)) best = &other;
        if (!best->words) return std::nullopt;
    }
    // What the words are of: name, thread and confidence never come from two looks.
    Outcome found{best->words->said, best->first_ns, best->words.get()};
    for (const Standing& other : standings_)
        if (other.opinion.cause == found.opinion.cause && other.opinion.pid == found.opinion.pid &&
            other.opinion.tid == found.opinion.tid)
            found.diagnosed_ns = std::min(found.diagnosed_ns, other.first_ns);
    return found;
}

std::string Course::text() const {
    const bool only_young =
        steps_.size() == 2 && steps_[0].cause == Cause::kUnknown && length_of(0) <= kYoungNs;
    if (steps_.size() < 2 || only_young) return {};
    std::string text;
    const auto add = [&](std::size_t step, const char* before) {
        text += fmt::format("{}{} for {}", before, diagnose::id_of(steps_[step].cause),
                            model::duration_text(length_of(step)));
    };
    const std::size_t told = steps_.size() <= kStepsTold ? steps_.size() : kStepsTold - 1;
    for (std::size_t i = 0; i < told; ++i) add(i, i == 0 ? "" : ", then ");
    if (told < steps_.size()) {
        const std::size_t more = steps_.size() - told - 1;
        add(steps_.size() - 1,
            fmt::format(", then {} more {}, at last ", more, more == 1 ? "change" : "changes").c_str());
    }
    return text;
}

}  // namespace waitclose::replay
