// SPDX-License-Identifier: BSD-2-Clause
#include "diagnose/text.h"

#include <fmt/format.h>

#include "diagnose/syscalls.h"

namespace waitclose::diagnose {

namespace {

constexpr std::uint64_t kMicrosecond = 1'000;
constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kMinute = 60 * kSecond;
constexpr std::uint64_t kHour = 60 * kMinute;
constexpr std::uint64_t kDay = 24 * kHour;

std::string two_parts(std::uint64_t ns, std::uint64_t big, const char* big_name, std::uint64_t small,
                      const char* small_name) {
    const std::uint64_t rest = ns % big / small;
    if (rest == 0) return fmt::format("{} {}", ns / big, big_name);
    return fmt::format("{} {} {} {}", ns / big, big_name, rest, small_name);
}

}  // namespace

std::string duration_text(std::uint64_t ns) {
    if (ns < kMillisecond) return fmt::format("{} µs", ns / kMicrosecond);
    if (ns < kSecond) return fmt::format("{} ms", ns / kMillisecond);
    // Cut off, not rounded: "10.0 s" for 9.96 s would say more than was measured.
    if (ns < 10 * kSecond) return fmt::format("{}.{} s", ns / kSecond, ns % kSecond / (kSecond / 10));
    if (ns < kMinute) return fmt::format("{} s", ns / kSecond);
    if (ns < kHour) return two_parts(ns, kMinute, "min", kSecond, "s");
    if (ns < kDay) return two_parts(ns, kHour, "h", kMinute, "min");
    return two_parts(ns, kDay, "d", kHour, "h");
}

std::string process_text(const model::Process& process) {
    return fmt::format("{} (pid {})", process.comm, process.pid);
}

std::string thread_text(const model::Thread& thread) {
    return fmt::format("thread {} (tid {})", thread.comm, thread.tid);
}

std::string actor_text(const model::Actor& actor) {
    return fmt::format("thread {} (pid {}, tid {})", actor.comm_text(), actor.pid, actor.tid);
}

std::string activity_text(const model::Thread& thread) {
    if (is_stopped(thread))
        return thread.tracer_tid ? fmt::format("is stopped (traced by {})", thread.tracer_tid) : "is stopped";
    if (!thread.syscall && thread.state == model::RunState::kRunning) return "runs";
    // A page fault, for instance, or its registers could not be read.
    if (!thread.syscall) return "is asleep in no system call that could be read";
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

std::string endpoint_text(model::Family family, const model::Endpoint& endpoint) {
    const std::string address = address_text(family, endpoint);
    return family == model::Family::kIpv6 ? fmt::format("[{}]:{}", address, endpoint.port)
                                          : fmt::format("{}:{}", address, endpoint.port);
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
