// SPDX-License-Identifier: BSD-2-Clause
#include "sleeping.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system/files.h"
#include "system/process_info.h"

namespace waitclose::symbols {
namespace {

constexpr std::size_t kStackBytes = 64 << 10;

std::vector<std::byte> bytes_at(pid_t pid, std::uint64_t sp) {
    std::vector<std::byte> bytes(kStackBytes);
    // A page at a time: the stack may end before.
    std::size_t got = 0;
    while (got < bytes.size()) {
        const std::size_t size = std::min<std::size_t>(4096 - (sp + got) % 4096, bytes.size() - got);
        const iovec here{bytes.data() + got, size};
        const iovec there{reinterpret_cast<void*>(sp + got), size};
        if (::process_vm_readv(pid, &here, 1, &there, 1, 0) != static_cast<ssize_t>(size)) break;
        got += size;
    }
    bytes.resize(got);
    return bytes;
}

#if defined(__x86_64__)
struct State {
    model::Registers registers;
    long syscall;
};

State state_of(pid_t tid) {
    user_regs_struct regs{};
    iovec area{&regs, sizeof(regs)};
    ::ptrace(PTRACE_GETREGSET, tid, 1, &area);
    State state;
    state.registers.values = {regs.rax, regs.rdx, regs.rcx, regs.rbx, regs.rsi, regs.rdi,
                              regs.rbp, regs.rsp, regs.r8,  regs.r9,  regs.r10, regs.r11,
                              regs.r12, regs.r13, regs.r14, regs.r15, regs.rip};
    state.registers.pc = regs.rip;
    state.registers.sp = regs.rsp;
    state.syscall = static_cast<long>(regs.orig_rax);
    return state;
}
#endif

bool stops(pid_t tid) {
    int status = 0;
    return ::waitpid(tid, &status, __WALL) == tid && WIFSTOPPED(status);
}

}  // namespace

std::string text_of(const model::Stack& stack) {
    std::string text;
    for (const model::Frame& frame : stack)
        text += fmt::format("  {}{} {}+{:#x}\n", frame.own ? "* " : "  ",
                            frame.function.empty() ? "?" : frame.function, frame.module,
                            frame.offset.value_or(0));
    return text;
}

Sleeper::Sleeper(std::vector<std::string> command) {
    int ends[2];
    int input[2];
    if (::pipe2(ends, O_CLOEXEC) != 0 || ::pipe2(input, O_CLOEXEC) != 0) return;
    pid_ = ::fork();
    if (pid_ == 0) {
        ::dup2(ends[1], STDOUT_FILENO);
        ::dup2(input[0], STDIN_FILENO);
        std::vector<char*> arguments;
        for (std::string& word : command) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        ::execvp(arguments[0], arguments.data());
        ::_exit(127);
    }
    ::close(ends[1]);
    ::close(input[0]);
    output_ = ends[0];
    input_ = input[1];
    wait_for_line();
}

void Sleeper::wait_for_line() const {
    char byte = 0;
    while (::read(output_, &byte, 1) == 1 && byte != '\n') {
    }
}

void Sleeper::say(const std::string& text) const {
    if (::write(input_, text.data(), text.size()) == static_cast<ssize_t>(text.size())) wait_for_line();
}

Sleeper::~Sleeper() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    ::close(output_);
    ::close(input_);
}

std::uint64_t Sleeper::start_ns() const {
    const auto stat = system::read_file(fmt::format("/proc/{}/stat", pid_));
    const auto ticks = stat ? system::start_ticks_of(*stat) : std::nullopt;
    return ticks.value_or(0) * (1'000'000'000U / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK)));
}

std::vector<std::uint32_t> Sleeper::threads() const {
    std::vector<std::uint32_t> tids;
    for (const auto& entry : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid_)))
        tids.push_back(static_cast<std::uint32_t>(std::stoul(entry.path().filename().string())));
    std::ranges::sort(tids);
    return tids;
}

std::optional<model::RawStack> Sleeper::stack_in(long syscall, std::uint32_t thread) const {
    const auto tid = static_cast<pid_t>(thread != 0 ? thread : threads().back());
    if (::ptrace(PTRACE_SEIZE, tid, nullptr, nullptr) != 0) return std::nullopt;
    std::optional<model::RawStack> raw;
    const auto enough = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    for (;;) {
        std::this_thread::sleep_for(std::chrono::microseconds(300));
        if (::ptrace(PTRACE_INTERRUPT, tid, nullptr, nullptr) != 0 || !stops(tid)) break;
        const State state = state_of(tid);
        if (state.syscall == syscall) {
            raw.emplace();
            raw->pid = static_cast<std::uint32_t>(pid_);
            raw->tid = static_cast<std::uint32_t>(tid);
            raw->registers = state.registers;
            raw->bytes = bytes_at(pid_, state.registers.sp);
        }
        const bool is_last = raw || std::chrono::steady_clock::now() > enough;
        ::ptrace(is_last ? PTRACE_DETACH : PTRACE_CONT, tid, nullptr, nullptr);
        if (is_last) break;
    }
    return raw;
}

}  // namespace waitclose::symbols
