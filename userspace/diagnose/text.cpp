// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/text.h"

#include <fmt/format.h>

#include "diagnose/kernel_stack.h"
#include "model/syscalls.h"

namespace waitclose::diagnose {

std::string process_text(const model::Process& process) {
    // One that went away while it was looked at has left no name.
    return process.comm.empty() ? fmt::format("pid {}", process.pid)
                                : fmt::format("{} (pid {})", process.comm, process.pid);
}

std::string thread_text(const model::Thread& thread) {
    return fmt::format("thread {} (tid {})", thread.comm, thread.tid);
}

std::string actor_text(const model::Actor& actor) {
    return fmt::format("thread {} (pid {}, tid {})", actor.comm_text(), actor.pid, actor.tid);
}

std::string function_of(const model::Thread& thread) {
    const model::Frame* frame = thread.user_stack ? model::own_function(*thread.user_stack) : nullptr;
    return frame ? frame->function : std::string();
}

std::string function_text(std::string_view function) {
    constexpr std::size_t kMostBytes = 120;
    if (function.size() <= kMostBytes) return std::string(function);
    std::size_t end = kMostBytes;
    while (end > 0 && (static_cast<unsigned char>(function[end]) & 0xc0) == 0x80) --end;
    return std::string(function.substr(0, end)) + "...";
}

std::string in_function_text(const model::Thread& thread) {
    const std::string function = function_of(thread);
    return function.empty() ? function : fmt::format(", in {},", function_text(function));
}

namespace {

/// A page fault is in no system call, and registers may not have been read.
std::string activity_outside_calls(const model::Thread& thread) {
    if (thread.state == model::RunState::kRunning) return "runs";
    const StackStory story = thread.kernel_stack ? story_of(*thread.kernel_stack) : StackStory{};
    if (story.frame.empty()) return "is asleep in no system call that could be read";
    return fmt::format("sleeps in {}{}", story.words.empty() ? "the kernel" : "a ",
                       story.words.empty() ? fmt::format(", in {}", story.frame)
                                           : fmt::format("{} ({})", story.words, story.frame));
}

}  // namespace

std::string tracer_text(const model::Thread& traced) {
    if (!traced.tracer) return fmt::format("traced by {}", traced.tracer_tid);
    return fmt::format("traced by {} (pid {})", traced.tracer->comm, traced.tracer->pid);
}

std::string activity_text(const model::Thread& thread) {
    if (is_stopped(thread))
        return thread.tracer_tid ? fmt::format("is stopped ({})", tracer_text(thread)) : "is stopped";
    if (!thread.syscall) return activity_outside_calls(thread);
    const std::string call = syscall_text(*thread.syscall);
    const auto uses = uses_of(thread);
    if (uses[0].fd < 0) return fmt::format("sleeps in {}", call);
    if (uses[1].fd < 0) return fmt::format("sleeps in {} on fd {}", call, uses[0].fd);
    return fmt::format("sleeps in {} from fd {} to fd {}", call, uses[0].fd, uses[1].fd);
}

std::string descriptors_text(const Scene& scene, const model::Process* process) {
    if (!process && scene.processes.size() > 1)
        return fmt::format("{} descriptors of {} processes", scene.socket.holder_count,
                           scene.processes.size());
    constexpr int kShown = 4;
    int count = 0;
    std::string list;
    for (const model::Holder& holder : scene.census.holders_of(scene.socket)) {
        if (process && &scene.census.process_of(holder) != process) continue;
        if (++count > kShown) continue;
        list += fmt::format("{}{}", count > 1 ? ", " : "", holder.fd);
    }
    if (count > kShown) list += fmt::format(" and {} more", count - kShown);
    return fmt::format("{} {}", count == 1 ? "fd" : "fds", list);
}

std::string service_text(const model::Socket& socket) {
    if (socket.role == model::Role::kClient) return endpoint_text(socket.family, socket.remote);
    return fmt::format("port {}", socket.local.port);
}

std::string subject_text(const Who& who) {
    if (who.thread && who.thread->tid != who.process->pid) return fmt::format("thread {}", who.thread->comm);
    if (who.thread) return who.thread->comm;
    return who.process ? who.process->comm : "its program";
}

void add_function(const model::Thread& thread, Diagnosis& diagnosis) {
    const std::string function = function_of(thread);
    if (function.empty()) return;
    const char* how = thread.state == model::RunState::kRunning
                          ? "most samples of {} found it in {} (capture: call stacks)"
                          : "{} sleeps in {} (capture: call stack)";
    add_fact(diagnosis, "in_function", function.c_str(),
             fmt::format(fmt::runtime(how), thread_text(thread), function_text(function)));
}

void add_fact(Diagnosis& diagnosis, const char* fact, bool value, std::string text) {
    diagnosis.evidence.push_back({fact, value, std::move(text)});
}

void add_fact(Diagnosis& diagnosis, const char* fact, std::uint64_t value, std::string text) {
    diagnosis.evidence.push_back({fact, static_cast<std::int64_t>(value), std::move(text)});
}

void add_fact(Diagnosis& diagnosis, const char* fact, const char* value, std::string text) {
    diagnosis.evidence.push_back({fact, std::string(value), std::move(text)});
}

}  // namespace waitclose::diagnose
