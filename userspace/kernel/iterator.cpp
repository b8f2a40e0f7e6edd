// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/iterator.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <unistd.h>

#include "kernel/log.h"
#include "system/files.h"

namespace waitclose::kernel {
namespace {

Failure failure(const char* doing, const char* program) {
    return {fmt::format("{} the iterator {} failed: {}", doing, program, std::strerror(errno)),
            "'waitclose doctor' shows what this kernel allows"};
}

}  // namespace

void Iterator::LinkDeleter::operator()(bpf_link* link) const {
    bpf_link__destroy(link);
}

Iterator::Iterator(Iterator&&) noexcept = default;
Iterator& Iterator::operator=(Iterator&&) noexcept = default;
Iterator::~Iterator() = default;

Result<Iterator> Iterator::attach(bpf_program* program) {
    const LogCapture log;
    bpf_link* link = bpf_program__attach_iter(program, nullptr);
    if (!link) return tl::unexpected(failure("attaching", bpf_program__name(program)));
    return Iterator(link);
}

Result<void> Iterator::run(const OnRecord& on_record) const {
    const system::Descriptor file(bpf_iter_create(bpf_link__fd(link_.get())));
    if (!file) return tl::unexpected(failure("starting", "of the census"));
    std::vector<std::byte> buffer(128 << 10);
    std::size_t filled = 0;
    for (;;) {
        const ssize_t got = ::read(file.get(), buffer.data() + filled, buffer.size() - filled);
        // EAGAIN: the kernel went through a million objects without output and wants to be asked again.
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (got < 0) return tl::unexpected(failure("reading", "of the census"));
        if (got == 0) return {};
        filled += static_cast<std::size_t>(got);
        const std::size_t used = split_records(std::span(buffer).first(filled), on_record);
        std::copy(buffer.begin() + static_cast<std::ptrdiff_t>(used),
                  buffer.begin() + static_cast<std::ptrdiff_t>(filled), buffer.begin());
        filled -= used;
    }
}

std::size_t split_records(std::span<const std::byte> bytes, const Iterator::OnRecord& on_record) {
    std::size_t at = 0;
    while (bytes.size() - at >= sizeof(wc_header)) {
        // Every record is a multiple of eight bytes, so the header is aligned as the buffer is.
        const auto& header = *reinterpret_cast<const wc_header*>(bytes.data() + at);
        if (header.size < sizeof(wc_header) || header.size % 8 != 0) return bytes.size();
        if (header.size > bytes.size() - at) break;
        on_record(header);
        at += header.size;
    }
    return at;
}

}  // namespace waitclose::kernel
