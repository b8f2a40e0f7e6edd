// SPDX-License-Identifier: BSD-2-Clause
// The words diagnoses are made of. Names of processes and threads are raw: output escapes them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "diagnose/scene.h"
#include "model/wording.h"

namespace waitclose::diagnose {

using model::duration_text;
using model::endpoint_text;

/// "java (pid 4121)"; "thread http-exec-17 (tid 4188)".
std::string process_text(const model::Process& process);
std::string thread_text(const model::Thread& thread);
/// As `thread_text`, of one who may have exited since, with the pid.
std::string actor_text(const model::Actor& actor);

/// "traced by gdb (pid 991)" of a traced thread; "traced by 991" (a thread id) where the process is not
/// known.
std::string tracer_text(const model::Thread& traced);

/// The function of its program in which a thread is; empty where that is not known.
std::string function_of(const model::Thread& thread);
/// A function's name, cut where it is very long.
std::string function_text(std::string_view function);
/// ", in write_audit_log," behind a thread's name; empty where it is not known.
std::string in_function_text(const model::Thread& thread);

/// "runs", "sleeps in fdatasync", "sleeps in read on fd 12", "is stopped".
std::string activity_text(const model::Thread& thread);

/// "fd 57" or "fds 57, 58": what the process holds the socket by; of all its processes when null.
std::string descriptors_text(const Scene& scene, const model::Process* process);
/// "port 8080", or "10.0.0.9:443" where this side opened the connection.
std::string service_text(const model::Socket& socket);

/// How a sentence calls the culprit: "thread http-exec-17", or "java" where it is the main or no one thread.
std::string subject_text(const Who& who);

/// "in_function": where in its program the thread is, where that is known.
void add_function(const model::Thread& thread, Diagnosis& diagnosis);

void add_fact(Diagnosis& diagnosis, const char* fact, bool value, std::string text);
void add_fact(Diagnosis& diagnosis, const char* fact, std::uint64_t value, std::string text);
void add_fact(Diagnosis& diagnosis, const char* fact, const char* value, std::string text);

}  // namespace waitclose::diagnose
