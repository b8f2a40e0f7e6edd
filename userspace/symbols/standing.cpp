// SPDX-License-Identifier: BSD-2-Clause
#include "symbols/standing.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <span>

#include <fmt/format.h>

#include "system/files.h"
#include "system/process_memory.h"
#include "system/text.h"
#include "system/thread_facts.h"

namespace waitclose::symbols {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kEnough = 128;

std::optional<std::uint64_t> hex_number(std::string_view word) {
    std::uint64_t number = 0;
    if (!word.starts_with("0x")) return std::nullopt;
    const auto [end, error] = std::from_chars(word.data() + 2, word.data() + word.size(), number, 16);
    if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
    return number;
}

/// A page at a time, since the stack ends somewhere.
std::vector<std::byte> stack_bytes(std::uint32_t pid, std::uint64_t sp, std::size_t most) {
    std::vector<std::byte> bytes(most);
    std::size_t got = 0;
    while (got < most) {
        const std::size_t size = std::min(kPage - (sp + got) % kPage, most - got);
        if (!system::read_memory(pid, sp + got, std::span(bytes).subspan(got, size))) break;
        got += size;
    }
    bytes.resize(got);
    return bytes;
}

/// How many bytes of a stack are the thread's alone. Above its frames lies, with glibc on x86-64, what the C
/// library keeps of the thread, aligned to 64 bytes: it begins with its own address and has that two words
/// later once more. Others write there as threads come and go (the list of all stacks).
std::size_t own_part(const model::RawStack& raw) {
    constexpr std::size_t kWord = sizeof(std::uint64_t);
    constexpr std::size_t kAlignment = 64;
    const auto word_at = [&](std::size_t at) {
        std::uint64_t word = 0;
        std::memcpy(&word, raw.bytes.data() + at, kWord);
        return word;
    };
    const std::uint64_t sp = raw.registers->sp;
    const std::size_t first = (kAlignment - sp % kAlignment) % kAlignment;
    if (raw.bytes.size() < first + 3 * kWord) return raw.bytes.size();
    // From above, since a program may have the like among its variables.
    std::size_t at = raw.bytes.size() - 3 * kWord;
    for (at -= (at - first) % kAlignment;; at -= kAlignment) {
        if (word_at(at) == sp + at && word_at(at + 2 * kWord) == sp + at) return at;
        if (at == first) return raw.bytes.size();
    }
}

}  // namespace

std::optional<Standing> standing_of(std::uint32_t pid, std::uint32_t tid, std::size_t most_bytes) {
    const std::string path = fmt::format("/proc/{}/task/{}/syscall", pid, tid);
    const auto before = system::read_line(path);
    auto standing = before ? standing_in(*before) : std::nullopt;
    if (!standing) return std::nullopt;
    standing->bytes = stack_bytes(pid, standing->sp, most_bytes);
    return system::read_line(path) == before ? standing : std::nullopt;
}

std::optional<Standing> standing_in(std::string_view syscall) {
    // Its number, six arguments unless that is -1, the stack pointer, the program counter.
    const std::string_view number = system::word(syscall, 0);
    if (number.empty() || number == "running") return std::nullopt;
    const int at = number == "-1" ? 1 : 7;
    const auto sp = hex_number(system::word(syscall, at));
    const auto pc = hex_number(system::word(syscall, at + 1));
    if (!sp || !pc) return std::nullopt;
    return Standing{*sp, *pc, {}};
}

bool is_same(const Standing& standing, const model::RawStack& raw) {
    if (!raw.registers || raw.registers->sp != standing.sp || raw.registers->pc != standing.pc) return false;
    const std::size_t common = std::min(own_part(raw), standing.bytes.size());
    return common > 0 &&
           std::equal(raw.bytes.begin(), raw.bytes.begin() + static_cast<std::ptrdiff_t>(common),
                      standing.bytes.begin());
}

bool is_same_within(const Standing& standing, const model::RawStack& raw, std::uint64_t from,
                    std::uint64_t to) {
    if (!raw.registers || from < raw.registers->sp || from < standing.sp || from > to) return false;
    const std::uint64_t of_raw = from - raw.registers->sp;
    const std::uint64_t of_standing = from - standing.sp;
    const std::size_t own = own_part(raw);
    if (of_raw >= own || of_standing >= standing.bytes.size()) return false;
    const std::size_t common =
        std::min({own - of_raw, standing.bytes.size() - of_standing, static_cast<std::size_t>(to - from)});
    return common >= kEnough && std::equal(raw.bytes.begin() + static_cast<std::ptrdiff_t>(of_raw),
                                           raw.bytes.begin() + static_cast<std::ptrdiff_t>(of_raw + common),
                                           standing.bytes.begin() + static_cast<std::ptrdiff_t>(of_standing));
}

std::optional<std::uint32_t> own_tid_of(std::uint32_t pid, std::uint32_t tid) {
    const auto status = system::read_file(fmt::format("/proc/{}/task/{}/status", pid, tid), 16384);
    if (!status) return std::nullopt;
    const std::uint32_t own = system::innermost_id(*status);
    return own ? own : tid;
}

}  // namespace waitclose::symbols
