// SPDX-License-Identifier: BSD-2-Clause
// From kernel records to the model's types.
#pragma once

#include <optional>

#include "bpf/records.h"
#include "model/events.h"

namespace waitclose::kernel {

model::Family family_of(const wc_socket& socket);
model::Endpoint local_of(const wc_socket& socket);
model::Endpoint remote_of(const wc_socket& socket);
model::Connection connection_of(const wc_socket& socket);

/// Nothing when the record is all zero, or its thread is not visible in waitclose's PID namespace.
std::optional<model::Actor> actor_of(const wc_actor& actor);
std::optional<model::Deed> deed_of(const wc_deed& deed, wc_u32 operation, std::int32_t fd = -1);
model::Touches touches_of(const wc_touches& touches);

model::Entered entered_of(const wc_entered& record);
model::Left left_of(const wc_left& record);
model::Transition transition_of(const wc_transition& record);

}  // namespace waitclose::kernel
