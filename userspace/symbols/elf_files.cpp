// SPDX-License-Identifier: BSD-2-Clause
#include "symbols/elf_files.h"

#include <array>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#include "symbols/debug_files.h"
#include "system/process_memory.h"

namespace waitclose::symbols {
namespace {

/// The kernel's vdso is one or two pages.
constexpr std::size_t kLargestVdso = 64 << 10;
constexpr std::size_t kCompared = 1024;

system::Descriptor own_root() {
    return system::Descriptor(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

/// Where file systems lie on others, the kernel may tell another inode than the file shows (before 6.8 that
/// of the layer below), so the beginning of the file is compared with what is mapped.
bool is_what_is_mapped(std::uint32_t pid, const system::Descriptor& file, const Mapping& mapping) {
    struct stat status {};
    if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
    if (status.st_ino == mapping.inode) return true;
    std::array<std::byte, kCompared> there;
    std::array<std::byte, kCompared> here;
    return system::read_memory(pid, mapping.start, there) &&
           ::pread(file.get(), here.data(), here.size(), static_cast<off_t>(mapping.file_offset)) ==
               static_cast<ssize_t>(here.size()) &&
           there == here;
}

/// map_files leads to the mapped file itself, deleted or not (CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN).
system::Descriptor open_mapped(std::uint32_t pid, const Mapping& mapping, const system::Descriptor& root) {
    const std::string place = fmt::format("/proc/{}/map_files/{:x}-{:x}", pid, mapping.start, mapping.end);
    system::Descriptor file(::open(place.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    struct stat status {};
    if (file && ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode)) return file;
    file = open_beneath(root, mapping.path);
    if (file && is_what_is_mapped(pid, file, mapping)) return file;
    return {};
}

}  // namespace

ElfFile* SharedFile::elf() {
    if (std::exchange(is_read_, true)) return elf_.get();
    elf_ = ElfFile::open(std::move(file_));
    if (elf_ && !elf_->has_all_functions()) {
        const system::Descriptor own = own_root();
        if (const auto debug_file = find_debug_file(*elf_, path_, {root_.get(), &own}))
            elf_->take_functions_of(*debug_file);
    }
    return elf_.get();
}

bool SharedFile::read(std::uint64_t file_offset, std::span<std::byte> to) {
    return elf() != nullptr && elf_->read(file_offset, to);
}

std::shared_ptr<SharedFile> ElfFiles::open(std::uint32_t pid, const Mapping& mapping,
                                           const std::shared_ptr<const system::Descriptor>& root) {
    if (mapping.inode == 0) return mapping.path == "[vdso]" ? vdso() : nullptr;
    const Key key{mapping.device, mapping.inode};
    // While it is open here, its inode number is no other file's.
    if (const auto known = files_.find(key); known != files_.end()) return known->second;
    if (files_.size() >= most_open_ && !make_room()) return nullptr;
    system::Descriptor file = open_mapped(pid, mapping, *root);
    if (!file) return nullptr;
    return files_.emplace(key, std::make_shared<SharedFile>(std::move(file), mapping.path, root))
        .first->second;
}

bool ElfFiles::make_room() {
    return std::erase_if(files_, [](const auto& entry) { return entry.second.use_count() == 1; }) != 0;
}

std::shared_ptr<SharedFile> ElfFiles::vdso() {
    if (vdso_) return vdso_;
    auto* image = reinterpret_cast<char*>(::getauxval(AT_SYSINFO_EHDR));
    if (image == nullptr) return nullptr;
    GElf_Ehdr header;
    std::memcpy(&header, image, sizeof(header));
    // The section headers are its end.
    const std::uint64_t size = header.e_shoff + std::uint64_t{header.e_shentsize} * header.e_shnum;
    if (size < sizeof(header) || size > kLargestVdso) return nullptr;
    auto elf = ElfFile::in_memory(std::span(image, size));
    if (elf) vdso_ = std::make_shared<SharedFile>(std::move(elf));
    return vdso_;
}

std::shared_ptr<const system::Descriptor> ElfFiles::root_of(std::uint32_t pid) {
    const std::string process = fmt::format("/proc/{}", pid);
    const auto space = system::read_link(process + "/ns/mnt");
    system::Descriptor root(::open((process + "/root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    struct stat status {};
    if (!space || !root || ::fstat(root.get(), &status) != 0)
        return std::make_shared<const system::Descriptor>(std::move(root));
    auto& known = roots_[fmt::format("{} {} {}", *space, status.st_dev, status.st_ino)];
    auto shared = known.lock();
    if (!shared) known = shared = std::make_shared<const system::Descriptor>(std::move(root));
    return shared;
}

}  // namespace waitclose::symbols
