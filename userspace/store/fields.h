// SPDX-License-Identifier: BSD-2-Clause
// The fields of the model's structures, each listed once: columns, writing, reading, comparing and copying
// are all made from these lists (columns.h, rows.h). A list is a function that shows a visitor the members:
//
//   visit(name, member)              a number, a truth, an enumerator, a text, a thread, or one that is
//   optional visit.bound(name, member)        a time that jitters by a tick or two from look to look
//   visit.moment(name, member)       a time that moves on with the look when nothing else changes
//   visit.identity(name, member)     a number that tells kernel objects apart and says nothing else; 0: none
//   visit.endpoint(name, member, of) an address and port of that family
//   visit.part(prefix, member)       a structure, optional or behind a pointer; the first field of an
//   optional
//                                    one is never absent by itself
//
// A field that is added to a structure and not here breaks the build: see the sizes at the end.
#pragma once

#include <cstddef>
#include <type_traits>

#include "model/census.h"

namespace waitclose::store {

/// The list of a structure: `template <typename V> static void visit(V& v)`.
template <typename T>
struct Fields;

template <>
struct Fields<model::Deed> {
    template <typename V>
    static void visit(V& v) {
        using T = model::Deed;
        v("at_ns", &T::at_ns);
        v("by", &T::actor);
        v("operation", &T::operation);
        v("fd", &T::fd);
    }
};

template <>
struct Fields<model::Touches> {
    template <typename V>
    static void visit(V& v) {
        using T = model::Touches;
        v("eof_reads", &T::eof_reads);
        v("sent_since_fin", &T::sent_since_fin);
        v.part("opened_", &T::opened);
        v.part("last_", &T::last);
        v.part("eof_", &T::eof);
        v.part("let_go_", &T::let_go);
    }
};

template <>
struct Fields<model::Keepalive> {
    template <typename V>
    static void visit(V& v) {
        using T = model::Keepalive;
        v("on", &T::on);
        v("idle_ns", &T::idle_ns);
        v("interval_ns", &T::interval_ns);
        v("probes", &T::probes);
        v("user_timeout_ns", &T::user_timeout_ns);
        v.bound("heard_ns", &T::heard_ns);
        v("unanswered", &T::unanswered);
    }
};

/// Without the references to holders, listener and peer, and what watches it: socket_row.h.
template <>
struct Fields<model::Socket> {
    template <typename V>
    static void visit(V& v) {
        using T = model::Socket;
        v("cookie", &T::cookie);
        v("netns", &T::netns);
        v("family", &T::family);
        v("state", &T::state);
        v("role", &T::role);
        v("precision", &T::precision);
        v.endpoint("local", &T::local, &T::family);
        v.endpoint("remote", &T::remote, &T::family);
        v("has_file", &T::has_file);
        v("kernel_owned", &T::kernel_owned);
        v("fin_consumed", &T::fin_consumed);
        v("consumed_before", &T::consumed_before);
        v("received_data", &T::received_data);
        v("multipath", &T::multipath);
        v("received_bytes", &T::received_bytes);
        v("unread_bytes", &T::unread_bytes);
        v("unsent_bytes", &T::unsent_bytes);
        v("file_references", &T::file_references);
        v("inode", &T::inode);
        v.bound("held_since_ns", &T::held_since_ns);
        v.bound("last_sent_ns", &T::last_sent_ns);
        v.bound("last_data_ns", &T::last_data_ns);
        v.bound("oldest_sign_ns", &T::oldest_sign_ns);
        v("backlog", &T::backlog);
        v("backlog_limit", &T::backlog_limit);
        v("watching", &T::watching);
        v.part("keepalive_", &T::keepalive);
        v.part("", &T::touches);
    }
};

template <>
struct Fields<model::Watch> {
    template <typename V>
    static void visit(V& v) {
        using T = model::Watch;
        v("kind", &T::kind);
        v("fd", &T::fd);
        v("events", &T::events);
        v.identity("epoll", &T::epoll);
        v.identity("outer", &T::outer);
        v("ready", &T::ready);
        v("awaited", &T::awaited);
        v("polled", &T::polled);
        v("pid", &T::pid);
        v("tid", &T::tid);
    }
};

template <>
struct Fields<model::InFlight> {
    template <typename V>
    static void visit(V& v) {
        using T = model::InFlight;
        v("lies_in", &T::where);
        v("start_ns", &T::start_ns);
        v("pid", &T::pid);
        v("fd", &T::fd);
        v("comm", &T::comm);
    }
};

template <>
struct Fields<model::EpollHolder> {
    template <typename V>
    static void visit(V& v) {
        using T = model::EpollHolder;
        v.identity("epoll", &T::epoll);
        v("start_ns", &T::start_ns);
        v("pid", &T::pid);
        v("fd", &T::fd);
        v("comm", &T::comm);
    }
};

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
        v("lock_owner_tid", &T::lock_owner_tid);
        v.part("lock_holder_", &T::lock_holder);
        v("kernel_stack", &T::kernel_stack);
        v("foreign_ids", &T::foreign_ids);
        v.identity("epoll", &T::epoll);
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

/// Without by_state, which has a table of its own.
template <>
struct Fields<model::AcceptQueue> {
    template <typename V>
    static void visit(V& v) {
        using T = model::AcceptQueue;
        v("walked", &T::walked);
        v.bound("oldest_since_ns", &T::oldest_since_ns);
    }
};

/// Without the reference to its listener.
template <>
struct Fields<model::AcceptCalls> {
    template <typename V>
    static void visit(V& v) {
        using T = model::AcceptCalls;
        v("pid", &T::pid);
        v("tid", &T::tid);
        v("thread_start_ns", &T::thread_start_ns);
        v("error", &T::error);
        v("total", &T::total);
        v("recent", &T::recent);
        v("last_ns", &T::last_ns);
    }
};

template <>
struct Fields<model::GrowingCount> {
    template <typename V>
    static void visit(V& v) {
        using T = model::GrowingCount;
        v("total", &T::total);
        v("recent", &T::recent);
    }
};

template <>
struct Fields<model::NetworkFacts> {
    template <typename V>
    static void visit(V& v) {
        using T = model::NetworkFacts;
        v("somaxconn", &T::somaxconn);
        v.part("listen_overflows_", &T::listen_overflows);
        v.part("listen_drops_", &T::listen_drops);
        v("time_wait", &T::time_wait);
        v("time_wait_limit", &T::time_wait_limit);
    }
};

template <>
struct Fields<model::FileTable> {
    template <typename V>
    static void visit(V& v) {
        using T = model::FileTable;
        v("used", &T::used);
        v("limit", &T::limit);
    }
};

/// Without its lists.
template <>
struct Fields<model::AcceptSide> {
    template <typename V>
    static void visit(V& v) {
        using T = model::AcceptSide;
        v("counted", &T::counted);
        v("window_ns", &T::window_ns);
        v.part("files_", &T::files);
    }
};

template <>
struct Fields<model::EarlierLook> {
    template <typename V>
    static void visit(V& v) {
        using T = model::EarlierLook;
        v("taken_ns", &T::taken_ns);
    }
};

template <>
struct Fields<model::PressureTime> {
    template <typename V>
    static void visit(V& v) {
        using T = model::PressureTime;
        v("some_ns", &T::some_ns);
        v("full_ns", &T::full_ns);
    }
};

/// Without its lists.
template <>
struct Fields<model::Window> {
    template <typename V>
    static void visit(V& v) {
        using T = model::Window;
        v("from_ns", &T::from_ns);
        v("to_ns", &T::to_ns);
        v("scheduled", &T::scheduled);
        v("steal_ns", &T::steal_ns);
        v("cpus", &T::cpus);
        v.part("cpu_", &T::cpu);
        v.part("memory_", &T::memory);
        v.part("io_", &T::io);
    }
};

template <>
struct Fields<model::Census> {
    template <typename V>
    static void visit(V& v) {
        using T = model::Census;
        v("taken_ns", &T::taken_ns);
        v("wall_offset_ns", &T::wall_offset_ns);
        v("traced", &T::traced);
        v("nested", &T::nested);
        v("unreachable", &T::unreachable);
        v.part("accept_", &T::accept);
        v.part("earlier_", &T::earlier);
        v.part("window_", &T::window);
    }
};

template <>
struct Fields<model::ThreadTime> {
    template <typename V>
    static void visit(V& v) {
        using T = model::ThreadTime;
        v("pid", &T::pid);
        v("tid", &T::tid);
        v("start_ns", &T::start_ns);
        v("comm", &T::comm);
        v("ended", &T::ended);
        v("from_ns", &T::from_ns);
        v("to_ns", &T::to_ns);
        v("on_cpu_ns", &T::on_cpu_ns);
        v("waiting_ns", &T::waiting_ns);
        v("unaccounted_ns", &T::unaccounted_ns);
        v("latest_deed_ns", &T::latest_deed_ns);
    }
};

template <>
struct Fields<model::Slept> {
    template <typename V>
    static void visit(V& v) {
        using T = model::Slept;
        v("known", &T::known);
        v("syscall", &T::syscall);
        v("file", &T::file);
        v("in_iowait", &T::in_iowait);
        v("slept_ns", &T::ns);
    }
};

template <>
struct Fields<model::Throttling> {
    template <typename V>
    static void visit(V& v) {
        using T = model::Throttling;
        v("cgroup", &T::cgroup);
        v("periods", &T::periods);
        v("throttled_periods", &T::throttled_periods);
        v("throttled_ns", &T::throttled_ns);
    }
};

template <>
struct Fields<model::JvmPauses> {
    template <typename V>
    static void visit(V& v) {
        using T = model::JvmPauses;
        v("pid", &T::pid);
        v("collecting_ns", &T::collecting_ns);
        v("safepoints_ns", &T::safepoints_ns);
        v("collections", &T::collections);
        v("collecting_ever_ns", &T::collecting_ever_ns);
        v("whole", &T::whole);
    }
};

// Who changes one of these structures changes the list above, or says there why a field is not in it; the
// schema (schema.h, schema.md) and the tests' second look at it follow. Sizes of one ABI stand for all of
// them.
#if defined(__x86_64__) && defined(__GLIBCXX__) && !defined(_GLIBCXX_DEBUG)
template <typename T, std::size_t kBytes>
inline constexpr bool kSizeIs = sizeof(T) == kBytes;
static_assert(kSizeIs<model::Actor, 32>);
static_assert(kSizeIs<model::Deed, 48>);
static_assert(kSizeIs<model::Touches, 240>);
static_assert(kSizeIs<model::Keepalive, 72>);
static_assert(kSizeIs<model::Endpoint, 18>);
static_assert(kSizeIs<model::Socket, 256>);
static_assert(kSizeIs<model::Watch, 48>);
static_assert(kSizeIs<model::InFlight, 56>);
static_assert(kSizeIs<model::EpollHolder, 56>);
static_assert(kSizeIs<model::FileFact, 96>);
static_assert(kSizeIs<model::LockHolder, 40>);
static_assert(kSizeIs<model::Tracer, 40>);
static_assert(kSizeIs<model::Thread, 424>);
static_assert(kSizeIs<model::Process, 264>);
static_assert(kSizeIs<model::Holder, 12>);
static_assert(kSizeIs<model::Question, 16>);
static_assert(kSizeIs<model::Answer, 112>);
static_assert(kSizeIs<model::AcceptQueue, 88>);
static_assert(kSizeIs<model::AcceptCalls, 64>);
static_assert(kSizeIs<model::GrowingCount, 24>);
static_assert(kSizeIs<model::NetworkFacts, 112>);
static_assert(kSizeIs<model::FileTable, 16>);
static_assert(kSizeIs<model::AcceptSide, 144>);
static_assert(kSizeIs<model::EarlierLook, 56>);
static_assert(kSizeIs<model::PressureTime, 32>);
static_assert(kSizeIs<model::Window, 296>);
static_assert(kSizeIs<model::Census, 768>);
static_assert(kSizeIs<model::ThreadTime, 128>);
static_assert(kSizeIs<model::Slept, 24>);
static_assert(kSizeIs<model::Throttling, 56>);
static_assert(kSizeIs<model::JvmPauses, 48>);
static_assert(kSizeIs<model::SocketKey, 16>);
#endif

}  // namespace waitclose::store
