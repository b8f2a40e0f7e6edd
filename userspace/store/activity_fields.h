// SPDX-License-Identifier: BSD-2-Clause
// The fields of what a capture saw threads do (field_list.h).
#pragma once

#include "model/activity.h"
#include "store/field_list.h"
#include "store/process_fields.h"

namespace waitclose::store {

/// Without its lists.
template <>
struct Fields<model::Activity> {
    template <typename V>
    static void visit(V& v) {
        using T = model::Activity;
        v("from_ns", &T::from_ns);
        v("to_ns", &T::to_ns);
        v("sample_period_ns", &T::sample_period_ns);
        v("lost", &T::lost);
    }
};

/// Without its lists, and the stack that it rests in.
template <>
struct Fields<model::ThreadActivity> {
    template <typename V>
    static void visit(V& v) {
        using T = model::ThreadActivity;
        v("pid", &T::pid);
        v("process_start_ns", &T::process_start_ns);
        v("tid", &T::tid);
        v("start_ns", &T::start_ns);
        v("comm", &T::comm);
        v("from_ns", &T::from_ns);
        v("to_ns", &T::to_ns);
        v("ended", &T::ended);
    }
};

/// Without its stack.
template <>
struct Fields<model::Sleep> {
    template <typename V>
    static void visit(V& v) {
        using T = model::Sleep;
        v("syscall", &T::syscall);
        v("argument", &T::arguments);
        v.part("file_", &T::file);
        v("in_iowait", &T::in_iowait);
    }
};

/// Without the references to a way to sleep and to a waker.
template <>
struct Fields<model::Interval> {
    template <typename V>
    static void visit(V& v) {
        using T = model::Interval;
        v("begin_ns", &T::begin_ns);
        v("end_ns", &T::end_ns);
        v("doing", &T::doing);
    }
};

/// Without its stack.
template <>
struct Fields<model::CpuSample> {
    template <typename V>
    static void visit(V& v) {
        v("at_ns", &model::CpuSample::at_ns);
    }
};

}  // namespace waitclose::store
