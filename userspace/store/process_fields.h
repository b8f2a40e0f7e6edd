// SPDX-License-Identifier: BSD-2-Clause
// The fields of processes, their threads, and what those wait for (field_list.h).
#pragma once

#include "model/answer.h"
#include "model/process.h"
#include "store/field_list.h"

namespace waitclose::store {

template <>
struct Fields<model::FileFact> {
    template <typename V>
    static void visit(V& v) {
        using T = model::FileFact;
        v("kind", &T::kind);
        v("name", &T::name);
        v("inode", &T::inode);
        v("remote", &T::remote);
        v.identity("other_end", &T::other_end);
        v("local_port", &T::local_port);
    }
};

template <>
struct Fields<model::Polled> {
    template <typename V>
    static void visit(V& v) {
        using T = model::Polled;
        v("fd", &T::fd);
        v("writes", &T::writes);
        v("timeout_ns", &T::timeout_ns);
    }
};

template <>
struct Fields<model::LockHolder> {
    template <typename V>
    static void visit(V& v) {
        using T = model::LockHolder;
        v("pid", &T::pid);
        v("comm", &T::comm);
    }
};

template <>
struct Fields<model::Tracer> {
    template <typename V>
    static void visit(V& v) {
        using T = model::Tracer;
        v("pid", &T::pid);
        v("comm", &T::comm);
    }
};

/// Without kernel_addresses: the names of kernel_stack say the same, and a file that is passed on must not
/// tell where the kernel of its machine lies.
template <>
struct Fields<model::Thread> {
    template <typename V>
    static void visit(V& v) {
        using T = model::Thread;
        v("tid", &T::tid);
        v("start_ns", &T::start_ns);
        v("comm", &T::comm);
        v("state", &T::state);
        v("exiting", &T::exiting);
        v("tracer_tid", &T::tracer_tid);
        v.part("tracer_", &T::tracer);
        v("switches", &T::switches);
        v.moment("read_ns", &T::read_ns);
        v("has_cpu", &T::has_cpu);
        v("syscall", &T::syscall);
        v("argument", &T::arguments);
        v.bound("asleep_since_ns", &T::asleep_since_ns);
        v("on_cpu_ns", &T::on_cpu_ns);
        v("run_delay_ns", &T::run_delay_ns);
        v("in_iowait", &T::in_iowait);
        v.part("file_", &T::file);
        v.part("polled_", &T::polled);
        v("lock_owner_tid", &T::lock_owner_tid);
        v.part("lock_holder_", &T::lock_holder);
        v("kernel_stack", &T::kernel_stack);
        v("foreign_ids", &T::foreign_ids);
        v.identity("epoll", &T::epoll);
        v.later("user_stack", &T::user_stack);
    }
};

/// Without the references to its threads.
template <>
struct Fields<model::Process> {
    template <typename V>
    static void visit(V& v) {
        using T = model::Process;
        v("pid", &T::pid);
        v("start_ns", &T::start_ns);
        v("parent_pid", &T::parent_pid);
        v("comm", &T::comm);
        v("exe", &T::exe);
        v("cgroup", &T::cgroup);
        v("cpu_cgroup", &T::cpu_cgroup);
        v("container", &T::container);
        v("fds_used", &T::fds_used);
        v("fd_limit", &T::fd_limit);
        v("held_back_fd", &T::held_back_fd);
        v("threads_ended", &T::threads_ended);
    }
};

/// Without the reference to its process.
template <>
struct Fields<model::Holder> {
    template <typename V>
    static void visit(V& v) {
        using T = model::Holder;
        v("fd", &T::fd);
        v("close_on_exec", &T::close_on_exec);
    }
};

template <>
struct Fields<model::Question> {
    template <typename V>
    static void visit(V& v) {
        using T = model::Question;
        v("kind", &T::kind);
        v.asked("id", &T::id, &T::kind);
    }
};

/// Without the reference to its process.
template <>
struct Fields<model::Answer> {
    template <typename V>
    static void visit(V& v) {
        using T = model::Answer;
        v.part("question_", &T::question);
        v("pid", &T::pid);
        v("start_ns", &T::start_ns);
        v("fd", &T::fd);
        v("reads", &T::reads);
        v("writes", &T::writes);
        v.identity("file", &T::file);
        v("references_to_file", &T::references);
        v("readers", &T::readers);
        v("writers", &T::writers);
        v("last_touch", &T::last_touch);
    }
};

}  // namespace waitclose::store
