// SPDX-License-Identifier: BSD-2-Clause
#include "matrix.h"

#include <algorithm>
#include <iomanip>

#include <sys/utsname.h>

namespace runtime {

namespace {

constexpr int truth_width = 16;
constexpr int label_width = 34;
constexpr std::size_t remarks_shown = 3;

using Answers = std::map<std::string, int>;

// "eof-ignored 12, unknown 1": the right one first.
std::string text_of(const Answers& answers, const std::string& truth) {
    std::vector<std::pair<std::string, int>> sorted(answers.begin(), answers.end());
    std::ranges::stable_sort(sorted, [&](const auto& a, const auto& b) {
        return std::pair(a.first != truth, -a.second) < std::pair(b.first != truth, -b.second);
    });
    std::string text;
    for (const auto& [answer, count] : sorted)
        text += (text.empty() ? "" : ", ") + answer + " " + std::to_string(count);
    return text;
}

std::string percent(int part, int whole) {
    if (whole == 0) return "-";
    const int tenths = (part * 1000 + whole / 2) / whole;
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " %";
}

}  // namespace

void Matrix::add(const std::string& look, const std::string& name, const Judgement& judged) {
    if (std::ranges::find(looks_, look) == looks_.end()) looks_.push_back(look);
    entries_.push_back({look, name, judged});
}

bool Matrix::acceptable() const {
    return failed_.empty() && !entries_.empty() &&
           std::ranges::all_of(entries_, [](const Entry& entry) { return entry.judged.acceptable(); });
}

Matrix::Counts Matrix::counts_of(const std::string& look) const {
    Counts counts;
    for (const Entry& entry : entries_) {
        if (entry.look != look) continue;
        const Judgement& judged = entry.judged;
        counts.proven += judged.confidence == "proven";
        counts.proven_and_wrong += judged.proven_and_wrong;
        if (judged.decoy) {
            ++counts.decoys;
            counts.accused += judged.grade == Grade::wrong;
            continue;
        }
        ++counts.culprits;
        counts.right += judged.grade == Grade::right;
        counts.weaker += judged.grade == Grade::weaker;
        counts.missed += judged.grade == Grade::missed;
        counts.wrong += judged.grade == Grade::wrong;
        counts.wrong_process += judged.wrong_process;
        counts.wrong_thread += judged.wrong_thread;
        counts.wrong_holder += judged.wrong_holder;
        counts.threads += judged.names_thread && !judged.wrong_thread;
    }
    return counts;
}

void Matrix::print_answers(std::ostream& out) const {
    std::map<std::string, std::map<std::string, Answers>> answers;  // truth, look
    std::size_t look_width = 0;
    for (const Entry& entry : entries_) {
        ++answers[entry.judged.truth][entry.look][entry.judged.answer];
        look_width = std::max(look_width, entry.look.size());
    }
    out << std::left << std::setw(truth_width) << "truth"
        << "  " << std::setw(static_cast<int>(look_width)) << "look"
        << "  answers\n";
    for (const auto& [truth, by_look] : answers) {
        std::string shown = truth;
        for (const std::string& look : looks_) {
            const auto found = by_look.find(look);
            if (found == by_look.end()) continue;
            out << std::setw(truth_width) << shown << "  " << std::setw(static_cast<int>(look_width)) << look
                << "  " << text_of(found->second, truth) << '\n';
            shown.clear();
        }
    }
}

void Matrix::print_counts(std::ostream& out) const {
    std::vector<Counts> all;
    for (const std::string& look : looks_) all.push_back(counts_of(look));
    const auto row = [&](const char* label, auto&& cell) {
        out << std::setw(label_width) << label;
        for (std::size_t i = 0; i < all.size(); ++i)
            out << "  " << std::setw(static_cast<int>(std::max<std::size_t>(looks_[i].size(), 8)))
                << cell(all[i]);
        out << '\n';
    };
    out << '\n' << std::setw(label_width) << "";
    for (const std::string& look : looks_) out << "  " << std::setw(8) << look;
    out << '\n';
    row("culprits", [](const Counts& c) { return c.culprits; });
    row("  right", [](const Counts& c) { return c.right; });
    row("  weaker, as declared beforehand", [](const Counts& c) { return c.weaker; });
    row("  missed", [](const Counts& c) { return c.missed; });
    row("  wrong", [](const Counts& c) { return c.wrong; });
    row("wrong process", [](const Counts& c) { return c.wrong_process; });
    row("wrong thread", [](const Counts& c) { return c.wrong_thread; });
    row("wrong holder", [](const Counts& c) { return c.wrong_holder; });
    row("right thread named", [](const Counts& c) { return c.threads; });
    row("proven", [](const Counts& c) { return c.proven; });
    row("proven and wrong", [](const Counts& c) { return c.proven_and_wrong; });
    row("healthy decoys", [](const Counts& c) { return c.decoys; });
    row("  accused", [](const Counts& c) {
        return std::to_string(c.accused) + " (" + percent(c.accused, c.decoys) + ")";
    });
}

void Matrix::print(std::ostream& out) const {
    print_answers(out);
    print_counts(out);
    for (const auto& [name, why] : skipped_) out << "skipped: " << name << ": " << why << '\n';
    for (const auto& [name, why] : failed_) out << "could not be judged: " << name << ": " << why << '\n';
    for (const Entry& entry : entries_) {
        if (entry.judged.acceptable()) continue;
        const std::vector<std::string>& remarks = entry.judged.remarks;
        for (std::size_t i = 0; i < remarks.size() && i < remarks_shown; ++i)
            out << "not right: " << entry.name << ", " << entry.look << ": " << remarks[i] << '\n';
        if (remarks.size() > remarks_shown)
            out << "           and " << remarks.size() - remarks_shown << " more like these\n";
    }
}

json Matrix::as_json() const {
    utsname host{};
    uname(&host);
    json looks = json::array();
    for (const std::string& look : looks_) {
        const Counts c = counts_of(look);
        json answers = json::object();
        for (const Entry& entry : entries_) {
            if (entry.look != look) continue;
            json& count = answers[entry.judged.truth][entry.judged.answer];
            count = count.is_null() ? 1 : count.get<int>() + 1;
        }
        looks.push_back({{"look", look},
                         {"matrix", answers},
                         {"culprits", c.culprits},
                         {"right", c.right},
                         {"weaker", c.weaker},
                         {"missed", c.missed},
                         {"wrong", c.wrong},
                         {"wrong_process", c.wrong_process},
                         {"wrong_thread", c.wrong_thread},
                         {"wrong_holder", c.wrong_holder},
                         {"threads_named", c.threads},
                         {"proven", c.proven},
                         {"proven_and_wrong", c.proven_and_wrong},
                         {"decoys", c.decoys},
                         {"accused", c.accused}});
    }
    json cases = json::array();
    for (const Entry& entry : entries_)
        cases.push_back(
            {{"name", entry.name},
             {"look", entry.look},
             {"truth", entry.judged.truth},
             {"answer", entry.judged.answer},
             {"confidence", entry.judged.confidence.empty() ? json(nullptr) : json(entry.judged.confidence)},
             {"grade", name_of(entry.judged.grade)},
             {"acceptable", entry.judged.acceptable()},
             {"remarks", entry.judged.remarks}});
    const auto listed = [](const auto& pairs) {
        json list = json::array();
        for (const auto& [name, why] : pairs) list.push_back({{"name", name}, {"why", why}});
        return list;
    };
    return {
        {"schema", "waitclose.accuracy/1"}, {"kernel", host.release},   {"looks", looks}, {"cases", cases},
        {"skipped", listed(skipped_)},      {"failed", listed(failed_)}};
}

}  // namespace runtime
