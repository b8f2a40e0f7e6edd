// SPDX-License-Identifier: BSD-2-Clause
#include "commands/progress_line.h"

#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

#include "output/style.h"

namespace waitclose::commands {
namespace {

constexpr auto kPatience = std::chrono::milliseconds(500);
constexpr auto kEvery = std::chrono::milliseconds(100);

bool can_be_shown() {
    const auto terminal = output::read_terminal(STDERR_FILENO);
    return terminal.is_terminal && !terminal.dumb;
}

}  // namespace

ProgressLine::ProgressLine(std::string what)
    : what_(std::move(what)), shows_(can_be_shown()), next_(Clock::now() + kPatience) {}

ProgressLine::~ProgressLine() {
    if (shown_) std::fputs("\r\x1b[K", stderr);
}

void ProgressLine::tell(std::uint64_t done, std::uint64_t total) {
    if (!shows_ || Clock::now() < next_) return;
    next_ = Clock::now() + kEvery;
    shown_ = true;
    const double share = total == 0 ? 0 : static_cast<double>(done) / static_cast<double>(total);
    std::fputs(fmt::format("\r{} {:3.0f} %\x1b[K", what_, share < 1 ? share * 100 : 100).c_str(), stderr);
    std::fflush(stderr);
}

}  // namespace waitclose::commands
