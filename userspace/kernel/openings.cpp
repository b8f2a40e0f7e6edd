// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/openings.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unordered_map>
#include <utility>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <linux/types.h>

#include "bpf/activity_records.h"
#include "kernel/maps.h"
#include "kernel/records.h"
#include "kernel/stack_records.h"
#include "waitclose.skel.h"

namespace waitclose::kernel {
namespace {

/// Of one take(): what comes faster waits for the next.
constexpr std::uint64_t kMostAtOnce = 100'000;
/// Four times as many as the kernel side remembers that it has sent (opening_sent).
constexpr std::size_t kMostStacks = 8192;

}  // namespace

struct OpeningReader::Parts {
    void add(const void* data, std::size_t size);
    void add_stack(const wc_stack& record, std::size_t size);
    void add_opening(const wc_opening& record);
    void forget_oldest();

    const Probes* probes = nullptr;
    Ring ring;
    struct Known {
        std::shared_ptr<const model::RawStack> stack;
        std::uint64_t used = 0;
    };
    std::unordered_map<std::uint64_t, Known> stacks;  // by their ids
    std::uint64_t uses = 0;
    std::vector<Opening> found;
    std::uint64_t left = 0;
};

void OpeningReader::Parts::add(const void* data, std::size_t size) {
    if (size < sizeof(wc_header)) return;
    const auto& header = *static_cast<const wc_header*>(data);
    if (header.kind == WC_KIND_STACK && size >= offsetof(wc_stack, bytes))
        add_stack(*static_cast<const wc_stack*>(data), size);
    else if (header.kind == WC_KIND_OPENING && size >= sizeof(wc_opening))
        add_opening(*static_cast<const wc_opening*>(data));
}

void OpeningReader::Parts::add_stack(const wc_stack& record, std::size_t size) {
    auto stack = stack_of(record, size);
    if (!stack) return;
    if (stacks.size() >= kMostStacks) forget_oldest();
    stacks[record.id] = {std::make_shared<const model::RawStack>(std::move(*stack)), ++uses};
}

/// Half of them.
void OpeningReader::Parts::forget_oldest() {
    std::vector<std::uint64_t> used;
    for (const auto& [id, known] : stacks) used.push_back(known.used);
    const auto middle = used.begin() + static_cast<std::ptrdiff_t>(used.size() / 2);
    std::ranges::nth_element(used, middle);
    const std::uint64_t oldest_kept = *middle;
    std::erase_if(stacks, [&](const auto& entry) { return entry.second.used < oldest_kept; });
}

void OpeningReader::Parts::add_opening(const wc_opening& record) {
    const auto deed = deed_of({record.actor, record.at_ns}, record.operation);
    if (!deed) return;
    const auto stack = stacks.find(record.stack);
    if (stack != stacks.end()) stack->second.used = ++uses;
    found.push_back({*deed, record.netns, record.cookie, record.address, record.inode,
                     stack == stacks.end() ? nullptr : stack->second.stack});
}

OpeningReader::OpeningReader(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
OpeningReader::OpeningReader(OpeningReader&&) noexcept = default;
OpeningReader& OpeningReader::operator=(OpeningReader&&) noexcept = default;
OpeningReader::~OpeningReader() = default;

Result<OpeningReader> OpeningReader::open(const Probes& probes) {
    auto parts = std::make_unique<Parts>();
    parts->probes = &probes;
    const auto handle = [](void* context, void* data, std::size_t size) {
        auto& into = *static_cast<Parts*>(context);
        into.add(data, size);
        return into.left-- > 1 ? 0 : -EAGAIN;
    };
    parts->ring.reset(
        ring_buffer__new(bpf_map__fd(probes.skeleton().maps.openings), handle, parts.get(), nullptr));
    if (!parts->ring)
        return tl::unexpected(
            Failure{fmt::format("the ring buffer of openings cannot be mapped: {}", std::strerror(errno)),
                    "free some memory, or raise the memory limit of this process"});
    return OpeningReader(std::move(parts));
}

std::vector<Opening> OpeningReader::take() {
    parts_->left = kMostAtOnce;
    ring_buffer__consume(parts_->ring.get());
    return std::exchange(parts_->found, {});
}

std::uint64_t OpeningReader::lost() const {
    return parts_->probes->skeleton().bss->lost_openings;
}

}  // namespace waitclose::kernel
