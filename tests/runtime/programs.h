// SPDX-License-Identifier: BSD-2-Clause
// The two kinds of programs a test starts: a culprit, which tells the truth, and waitclose, which has to find
// it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "process.h"

namespace runtime {

using nlohmann::json;
using Arguments = std::vector<std::string>;

std::string waitclose_binary();                     // WAITCLOSE_BIN, else where the build puts it
std::string culprit_path(const std::string& name);  // WAITCLOSE_CULPRITS, else where the build puts them

// This machine or kernel lacks what the culprit needs; it says what.
class CannotRun : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

class Culprit {
public:
    // In position when this returns.
    static std::unique_ptr<Culprit> in_position(const Arguments& command);
    // Connected, but the FIN comes only with reach_position().
    static std::unique_ptr<Culprit> before_fin(const Arguments& command);
    // Not even connected: that comes with reach_position() as well.
    static std::unique_ptr<Culprit> before_start(const Arguments& command);

    void reach_position();
    void wait_until_held_for(std::chrono::milliseconds age);  // an age is what some rules are about
    json close();                                             // ends the hold; says who did it, and when
    json next_line(std::chrono::milliseconds patience = 20s);
    void command(const std::string& word) { process_.write_line(word); }
    void end_input() { process_.end_input(); }

    const json& truth() const { return truth_; }
    Arguments selection() const;  // the options of waitclose that select its sockets
    pid_t pid() const { return process_.pid(); }
    Process& process() { return process_; }

    explicit Culprit(const Arguments& argv) : process_(argv) {}

private:
    json first_line();
    static std::unique_ptr<Culprit> waiting(const Arguments& command, const std::string& option,
                                            const std::string& next);

    Process process_;
    json truth_;
    json announced_;  // its first line
    std::string next_command_;
};

// The first argument is a culprit's name and becomes its path.
Arguments culprit_command(const Arguments& command);

struct Snapshot {
    Finished finished;
    json document;  // null when it could not be parsed
};

Snapshot snapshot(const Arguments& options);  // however short held, unless the options say otherwise
const json* find_socket(const json& snapshot, const json& truth);

class Watch {
public:
    enum class Form { ndjson, text };
    explicit Watch(const Arguments& options,
                   Form form = Form::ndjson);  // returns when every probe is attached

    // Reads lines until one fulfils the condition; null when none does in time. All lines read are kept in
    // events().
    json until(const std::function<bool(const json&)>& condition, std::chrono::milliseconds patience);
    Finished stop();  // SIGINT; the remaining lines are in events()

    const std::vector<json>& events() const { return events_; }
    void keep_no_events() { keeps_events_ = false; }  // there will be too many; until() still sees each
    void keep_all_events() { keeps_events_ = true; }
    pid_t pid() const { return process_->pid(); }

private:
    json parse(const std::string& line);

    Form form_;
    TemporaryDirectory directory_;
    std::unique_ptr<Process> process_;
    std::vector<json> events_;
    bool keeps_events_ = true;
};

bool is_about(const json& event, const json& truth);  // the event's socket is the held one

// The last line of `watch` on stderr: entered, closed, open, ring, storage, reconciled. Null when there is
// none.
json totals(const std::string& errors);

}  // namespace runtime
