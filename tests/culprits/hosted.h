// SPDX-License-Identifier: BSD-2-Clause
// A program of a real runtime (Java, Python, Node) as a child of the judge, which hears its lines of JSON.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "culprit.h"

namespace culprit {

class Hosted {
public:
    /// `command`: the interpreter, the program below the directory of the culprits, its arguments. Skips the
    /// culprit when one of the first two is not there. `most_files`: its limit of open files; 0: as it is.
    explicit Hosted(std::vector<std::string> command, unsigned most_files = 0);

    const nlohmann::json& announced() const { return announced_; }  // its first line, with "port"
    nlohmann::json hear();                      // its next line; ends the culprit when there is none
    nlohmann::json hear(const char* expected);  // ends the culprit when the line has not this key
    void order(const char* word) const;
    pid_t pid() const { return child_.pid; }

private:
    Child child_;
    int orders_ = -1;
    std::FILE* lines_ = nullptr;
    nlohmann::json announced_;
};

/// The thread that a line names by "tid", or by "thread": the first 15 bytes of a name, as the kernel has it.
pid_t thread_of(pid_t pid, const nlohmann::json& line);
/// The descriptor of `pid` that is the socket with these ports; -1: it has none. Read from /proc.
int descriptor_of(pid_t pid, std::uint16_t local_port, std::uint16_t remote_port);

}  // namespace culprit
