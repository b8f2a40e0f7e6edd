// SPDX-License-Identifier: BSD-2-Clause
// Reading a BPF iterator's records.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "bpf/records.h"
#include "failure.h"

struct bpf_link;
struct bpf_program;

namespace waitclose::kernel {

/// An iterator program, ready to be run any number of times.
class Iterator {
public:
    static Result<Iterator> attach(bpf_program* program);

    Iterator(Iterator&&) noexcept;
    Iterator& operator=(Iterator&&) noexcept;
    ~Iterator();

    using OnRecord = std::function<void(const wc_header&)>;

    /// One pass. It reads the network namespace that the calling thread is in. The record is valid during the
    /// call only, and is as long as its header says.
    Result<void> run(const OnRecord& on_record) const;

private:
    struct LinkDeleter {
        void operator()(bpf_link* link) const;
    };
    explicit Iterator(bpf_link* link) : link_(link) {}
    std::unique_ptr<bpf_link, LinkDeleter> link_;
};

/// Hands the whole records at the front of `bytes` to `on_record`; returns how many bytes they took. A record
/// whose size cannot be right ends it (what follows cannot be told apart any more).
std::size_t split_records(std::span<const std::byte> bytes, const Iterator::OnRecord& on_record);

}  // namespace waitclose::kernel
