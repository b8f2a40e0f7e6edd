// SPDX-License-Identifier: BSD-2-Clause
// A program or library: what its functions are called, and how to get from a frame to its caller's. The file
// may be anybody's, so it is read with libdwfl and libelf only, never mapped (who truncates it would end us),
// and not at all when its parts are absurdly large.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <elfutils/libdwfl.h>
#include <gelf.h>

#include "symbols/function_table.h"
#include "symbols/unwind_rules.h"
#include "system/files.h"

namespace waitclose::symbols {

struct ElfCloser {
    void operator()(Elf* elf) const { elf_end(elf); }
};
struct DwflCloser {
    void operator()(Dwfl* dwfl) const { dwfl_end(dwfl); }
};

/// All addresses are those that the file itself uses.
class ElfFile {
public:
    /// Null when it is no ELF file of this machine's kind, or does not tell what is loaded of it. One whose
    /// sections are absurd tells where its code lies, but no functions and no callers.
    static std::unique_ptr<ElfFile> open(system::Descriptor file);
    /// One that lies in memory (the kernel's vdso), which must stay.
    static std::unique_ptr<ElfFile> in_memory(std::span<char> image);

    /// The address of what lies at an offset of the file and is to be executed.
    std::optional<std::uint64_t> address_of(std::uint64_t file_offset) const;

    /// What the loader added to the file's addresses, if a page that is mapped executable at `start` is that
    /// at `file_offset` of the file.
    std::optional<std::uint64_t> bias_of(std::uint64_t start, std::uint64_t file_offset) const;

    /// The symbol of the function around an address, as it stands in the file; empty when none is known.
    std::string_view symbol_at(std::uint64_t address) const { return functions_.symbol_at(address); }

    /// Where a symbol that others may use lies (from .dynsym or .symtab); for the few that are asked for.
    std::optional<std::uint64_t> address_of_symbol(std::string_view symbol) const;

    /// How to get from the frame of an instruction to its caller's; null where the file does not tell. Valid
    /// until the next call.
    const UnwindRules* rules_at(std::uint64_t address);

    /// Copies what stands at an offset of the file; false when not all of it could be read.
    bool read(std::uint64_t file_offset, std::span<std::byte> to) const;

    /// Takes the functions of a separate debug file as well.
    void take_functions_of(const ElfFile& debug_file);

    bool has_all_functions() const { return has_symbol_table_; }
    /// It needs no other file to run: the C library, if it has one, is inside.
    bool is_static_program() const { return is_static_program_; }
    /// Raw; empty when it has none.
    const std::string& build_id() const { return build_id_; }

    struct DebugLink {
        std::string name;
        std::uint32_t checksum = 0;
    };
    const std::optional<DebugLink>& debug_link() const { return debug_link_; }

private:
    struct Segment {
        std::uint64_t offset;
        std::uint64_t size;  // in the file
        std::uint64_t address;
        std::uint64_t memory_size;
        bool executable;
    };

    ElfFile() = default;
    static std::unique_ptr<ElfFile> made_of(std::unique_ptr<ElfFile> file, Elf* first, Elf* second);
    bool read_segments();
    bool has_sane_sections();
    bool report();
    void forget_sections();
    void read_identity();
    void read_functions();
    bool is_code(std::uint64_t address) const;

    system::Descriptor descriptor_;
    std::unique_ptr<Elf, ElfCloser> elf_;
    std::unique_ptr<Elf, ElfCloser> for_dwfl_;  // of the same file; until dwfl_ takes it
    std::unique_ptr<Dwfl, DwflCloser> dwfl_;
    Dwfl_Module* module_ = nullptr;  // of dwfl_; null: its sections are not to be read
    Dwarf_Addr bias_ = 0;            // what libdwfl adds to the file's addresses
    std::vector<Segment> segments_;
    FunctionTable functions_;
    std::unordered_map<std::uint64_t, std::optional<UnwindRules>> rules_;
    std::string build_id_;
    std::optional<DebugLink> debug_link_;
    bool has_symbol_table_ = false;
    bool is_static_program_ = false;
};

}  // namespace waitclose::symbols
