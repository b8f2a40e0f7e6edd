// SPDX-License-Identifier: BSD-2-Clause
// What a network namespace says of keepalive.
#pragma once

#include "model/socket.h"

namespace waitclose::system {

/// net.ipv4.tcp_keepalive_* of the network namespace that the calling thread is in: /proc/sys/net shows a
/// reader its own. IPv6 connections go by the same. What cannot be read is absent.
model::Keepalive keepalive_defaults();

}  // namespace waitclose::system
