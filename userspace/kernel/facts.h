// SPDX-License-Identifier: BSD-2-Clause
// What this kernel offers, found by trying each attach point by itself, before anything of ours is loaded.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "kernel/plan.h"

struct btf;

namespace waitclose::kernel {

class Facts {
public:
    /// Reads the kernel's type information; without it every typed hook is refused.
    static Facts of_this_kernel();

    Facts(Facts&&) noexcept;
    Facts& operator=(Facts&&) noexcept;
    ~Facts();

    /// Why a hook cannot be used here, in words; nothing when a program of two instructions loads (typed
    /// tracepoints, fentry, fexit), the kprobe or the tracepoint can be opened. What the verifier makes of
    /// our own program is not known by that.
    std::optional<std::string> why_not(const Alternative& hook) const;

    /// Whether there is something at this point to attach to.
    bool has(const AttachPoint& point) const;

    /// Whether tracing programs can ask for a socket's cookie (since 5.12, c5dbb89fc2ac).
    bool gives_cookies() const;

private:
    struct BtfDeleter {
        void operator()(btf* types) const;
    };
    explicit Facts(btf* types) : types_(types) {}
    int type_of(const AttachPoint& point) const;
    bool has_function(std::string_view name) const;
    std::optional<std::string> why_not(const AttachPoint& point) const;
    std::optional<std::string> why_not_typed(const AttachPoint& point) const;

    std::unique_ptr<btf, BtfDeleter> types_;
};

enum class Trying { kUntilOneIsFound, kAll };

/// Tries the hooks that the needs could use and writes down those that cannot be used; what is refused
/// already is not tried.
void refuse_impossible(const Facts& facts, std::span<const Need> needs, const Purpose& purpose, Trying trying,
                       Refusals& refused);

}  // namespace waitclose::kernel
