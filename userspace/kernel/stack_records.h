// SPDX-License-Identifier: BSD-2-Clause
// From records of stacks and of resting threads to the model's types.
#pragma once

#include <cstddef>
#include <optional>

#include "bpf/activity_records.h"
#include "model/process.h"
#include "model/stack.h"

namespace waitclose::kernel {

model::Registers registers_of(const wc_registers& record);

/// A stack from its record. Nothing when the record is shorter than it says; numbers that cannot be right are
/// cut to what there is. `size`: of the record, in bytes.
std::optional<model::RawStack> stack_of(const wc_stack& record, std::size_t size);

/// Of a resting thread: without the memory of its stack.
model::RawStack stack_of(const wc_resting& record);

/// The thread with what its wait is told by: state, system call, file (without its name).
model::Thread thread_of(const wc_resting& record);

/// The same of a thread that went to sleep.
model::Thread thread_of(const wc_stretch& record);

}  // namespace waitclose::kernel
