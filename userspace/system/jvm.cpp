// SPDX-License-Identifier: BSD-2-Clause
#include "system/jvm.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "system/files.h"
#include "system/process_info.h"
#include "system/text.h"

namespace waitclose::system {
namespace {

constexpr std::size_t kMostBytes = 1 << 20;  // a JVM's usual file has 32 KiB
constexpr std::size_t kMostOfMaps = 16 << 20;
constexpr std::uint32_t kMostEntries = 1 << 14;  // a JVM's usual file has 250
constexpr std::size_t kPrologue = 32;
constexpr std::size_t kEntry = 20;
constexpr std::size_t kLongestName = 64;  // of those that are read
constexpr std::uint64_t kMostCollectors = 8;

/// Numbers at places that may lie outside.
class Bytes {
public:
    Bytes(std::string_view bytes, bool little) : bytes_(bytes), little_(little) {}

    template <typename Number>
    std::optional<Number> at(std::uint64_t offset) const {
        if (offset > bytes_.size() || bytes_.size() - offset < sizeof(Number)) return std::nullopt;
        std::uint64_t number = 0;
        for (std::size_t i = 0; i < sizeof(Number); ++i) {
            const std::size_t place = little_ ? sizeof(Number) - 1 - i : i;
            number = number << 8 | static_cast<std::uint8_t>(bytes_[offset + place]);
        }
        return static_cast<Number>(number);
    }

    std::string_view name_at(std::uint64_t offset) const {
        if (offset >= bytes_.size()) return {};
        const std::string_view rest = bytes_.substr(offset, kLongestName);
        const auto end = rest.find('\0');
        return end == std::string_view::npos ? std::string_view{} : rest.substr(0, end);
    }

private:
    std::string_view bytes_;
    bool little_;
};

using Counters = std::map<std::string, std::uint64_t, std::less<>>;

/// The scalar numbers of type long whose names begin with "sun.".
std::optional<Counters> counters_in(const Bytes& bytes, std::uint32_t offset, std::uint32_t count) {
    constexpr std::uint8_t kLong = 'J';
    Counters found;
    std::uint64_t entry = offset;
    for (std::uint32_t i = 0; i < std::min(count, kMostEntries); ++i) {
        const auto length = bytes.at<std::uint32_t>(entry);
        const auto name = bytes.at<std::uint32_t>(entry + 4);
        const auto vector = bytes.at<std::uint32_t>(entry + 8);
        const auto type = bytes.at<std::uint8_t>(entry + 12);
        const auto data = bytes.at<std::uint32_t>(entry + 16);
        if (!length || *length < kEntry || !name || !vector || !type || !data) return std::nullopt;
        if (!bytes.at<std::uint8_t>(entry + *length - 1)) return std::nullopt;
        if (*type == kLong && *vector == 0) {
            const std::string_view text = bytes.name_at(entry + *name);
            const auto value = bytes.at<std::uint64_t>(entry + *data);
            if (text.starts_with("sun.") && value) found.insert_or_assign(std::string(text), *value);
        }
        entry += *length;
    }
    return found;
}

std::optional<std::uint64_t> value_of(const Counters& counters, std::string_view name) {
    const auto found = counters.find(name);
    return found == counters.end() ? std::nullopt : std::optional(found->second);
}

std::uint64_t as_ns(std::uint64_t ticks, std::uint64_t frequency) {
    return static_cast<std::uint64_t>(static_cast<double>(ticks) / static_cast<double>(frequency) * 1e9);
}

/// Opened within the process's own root, so that no link of its leads out of it (openat2, since 5.6).
Descriptor open_within(std::uint32_t pid, const std::string& path) {
    const Descriptor root(
        ::open(fmt::format("/proc/{}/root", pid).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root) return Descriptor();
    open_how how{};
    how.flags = O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    return Descriptor(static_cast<int>(::syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof(how))));
}

std::optional<std::string> read_mapped(std::uint32_t pid, const MappedFile& file) {
    const Descriptor opened = open_within(pid, file.path);
    struct stat status {};
    if (!opened || ::fstat(opened.get(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
    if (status.st_ino != file.inode || status.st_size < 0) return std::nullopt;
    std::string bytes(std::min(static_cast<std::size_t>(status.st_size), kMostBytes), '\0');
    const ssize_t got = ::pread(opened.get(), bytes.data(), bytes.size(), 0);
    if (got <= 0) return std::nullopt;
    bytes.resize(static_cast<std::size_t>(got));
    return bytes;
}

}  // namespace

std::optional<JvmCounters> jvm_counters(const model::Process& process) {
    const auto maps = read_file(fmt::format("/proc/{}/maps", process.pid), kMostOfMaps);
    const auto file = maps ? hsperfdata_in(*maps) : std::nullopt;
    const auto bytes = file ? read_mapped(process.pid, *file) : std::nullopt;
    auto counters = bytes ? jvm_counters_in(*bytes) : std::nullopt;
    if (!counters || !is_same_process(process.pid, process.start_ns)) return std::nullopt;
    counters->pid = process.pid;
    counters->start_ns = process.start_ns;
    return counters;
}

std::optional<JvmCounters> jvm_counters_in(std::string_view file) {
    constexpr std::string_view kMagic = "\xca\xfe\xc0\xc0";
    if (file.size() < kPrologue || !file.starts_with(kMagic)) return std::nullopt;
    const bool is_known = file[4] <= 1 && file[4] >= 0 && file[5] == 2 && file[7] == 1;
    if (!is_known) return std::nullopt;
    const Bytes bytes(file, file[4] == 1);
    const auto counters = counters_in(bytes, *bytes.at<std::uint32_t>(24), *bytes.at<std::uint32_t>(28));
    if (!counters) return std::nullopt;
    const auto frequency = value_of(*counters, "sun.os.hrt.frequency");
    if (!frequency || *frequency == 0) return std::nullopt;
    JvmCounters found;
    bool any = false;
    for (std::uint64_t i = 0; i < kMostCollectors; ++i) {
        const auto of = [&](std::string_view what) {
            return value_of(*counters, fmt::format("sun.gc.collector.{}.{}", i, what));
        };
        const auto time = of("time");
        if (!time) continue;
        any = true;
        found.collecting_ns += as_ns(*time, *frequency);
        found.collections += of("invocations").value_or(0);
        const auto entered = of("lastEntryTime");
        if (entered && *entered > of("lastExitTime").value_or(*entered)) found.in_collection = entered;
    }
    found.safepoints_ns = as_ns(value_of(*counters, "sun.rt.safepointTime").value_or(0), *frequency);
    return any ? std::optional(found) : std::nullopt;
}

void add_jvm_pauses(std::span<const JvmCounters> before, std::span<const JvmCounters> after,
                    model::Window& window) {
    for (const JvmCounters& now : after) {
        const auto then = std::ranges::find_if(before, [&](const JvmCounters& one) {
            return one.pid == now.pid && one.start_ns == now.start_ns;
        });
        if (then == before.end() || now.collecting_ns < then->collecting_ns ||
            now.safepoints_ns < then->safepoints_ns || now.collections < then->collections)
            continue;
        window.jvms.push_back({now.pid, now.collecting_ns - then->collecting_ns,
                               now.safepoints_ns - then->safepoints_ns, now.collections - then->collections,
                               now.collecting_ns,
                               now.in_collection && now.in_collection == then->in_collection});
    }
}

std::optional<MappedFile> hsperfdata_in(std::string_view maps) {
    constexpr int kInode = 4;
    while (!maps.empty()) {
        const std::string_view line = take_line(maps);
        const auto path = line.find('/');
        if (path == std::string_view::npos || line.find("/hsperfdata_", path) == std::string_view::npos)
            continue;
        const auto inode = to_number(word(line, kInode));
        if (!inode || *inode == 0 || line.ends_with(" (deleted)")) return std::nullopt;
        return MappedFile{std::string(line.substr(path)), *inode};
    }
    return std::nullopt;
}

}  // namespace waitclose::system
