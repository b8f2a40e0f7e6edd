// SPDX-License-Identifier: BSD-2-Clause
// Judgements counted, and printed for people and for machines.
#pragma once

#include <map>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "judgement.h"

namespace runtime {

class Matrix {
public:
    void add(const std::string& look, const std::string& name, const Judgement& judged);
    void skip(const std::string& name, const std::string& why) { skipped_.emplace_back(name, why); }
    void fail(const std::string& name, const std::string& why) { failed_.emplace_back(name, why); }

    bool acceptable() const;
    void print(std::ostream& out) const;
    json as_json() const;

private:
    struct Counts {
        int culprits = 0, right = 0, weaker = 0, missed = 0, wrong = 0;
        int wrong_process = 0, wrong_thread = 0, wrong_holder = 0, threads = 0;
        int proven = 0, proven_and_wrong = 0;
        int decoys = 0, accused = 0;
    };
    struct Entry {
        std::string look, name;
        Judgement judged;
    };

    Counts counts_of(const std::string& look) const;
    void print_answers(std::ostream& out) const;
    void print_counts(std::ostream& out) const;

    std::vector<std::string> looks_;  // in the order of their first answer
    std::vector<Entry> entries_;
    std::vector<std::pair<std::string, std::string>> skipped_, failed_;
};

}  // namespace runtime
