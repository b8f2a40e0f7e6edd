// SPDX-License-Identifier: BSD-2-Clause
#include "symbols/standing.h"

#include <algorithm>
#include <charconv>
#include <span>

#include <fmt/format.h>

#include "system/files.h"
#include "system/process_memory.h"
#include "system/text.h"

namespace waitclose::symbols {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kEnough = 128;
/// Some thirty frames. Further up a runtime changes words of a thread that sleeps, such as lists of its own.
constexpr std::size_t kMost = 4096;

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
    const std::size_t common = std::min(raw.bytes.size(), standing.bytes.size());
    return common > 0 &&
           std::equal(raw.bytes.begin(), raw.bytes.begin() + static_cast<std::ptrdiff_t>(common),
                      standing.bytes.begin());
}

bool is_same_above(const Standing& standing, const model::RawStack& raw, std::uint64_t address) {
    if (!raw.registers || address < raw.registers->sp || address < standing.sp) return false;
    const std::uint64_t of_raw = address - raw.registers->sp;
    const std::uint64_t of_standing = address - standing.sp;
    if (of_raw >= raw.bytes.size() || of_standing >= standing.bytes.size()) return false;
    const std::size_t common =
        std::min({raw.bytes.size() - of_raw, standing.bytes.size() - of_standing, kMost});
    return common >= kEnough && std::equal(raw.bytes.begin() + static_cast<std::ptrdiff_t>(of_raw),
                                           raw.bytes.begin() + static_cast<std::ptrdiff_t>(of_raw + common),
                                           standing.bytes.begin() + static_cast<std::ptrdiff_t>(of_standing));
}

std::optional<std::uint32_t> own_tid_of(std::uint32_t pid, std::uint32_t tid) {
    const auto status = system::read_file(fmt::format("/proc/{}/task/{}/status", pid, tid), 16384);
    if (!status) return std::nullopt;
    for (std::string_view rest = *status; !rest.empty();) {
        const std::string_view line = system::take_line(rest);
        if (!line.starts_with("NSpid:")) continue;
        const auto number = system::to_number(line.substr(line.find_last_of(" \t") + 1));
        return number ? std::optional(static_cast<std::uint32_t>(*number)) : std::nullopt;
    }
    return tid;
}

}  // namespace waitclose::symbols
