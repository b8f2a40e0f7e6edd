// SPDX-License-Identifier: BSD-2-Clause
// The fields of a census as a whole, its accept side and its window (field_list.h).
#pragma once

#include "model/census.h"
#include "store/field_list.h"

namespace waitclose::store {

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

}  // namespace waitclose::store
