// SPDX-License-Identifier: BSD-2-Clause
// The programs and libraries that several processes execute: each is opened once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "symbols/elf_file.h"
#include "symbols/memory_map.h"
#include "system/files.h"

namespace waitclose::symbols {

/// A file, opened while a process had it mapped, and read when the first stack leads through it.
class SharedFile {
public:
    SharedFile(system::Descriptor file, std::string path, std::shared_ptr<const system::Descriptor> root)
        : file_(std::move(file)), path_(std::move(path)), root_(std::move(root)) {}
    explicit SharedFile(std::unique_ptr<ElfFile> elf) : elf_(std::move(elf)), is_read_(true) {}

    /// Null when it is no ELF file. With the functions of its debug file, where it needs one and has one.
    ElfFile* elf();

    /// Copies what stands in the file; false when not all of it could be read.
    bool read(std::uint64_t file_offset, std::span<std::byte> to);

private:
    system::Descriptor file_;
    std::string path_;
    std::shared_ptr<const system::Descriptor> root_;
    std::unique_ptr<ElfFile> elf_;
    bool is_read_ = false;
};

class ElfFiles {
public:
    explicit ElfFiles(std::size_t most_open) : most_open_(most_open) {}

    /// The file of an executable mapping of a process that lives; null when it cannot be opened, is another
    /// one by now, or too many are open. `root` is the process's.
    std::shared_ptr<SharedFile> open(std::uint32_t pid, const Mapping& mapping,
                                     const std::shared_ptr<const system::Descriptor>& root);

    /// The code that the kernel gives to every process ([vdso]): the same as ours. Null where there is none.
    std::shared_ptr<SharedFile> vdso();

    /// The root of a process that lives, shared by all that have the same; empty when it cannot be opened.
    std::shared_ptr<const system::Descriptor> root_of(std::uint32_t pid);

private:
    bool make_room();

    using Key = std::pair<std::string, std::uint64_t>;  // device and inode
    std::size_t most_open_;
    std::map<Key, std::shared_ptr<SharedFile>> files_;
    std::map<std::string, std::weak_ptr<const system::Descriptor>> roots_;  // by mount namespace and root
    std::shared_ptr<SharedFile> vdso_;
};

}  // namespace waitclose::symbols
