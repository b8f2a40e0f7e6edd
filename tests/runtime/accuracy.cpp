// SPDX-License-Identifier: BSD-2-Clause
// Some programs at a time are brought into position under a watch; when they have been held long enough for
// every rule that is about an age, the other looks come. So each look meets a machine on which much goes on
// at once.
#include "accuracy.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <span>

#include "cases.h"
#include "clock.h"
#include "matrix.h"

namespace runtime {

namespace {

// For ten seconds an answer may still come: until then waitclose accuses nobody of having forgotten one.
constexpr auto of_age = 16s;  // and watch looks every two seconds, on a busy machine a little later
constexpr auto second_watch = 3s;
constexpr int snapshots = 3;

struct Subject {
    std::string name;
    std::unique_ptr<Culprit> program;
    bool in_position = false;
};

// The truths a program tells: usually one, several where it holds more than one socket.
std::vector<json> truths_of(const Subject& subject) {
    std::vector<json> truths{subject.program->truth()};
    if (truths.front().contains("also"))
        for (const json& more : truths.front().at("also")) truths.push_back(more);
    return truths;
}

std::vector<json> sockets_about(const json& truth, const std::vector<json>& sockets) {
    std::vector<json> about;
    for (const json& socket : sockets)
        if (is_about({{"socket", socket}}, truth)) about.push_back(socket);
    return about;
}

class Group {
public:
    Group(std::span<const Case> cases, Matrix& matrix) : matrix_(matrix) {
        for (const Case& tested : cases) start(tested);
    }

    void look_in_every_way() {
        attempt("watch", [this] { watch_from_the_start(); });
        attempt("snapshot", [this] {
            for (int i = 0; i < snapshots; ++i) sockets_of(snapshot({}), "snapshot");
            judge_all("snapshot", false);
        });
        attempt("watch afterwards", [this] { watch_afterwards(); });
        attempt("observe 2s", [this] {
            sockets_of(snapshot({"--observe", "2s"}), "snapshot --observe 2s");
            judge_all("observe 2s", false);
        });
    }

private:
    // A look that fails costs its own answers, and no others.
    void attempt(const std::string& look, const std::function<void()>& act) {
        try {
            act();
        } catch (const std::exception& reason) {
            matrix_.fail(look + " of " + (subjects_.empty() ? "nobody" : subjects_.front().name + " ..."),
                         reason.what());
            seen_.clear();
        }
    }

    void start(const Case& tested) {
        try {
            subjects_.push_back({tested.name, Culprit::before_start(tested.command)});
        } catch (const CannotRun& reason) {
            matrix_.skip(tested.name, reason.what());
        } catch (const std::exception& reason) {
            matrix_.fail(tested.name, reason.what());
        }
    }

    void bring_into_position(Subject& subject) {
        try {
            subject.program->reach_position();
            subject.in_position = true;
        } catch (const CannotRun& reason) {
            matrix_.skip(subject.name, reason.what());
        } catch (const std::exception& reason) {
            matrix_.fail(subject.name, reason.what());
        }
    }

    // Lines of no interest pile up in no pipe: everything is read as it comes.
    void keep_reading(Watch& watch, std::chrono::milliseconds time) {
        Deadline deadline(time);
        while (deadline.milliseconds_left() > 0) {
            const json event = watch.until([](const json&) { return true; },
                                           std::chrono::milliseconds(deadline.milliseconds_left()));
            if (event.is_null()) return;
            take(event);
        }
    }

    void take(const json& event) {
        if (event.is_object() && (event.at("event") == "held" || event.at("event") == "changed"))
            seen_.push_back(event.at("socket"));
    }

    void watch_from_the_start() {
        Watch watch({"--min-held", "0ms"});
        watch.keep_no_events();
        for (Subject& subject : subjects_) {
            bring_into_position(subject);
            keep_reading(watch, 1ms);
        }
        keep_reading(watch, of_age);
        end(watch);
        judge_all("watch", true);
    }

    void watch_afterwards() {
        Watch watch({"--min-held", "0ms"});
        watch.keep_no_events();
        keep_reading(watch, second_watch);
        end(watch);
        judge_all("watch afterwards", false);
    }

    void end(Watch& watch) {
        watch.keep_all_events();
        const Finished finished = watch.stop();
        for (const json& event : watch.events()) take(event);
        if (finished.code != 0) matrix_.fail("waitclose watch", finished.err);
    }

    void sockets_of(const Snapshot& taken, const std::string& command) {
        if (!taken.document.is_object()) return matrix_.fail("waitclose " + command, taken.finished.err);
        for (const json& socket : taken.document.at("sockets")) seen_.push_back(socket);
    }

    void judge_all(const std::string& look, bool traced) {
        for (const Subject& subject : subjects_) {
            if (!subject.in_position) continue;
            int number = 0;
            for (const json& truth : truths_of(subject)) {
                const std::string name = subject.name + (number ? "/" + std::to_string(number) : "");
                matrix_.add(look, name, judge(truth, sockets_about(truth, seen_), traced));
                ++number;
            }
        }
        seen_.clear();
    }

    Matrix& matrix_;
    std::vector<Subject> subjects_;
    std::vector<json> seen_;  // by the present look
};

std::vector<Case> chosen_cases(const std::string& only) {
    std::vector<Case> cases = holding_cases();
    for (const auto& more : {real_cases(), healthy_cases(), lasting_decoys()})
        cases.insert(cases.end(), more.begin(), more.end());
    std::erase_if(cases, [&](const Case& tested) { return tested.name.find(only) == std::string::npos; });
    std::ranges::stable_partition(cases, [](const Case& tested) { return !tested.alone; });
    return cases;
}

}  // namespace

int measure_accuracy(const AccuracyOptions& options) {
    const std::vector<Case> cases = chosen_cases(options.only);
    Matrix matrix;
    for (std::size_t done = 0; done < cases.size();) {
        std::size_t size = std::min(options.together, cases.size() - done);
        for (std::size_t i = 0; i < size; ++i)
            if (cases[done + i].alone) size = std::max<std::size_t>(i, 1);
        std::cerr << "accuracy: " << done + 1 << " to " << done + size << " of " << cases.size() << ": "
                  << cases[done].name << " ...\n";
        Group(std::span(cases).subspan(done, size), matrix).look_in_every_way();
        done += size;
    }
    matrix.print(std::cout);
    if (options.json_file) {
        std::ofstream file(*options.json_file);
        file << matrix.as_json().dump(1) << '\n';
        if (!file.flush()) {
            std::cerr << "accuracy: cannot write " << *options.json_file << '\n';
            return 1;
        }
    }
    return matrix.acceptable() ? 0 : 1;
}

std::optional<AccuracyOptions> accuracy_options(int argc, char** argv) {
    AccuracyOptions options;
    for (int i = 2; i < argc; i += 2) {
        const std::string name = argv[i];
        if (i + 1 == argc) return std::nullopt;
        if (name == "--json")
            options.json_file = argv[i + 1];
        else if (name == "--only")
            options.only = argv[i + 1];
        else if (name == "--together" && std::atoi(argv[i + 1]) > 0)
            options.together = static_cast<std::size_t>(std::atoi(argv[i + 1]));
        else
            return std::nullopt;
    }
    return options;
}

}  // namespace runtime
