// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/stack_records.h"

#include <algorithm>
#include <iterator>

#include "kernel/readings.h"

namespace waitclose::kernel {
namespace {

static_assert(model::Registers::kCount == WC_REGISTER_COUNT);

std::vector<std::uint64_t> addresses(const wc_u64 (&kernel)[WC_KERNEL_DEPTH], std::uint32_t depth) {
    const auto* end = std::begin(kernel) + std::min<std::uint32_t>(depth, WC_KERNEL_DEPTH);
    return {std::begin(kernel), std::find(std::begin(kernel), end, 0U)};
}

/// As a census would tell of it, so that both are read alike.
wc_census_thread census_thread(std::uint32_t syscall, const wc_u64 (&arguments)[4],
                               const wc_sleep_file& file) {
    wc_census_thread thread{};
    thread.syscall = syscall;
    thread.has_registers = syscall != ~0U;
    std::copy(std::begin(arguments), std::end(arguments), std::begin(thread.arguments));
    thread.file_inode = file.inode;
    thread.file_mode = file.mode;
    thread.peer_inode = file.peer_inode;
    thread.other_end = file.other_end;
    thread.file_socket = file.socket;
    return thread;
}

model::Thread thread_of(const wc_census_thread& record, const wc_actor& actor) {
    model::Thread thread;
    thread.tid = actor.tid;
    thread.start_ns = actor.start_ns;
    thread.state = run_state(record);
    if (record.has_registers) thread.syscall = record.syscall;
    std::copy(std::begin(record.arguments), std::end(record.arguments), thread.arguments.begin());
    thread.file = file_of(record, thread);
    return thread;
}

}  // namespace

model::Registers registers_of(const wc_registers& record) {
    model::Registers registers;
    std::copy(std::begin(record.values), std::end(record.values), registers.values.begin());
    registers.pc = record.pc;
    registers.sp = record.sp;
    return registers;
}

std::optional<model::RawStack> stack_of(const wc_stack& record, std::size_t size) {
    constexpr std::size_t kWithoutBytes = offsetof(wc_stack, bytes);
    if (size < kWithoutBytes || record.header.size > size) return std::nullopt;
    model::RawStack stack;
    stack.pid = record.tgid;
    stack.tid = record.tid;
    stack.start_ns = record.start_ns;
    stack.at_ns = record.at_ns;
    stack.kernel_addresses = addresses(record.kernel, record.kernel_depth);
    if (!record.has_registers) return stack;
    stack.registers = registers_of(record.registers);
    const std::size_t count =
        std::min({std::size_t{record.byte_count}, size - kWithoutBytes, std::size_t{WC_STACK_BYTES}});
    const auto* bytes = reinterpret_cast<const std::byte*>(record.bytes);
    stack.bytes.assign(bytes, bytes + count);
    return stack;
}

model::RawStack stack_of(const wc_resting& record) {
    model::RawStack stack;
    stack.pid = record.thread.tgid;
    stack.tid = record.thread.tid;
    stack.start_ns = record.thread.start_ns;
    stack.at_ns = record.taken_ns;
    stack.kernel_addresses = addresses(record.kernel, record.kernel_depth);
    if (record.has_registers) stack.registers = registers_of(record.registers);
    return stack;
}

model::Thread thread_of(const wc_resting& record) {
    wc_census_thread thread = census_thread(record.syscall, record.arguments, record.file);
    thread.state = record.state;
    thread.exit_state = record.exit_state;
    thread.frozen = record.frozen;
    return thread_of(thread, record.thread);
}

model::Thread thread_of(const wc_stretch& record) {
    constexpr std::uint32_t kInterruptible = 1;  // include/linux/sched.h
    wc_census_thread thread = census_thread(record.syscall, record.arguments, record.file);
    thread.state = kInterruptible;
    return thread_of(thread, record.thread);
}

}  // namespace waitclose::kernel
