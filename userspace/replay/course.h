// SPDX-License-Identifier: BSD-2-Clause
// What the looks said of one hold, one after the other, and which of it accounts for the hold. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "diagnose/catalogue.h"
#include "timeline/timeline.h"

namespace waitclose::replay {

/// What one look says.
struct Opinion {
    diagnose::Cause cause = diagnose::Cause::kUnknown;
    diagnose::Confidence confidence = diagnose::Confidence::kPossible;
    std::uint32_t pid = 0;  // of the culprit; 0: nobody is named
    std::uint32_t tid = 0;
    std::uint32_t owner = timeline::kNowhere;

    /// The same cause, as sure, of the same culprit, where the same process holds it.
    bool is_as(const Opinion& other) const {
        return cause == other.cause && confidence == other.confidence && pid == other.pid &&
               tid == other.tid && owner == other.owner;
    }
};

/// An opinion in full, as of the last look that had it.
struct Words {
    timeline::Diagnosis diagnosis;
    timeline::StringId wait_class = timeline::StringId::kNone;
    timeline::StackId stack = timeline::StackId::kNone;
    std::uint64_t at_ns = 0;
    std::size_t ending_bytes = 0;  // of the advice, at its end: what will end the hold
    Opinion said = {};             // Course sets it: what these are the words of
};

/// The last look is not always right: a thread that was stuck for long wakes up before it closes. So the
/// cause that stood for most of the time is the hold's; see cause(). Of several processes that held it one
/// after the other it is the last one that is told of with that cause: all that is said of a hold comes from
/// one look.
class Course {
public:
    /// A look at `at_ns` has this opinion, which stands until the next one.
    void say(const Opinion& opinion, std::uint64_t at_ns);

    /// Whether that is what the look before said, or there was none.
    bool goes_on(const Opinion& opinion) const;

    /// Whether the words of what the latest look said may be needed: another opinion of that cause may be
    /// better.
    bool wants_words() const;
    void keep(Words words);

    /// The hold ended then, or the recording did.
    void end(std::uint64_t at_ns);

    struct Outcome {
        Opinion opinion;
        std::uint64_t diagnosed_ns = 0;  // the first look that named this cause and culprit
        Words* words = nullptr;          // never null
    };
    /// Nothing where no look said anything.
    std::optional<Outcome> outcome();

    /// What stood longest while it was this one's; nothing where no look said so.
    std::optional<diagnose::Cause> cause_of(std::uint32_t owner) const;

    /// "handler-blocked for 15 s, then unknown for 50 ms"; empty where one cause stood all the time, young
    /// seconds aside.
    std::string text() const;

private:
    struct Standing {
        Opinion opinion;
        std::uint64_t first_ns = 0;  // first and last look that said so
        std::uint64_t last_ns = 0;
        std::uint64_t stood_ns = 0;
        std::unique_ptr<Words> words;
    };
    struct Step {
        diagnose::Cause cause = diagnose::Cause::kUnknown;
        std::uint64_t from_ns = 0;
    };

    diagnose::Cause cause() const;
    bool is_taken_back(diagnose::Cause cause) const;
    std::uint32_t last_owner(diagnose::Cause cause) const;
    std::size_t best_of(diagnose::Cause cause) const;
    std::size_t standing_of(const Opinion& opinion);
    std::uint64_t length_of(std::size_t step) const;

    std::vector<Standing> standings_;  // by their first look
    std::vector<Step> steps_;          // changes of the cause, in time
    Opinion said_;                     // by the latest look
    std::size_t current_ = 0;          // into standings_
    std::uint64_t until_ns_ = 0;       // the course is known up to here
};

}  // namespace waitclose::replay
