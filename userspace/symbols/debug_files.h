// SPDX-License-Identifier: BSD-2-Clause
// Separate debug files: where a program's symbols are when they were stripped from it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "symbols/elf_file.h"
#include "system/files.h"

namespace waitclose::symbols {

/// Opens a regular file beneath a directory that stands for the root: no link leads out of it (openat2, since
/// 5.6). Nothing when there is none.
system::Descriptor open_beneath(const system::Descriptor& root, const std::string& path);

/// Where a debug file of `file`, which is known as `path`, may lie, best first: by build-id, then by the name
/// that it gives (.gnu_debuglink), beside it, in .debug beside it, and in /usr/lib/debug.
std::vector<std::string> debug_file_paths(const ElfFile& file, const std::string& path);

/// The debug file that belongs to `file`: of the same build-id, or, without any, of the right checksum. It is
/// sought beneath each of the roots in turn. Null when there is none.
std::unique_ptr<ElfFile> find_debug_file(const ElfFile& file, const std::string& path,
                                         const std::vector<const system::Descriptor*>& roots);

/// CRC-32 as .gnu_debuglink has it (that of zlib), of more bytes.
std::uint32_t checksum(std::uint32_t before, std::string_view bytes);

}  // namespace waitclose::symbols
