// SPDX-License-Identifier: BSD-2-Clause
#include "symbols/elf_file.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include <elfutils/libdwelf.h>
#include <sys/stat.h>

namespace waitclose::symbols {
namespace {

constexpr std::int64_t kLargestFile = 4LL << 30;
/// Of the parts that are read as a whole: symbols, their names, call frame information.
constexpr std::uint64_t kLargestSection = 256 << 20;
/// Of symbols in a compressed section (.gnu_debugdata), which libdw unpacks without asking how much comes
/// out.
constexpr std::uint64_t kLargestPacked = 1 << 20;
constexpr std::size_t kMostSegments = 256;
constexpr std::size_t kMostSections = 1 << 16;
constexpr int kMostSymbols = 8 << 20;
constexpr std::size_t kRememberedRules = 1 << 14;
constexpr std::size_t kLongestBuildId = 64;

#if defined(__x86_64__)
constexpr GElf_Half kMachine = EM_X86_64;
#else
constexpr GElf_Half kMachine = EM_AARCH64;
#endif

int find_elf(Dwfl_Module*, void** userdata, const char*, Dwarf_Addr, char**, Elf** elf) {
    *elf = static_cast<std::unique_ptr<Elf, ElfCloser>*>(*userdata)->release();
    return -1;
}

/// Separate debug files are sought by who knows whose root they lie in.
int find_no_debug_file(Dwfl_Module*, void**, const char*, Dwarf_Addr, const char*, const char*, GElf_Word,
                       char**) {
    return -1;
}

constexpr Dwfl_Callbacks kCallbacks{find_elf, find_no_debug_file, nullptr, nullptr};

}  // namespace

std::unique_ptr<ElfFile> ElfFile::open(system::Descriptor descriptor) {
    elf_version(EV_CURRENT);
    struct stat status {};
    if (!descriptor || ::fstat(descriptor.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
        status.st_size > kLargestFile)
        return nullptr;
    std::unique_ptr<ElfFile> file(new ElfFile);
    file->descriptor_ = std::move(descriptor);
    const int fd = file->descriptor_.get();
    return made_of(std::move(file), elf_begin(fd, ELF_C_READ, nullptr), elf_begin(fd, ELF_C_READ, nullptr));
}

std::unique_ptr<ElfFile> ElfFile::in_memory(std::span<char> image) {
    elf_version(EV_CURRENT);
    std::unique_ptr<ElfFile> file(new ElfFile);
    return made_of(std::move(file), elf_memory(image.data(), image.size()),
                   elf_memory(image.data(), image.size()));
}

std::unique_ptr<ElfFile> ElfFile::made_of(std::unique_ptr<ElfFile> file, Elf* first, Elf* second) {
    file->elf_.reset(first);
    std::unique_ptr<Elf, ElfCloser> for_dwfl(second);
    GElf_Ehdr header;
    if (first == nullptr || second == nullptr || elf_kind(first) != ELF_K_ELF ||
        gelf_getehdr(first, &header) == nullptr)
        return nullptr;
    if (gelf_getclass(first) != ELFCLASS64 || header.e_machine != kMachine ||
        (header.e_type != ET_EXEC && header.e_type != ET_DYN))
        return nullptr;
    if (!file->read_segments()) return nullptr;
    file->for_dwfl_ = std::move(for_dwfl);
    // Where its code lies is known without its sections.
    if (!file->has_sane_sections() || !file->report()) {
        file->forget_sections();
        return file;
    }
    file->read_identity();
    file->read_functions();
    return file;
}

bool ElfFile::read_segments() {
    std::size_t count = 0;
    if (elf_getphdrnum(elf_.get(), &count) != 0 || count > kMostSegments) return false;
    bool has_interpreter = false;
    bool is_program = false;
    for (std::size_t i = 0; i < count; ++i) {
        GElf_Phdr header;
        if (gelf_getphdr(elf_.get(), static_cast<int>(i), &header) == nullptr) return false;
        has_interpreter = has_interpreter || header.p_type == PT_INTERP;
        if (header.p_type != PT_LOAD) continue;
        is_program = true;
        segments_.push_back(
            {header.p_offset, header.p_filesz, header.p_vaddr, header.p_memsz, (header.p_flags & PF_X) != 0});
    }
    GElf_Ehdr header;
    if (!is_program || gelf_getehdr(elf_.get(), &header) == nullptr) return false;
    is_static_program_ = !has_interpreter && header.e_entry != 0;
    return true;
}

bool ElfFile::has_sane_sections() {
    std::size_t count = 0;
    std::size_t names = 0;
    if (elf_getshdrnum(elf_.get(), &count) != 0 || count > kMostSections) return false;
    if (count == 0 || elf_getshdrstrndx(elf_.get(), &names) != 0) return true;
    std::uint64_t total = 0;
    for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf_.get(), section)) != nullptr;) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) == nullptr) return false;
        const bool is_symbols = header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM;
        if (header.sh_type == SHT_SYMTAB && header.sh_size > 0) has_symbol_table_ = true;
        const char* text = elf_strptr(elf_.get(), names, header.sh_name);
        const std::string_view name = text == nullptr ? "" : text;
        if (name == ".gnu_debugdata" && header.sh_size > kLargestPacked) return false;
        if (is_symbols || header.sh_type == SHT_STRTAB || name.starts_with(".eh_frame")) {
            if (header.sh_size > kLargestSection - total) return false;
            total += header.sh_size;
        }
    }
    return true;
}

bool ElfFile::report() {
    std::uint64_t start = UINT64_MAX;
    std::uint64_t end = 0;
    for (const Segment& segment : segments_) {
        if (segment.memory_size > UINT64_MAX / 2 || segment.address > UINT64_MAX / 2) return false;
        start = std::min(start, segment.address & ~std::uint64_t{4095});
        end = std::max(end, segment.address + segment.memory_size);
    }
    dwfl_.reset(dwfl_begin(&kCallbacks));
    if (!dwfl_) return false;
    dwfl_report_begin(dwfl_.get());
    module_ = dwfl_report_module(dwfl_.get(), "", start, end);
    if (module_ == nullptr) return false;
    void** userdata = nullptr;
    dwfl_module_info(module_, &userdata, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr);
    if (userdata == nullptr || dwfl_report_end(dwfl_.get(), nullptr, nullptr) != 0) return false;
    *userdata = &for_dwfl_;
    return dwfl_module_getelf(module_, &bias_) != nullptr;
}

void ElfFile::forget_sections() {
    has_symbol_table_ = false;
    module_ = nullptr;
    dwfl_.reset();
    for_dwfl_.reset();
}

void ElfFile::read_identity() {
    const void* id = nullptr;
    const ssize_t length = dwelf_elf_gnu_build_id(elf_.get(), &id);
    if (length > 0 && static_cast<std::size_t>(length) <= kLongestBuildId)
        build_id_.assign(static_cast<const char*>(id), static_cast<std::size_t>(length));
    GElf_Word checksum = 0;
    const char* name = dwelf_elf_gnu_debuglink(elf_.get(), &checksum);
    if (name != nullptr && *name != '\0' && std::strchr(name, '/') == nullptr && std::strlen(name) < 256)
        debug_link_ = {name, checksum};
}

void ElfFile::read_functions() {
    const int count = std::min(dwfl_module_getsymtab(module_), kMostSymbols);
    for (int i = 1; i < count; ++i) {
        GElf_Sym symbol;
        GElf_Addr address = 0;
        GElf_Word section = 0;
        const char* name = dwfl_module_getsym_info(module_, i, &symbol, &address, &section, nullptr, nullptr);
        if (name == nullptr || section == SHN_UNDEF || section == SHN_ABS) continue;
        const auto kind = GELF_ST_TYPE(symbol.st_info);
        if (kind != STT_FUNC && kind != STT_GNU_IFUNC && kind != STT_NOTYPE) continue;
        if (is_code(address - bias_))
            functions_.add(address - bias_, symbol.st_size, name, GELF_ST_BIND(symbol.st_info) != STB_LOCAL);
    }
    functions_.finish(has_symbol_table_);
}

bool ElfFile::is_code(std::uint64_t address) const {
    return std::ranges::any_of(segments_, [&](const Segment& segment) {
        return segment.executable && address >= segment.address &&
               address - segment.address < segment.memory_size;
    });
}

std::optional<std::uint64_t> ElfFile::address_of(std::uint64_t file_offset) const {
    for (const Segment& segment : segments_)
        if (segment.executable && file_offset >= segment.offset &&
            file_offset - segment.offset < segment.size)
            return segment.address + (file_offset - segment.offset);
    return std::nullopt;
}

std::optional<std::uint64_t> ElfFile::bias_of(std::uint64_t start, std::uint64_t file_offset) const {
    constexpr std::uint64_t kPage = 4095;
    for (const Segment& segment : segments_)
        if (segment.executable && file_offset >= (segment.offset & ~kPage) &&
            file_offset < segment.offset + segment.size)
            return start - file_offset + segment.offset - segment.address;
    return std::nullopt;
}

std::optional<std::uint64_t> ElfFile::address_of_symbol(std::string_view wanted) const {
    if (module_ == nullptr) return std::nullopt;
    const int count = std::min(dwfl_module_getsymtab(module_), kMostSymbols);
    for (int i = 1; i < count; ++i) {
        GElf_Sym symbol;
        GElf_Addr address = 0;
        GElf_Word section = 0;
        const char* name = dwfl_module_getsym_info(module_, i, &symbol, &address, &section, nullptr, nullptr);
        if (name != nullptr && section != SHN_UNDEF && wanted == name) return address - bias_;
    }
    return std::nullopt;
}

const UnwindRules* ElfFile::rules_at(std::uint64_t address) {
    if (module_ == nullptr) return nullptr;
    if (rules_.size() > kRememberedRules) rules_.clear();
    const auto [known, is_new] = rules_.try_emplace(address);
    if (is_new) {
        for (const auto cfi_of : {dwfl_module_eh_cfi, dwfl_module_dwarf_cfi}) {
            Dwarf_Addr bias = 0;
            Dwarf_CFI* cfi = cfi_of(module_, &bias);
            Dwarf_Frame* frame = nullptr;
            if (cfi == nullptr || dwarf_cfi_addrframe(cfi, address + bias_ - bias, &frame) != 0) continue;
            known->second = UnwindRules::from(frame);
            std::free(frame);
            if (known->second) break;
        }
    }
    return known->second ? &*known->second : nullptr;
}

bool ElfFile::read(std::uint64_t file_offset, std::span<std::byte> to) const {
    return ::pread(descriptor_.get(), to.data(), to.size(), static_cast<off_t>(file_offset)) ==
           static_cast<ssize_t>(to.size());
}

void ElfFile::take_functions_of(const ElfFile& debug_file) {
    if (!debug_file.has_symbol_table_) return;
    functions_ = debug_file.functions_;
    has_symbol_table_ = true;
}

}  // namespace waitclose::symbols
