// SPDX-License-Identifier: BSD-2-Clause
// The fields of sockets, and of what was done to them or watches them (field_list.h).
#pragma once

#include "model/socket.h"
#include "model/watch.h"
#include "store/field_list.h"

namespace waitclose::store {

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
        v.later("opened_at", &T::opened_at);
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

/// Without the references to holders, listener and peer, and what watches it: SocketLinks in tables.h.
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
        v("away_before", &T::away_before);
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

}  // namespace waitclose::store
