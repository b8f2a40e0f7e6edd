// SPDX-License-Identifier: BSD-2-Clause
#include "symbols/address_space.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <ctime>

#include <fmt/format.h>
#include <sys/stat.h>

#include "symbols/debug_files.h"
#include "symbols/demangle.h"
#include "system/files.h"
#include "system/host.h"
#include "system/process_memory.h"
#include "system/text.h"
#include "system/thread_facts.h"

namespace waitclose::symbols {
namespace {

constexpr std::uint64_t kNobody = 65534;
constexpr std::size_t kLargestJitMap = 64 << 20;
constexpr std::size_t kRememberedFrames = 1 << 16;
/// Times of files are told to the tick.
constexpr std::uint64_t kSlackNs = 100'000'000;

std::string_view file_name(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

/// The last word of a line of /proc/PID/status: of several ids, the one that files are created with.
std::optional<std::uint64_t> last_number(std::string_view status, std::string_view key) {
    while (!status.empty()) {
        std::string_view line = system::take_line(status);
        if (line.starts_with(key)) return system::to_number(line.substr(line.find_last_of(" \t") + 1));
    }
    return std::nullopt;
}

#if defined(__x86_64__)
constexpr std::size_t kLongestCall = 7;

/// call rel32 (e8), or call of a register or of memory (ff /2) in its six lengths.
bool ends_in_call(const std::array<std::byte, kLongestCall>& code) {
    const auto at = [&](std::size_t back) { return std::to_integer<unsigned>(code[code.size() - back]); };
    if (at(5) == 0xe8) return true;
    for (const std::size_t length : {2U, 3U, 4U, 6U, 7U})
        if (at(length) == 0xff && (at(length - 1) >> 3 & 7) == 2) return true;
    return false;
}
#endif

/// When a file was written, by the clock that starts of processes are told by; 0 before the machine began.
std::uint64_t boottime_of(const timespec& written) {
    const auto in_ns = [](const timespec& time) { return time.tv_sec * 1'000'000'000LL + time.tv_nsec; };
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    const auto at = static_cast<std::int64_t>(system::boottime_ns()) - (in_ns(now) - in_ns(written));
    return static_cast<std::uint64_t>(std::max<std::int64_t>(at, 0));
}

bool overlaps(const Mapping& a, const Mapping& b) {
    return a.start < b.end && b.start < a.end;
}

}  // namespace

void AddressSpace::take(std::vector<Mapping> now, ElfFiles& files) {
    if (now == mappings_) return;
    root_ = files.root_of(pid_);
    if (const auto status = system::read_file(fmt::format("/proc/{}/status", pid_))) {
        const std::uint32_t own = system::innermost_id(*status);
        own_pid_ = own ? own : pid_;
        uid_ = static_cast<std::uint32_t>(last_number(*status, "Uid:").value_or(kNobody));
        gid_ = static_cast<std::uint32_t>(last_number(*status, "Gid:").value_or(kNobody));
    }
    std::vector<std::pair<Mapping, std::shared_ptr<SharedFile>>> all;
    for (std::size_t i = 0; i < mappings_.size(); ++i)
        if (files_[i] &&
            std::ranges::none_of(now, [&](const Mapping& m) { return overlaps(m, mappings_[i]); }))
            all.emplace_back(mappings_[i], files_[i]);
    for (Mapping& mapping : now) {
        auto file = files.open(pid_, mapping, root_);
        all.emplace_back(std::move(mapping), std::move(file));
    }
    std::ranges::sort(all, {}, [](const auto& pair) { return pair.first.start; });
    mappings_.clear();
    files_.clear();
    for (auto& [mapping, file] : all) {
        mappings_.push_back(std::move(mapping));
        files_.push_back(std::move(file));
    }
    frames_.clear();
}

bool AddressSpace::is_another_program(const std::vector<Mapping>& now) const {
    if (mappings_.empty() || now.empty()) return false;
    const auto stays = [&](const Mapping& mapping) {
        return mapping.inode != 0 && std::ranges::any_of(now, [&](const Mapping& other) {
                   return other.start == mapping.start && other.inode == mapping.inode;
               });
    };
    return std::ranges::none_of(mappings_, stays);
}

void AddressSpace::read_jit_map() {
    const system::Descriptor file = open_beneath(*root_, fmt::format("/tmp/perf-{}.map", own_pid_));
    struct stat status {};
    // Anybody may write to /tmp.
    if (!file || ::fstat(file.get(), &status) != 0 || (status.st_uid != uid_ && status.st_uid != 0)) return;
    // The pid may have been another process's, which left it behind.
    if (start_ns_ > boottime_of(status.st_mtim) + kSlackNs) return;
    if (const auto text = system::read_all(file, kLargestJitMap)) jit_ = JitMap::parse(*text);
    frames_.clear();
}

Place AddressSpace::place_of(std::uint64_t address) {
    Place place;
    place.mapping = mapping_at(mappings_, address);
    if (place.mapping == nullptr) return place;
    const auto& file = files_[static_cast<std::size_t>(place.mapping - mappings_.data())];
    place.file = file ? file->elf() : nullptr;
    const std::uint64_t inside = address - place.mapping->start;
    if (place.file != nullptr) place.address = place.file->address_of(place.mapping->file_offset + inside);
    return place;
}

bool AddressSpace::is_return_address(std::uint64_t address) {
    return is_behind_call(address) || jit_.name_at(address) == "Interpreter";
}

bool AddressSpace::is_behind_call(std::uint64_t address) {
#if defined(__x86_64__)
    std::array<std::byte, kLongestCall> code;
    const Mapping* mapping = mapping_at(mappings_, address - 1);
    if (mapping == nullptr || address - mapping->start < code.size()) return false;
    const auto& file = files_[static_cast<std::size_t>(mapping - mappings_.data())];
    const std::uint64_t start = address - code.size();
    const bool is_read = file ? file->read(mapping->file_offset + (start - mapping->start), code)
                              : system::read_memory(pid_, start, code);
    return is_read && ends_in_call(code);
#else
    return address != 0;
#endif
}

const PlacedFrame& AddressSpace::frame_at(std::uint64_t address) {
    if (frames_.size() > kRememberedFrames) frames_.clear();
    const auto [known, is_new] = frames_.try_emplace(address);
    if (is_new) known->second = named(address);
    return known->second;
}

PlacedFrame AddressSpace::named(std::uint64_t address) {
    PlacedFrame placed;
    const Place place = place_of(address);
    if (place.mapping != nullptr) placed.frame.module = place.mapping->path;
    if (place.address) {
        placed.origin = place.file->is_static_program() ? Origin::kStaticProgram : Origin::kFile;
        placed.frame.offset = place.address;
        placed.frame.function = demangled(place.file->symbol_at(*place.address));
        return placed;
    }
    if (const std::string_view name = jit_.name_at(address); !name.empty()) {
        placed.frame = jit_frame(name);
        placed.origin = Origin::kJit;
    } else if (place.mapping != nullptr && place.mapping->inode != 0) {
        // Of a file that cannot be read as ELF, the place in it is all that is known.
        placed.frame.offset = place.mapping->file_offset + (address - place.mapping->start);
    }
    return placed;
}

const Mapping* AddressSpace::mapping_named(std::string_view start) const {
    const auto found = std::ranges::find_if(
        mappings_, [&](const Mapping& mapping) { return file_name(mapping.path).starts_with(start); });
    return found == mappings_.end() ? nullptr : &*found;
}

}  // namespace waitclose::symbols
