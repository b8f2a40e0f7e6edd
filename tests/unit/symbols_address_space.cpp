// SPDX-License-Identifier: BSD-2-Clause
// Frames of code that no ELF file tells anything of: never by the address it has in this run.
#include "symbols/address_space.h"

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include <elf.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "symbols/elf_files.h"
#include "system/files.h"

namespace waitclose::symbols {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kSize = 4 * kPage;
constexpr std::uint64_t kLoadedAt = 0x400000;

/// Executable memory of this process, of a file or of none.
class Mapped {
public:
    explicit Mapped(const std::string& content) {
        int fd = -1;
        if (!content.empty()) {
            char name[] = "/tmp/waitclose-mapped.XXXXXX";
            fd = ::mkstemp(name);
            path_ = name;
            EXPECT_EQ(::write(fd, content.data(), content.size()), static_cast<ssize_t>(content.size()));
        }
        // Of a file, all but its first page.
        const int flags = MAP_PRIVATE | (fd < 0 ? MAP_ANONYMOUS : 0);
        start_ = ::mmap(nullptr, kSize - kPage, PROT_READ | PROT_EXEC, flags, fd, fd < 0 ? 0 : kPage);
        EXPECT_NE(start_, MAP_FAILED);
        if (fd >= 0) ::close(fd);
    }
    ~Mapped() {
        ::munmap(start_, kSize - kPage);
        if (!path_.empty()) ::unlink(path_.c_str());
    }
    Mapped(const Mapped&) = delete;
    Mapped& operator=(const Mapped&) = delete;

    const std::string& path() const { return path_; }

    /// The frame of an instruction so far into the mapping.
    model::Frame frame_at(std::uint64_t inside) const {
        ElfFiles files(256);
        AddressSpace space(static_cast<std::uint32_t>(::getpid()), 0);
        space.take(executable_mappings(system::read_file("/proc/self/maps", 32 << 20).value_or("")), files);
        return space.frame_at(reinterpret_cast<std::uint64_t>(start_) + inside).frame;
    }

private:
    void* start_ = nullptr;
    std::string path_;
};

/// A program that is loaded whole, and one section whose size is absurd.
std::string program_with_absurd_sections() {
    std::string content(kSize, '\x90');
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_EXEC;
#if defined(__x86_64__)
    header.e_machine = EM_X86_64;
#else
    header.e_machine = EM_AARCH64;
#endif
    header.e_version = EV_CURRENT;
    header.e_ehsize = sizeof(Elf64_Ehdr);
    header.e_phoff = sizeof(Elf64_Ehdr);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 1;
    header.e_shoff = header.e_phoff + sizeof(Elf64_Phdr);
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = 2;
    Elf64_Phdr segment{};
    segment.p_type = PT_LOAD;
    segment.p_flags = PF_R | PF_X;
    segment.p_vaddr = kLoadedAt;
    segment.p_filesz = segment.p_memsz = kSize;
    Elf64_Shdr sections[2]{};
    sections[1].sh_type = SHT_SYMTAB;
    sections[1].sh_size = 1ULL << 60;
    std::memcpy(content.data(), &header, sizeof(header));
    std::memcpy(content.data() + header.e_phoff, &segment, sizeof(segment));
    std::memcpy(content.data() + header.e_shoff, sections, sizeof(sections));
    return content;
}

TEST(AddressSpace, TellsThePlaceInAFileWhoseSectionsAreAbsurd) {
    const Mapped mapped(program_with_absurd_sections());
    const model::Frame frame = mapped.frame_at(0x123);
    EXPECT_EQ(frame.module, mapped.path());
    EXPECT_EQ(frame.offset, kLoadedAt + kPage + 0x123);
    EXPECT_EQ(frame.function, "");
}

TEST(AddressSpace, TellsThePlaceInAFileThatIsNoProgram) {
    const Mapped mapped(std::string(kSize, 'x'));
    const model::Frame frame = mapped.frame_at(0x123);
    EXPECT_EQ(frame.module, mapped.path());
    EXPECT_EQ(frame.offset, kPage + 0x123);
}

TEST(AddressSpace, TellsNoAddressOfCodeInNoFile) {
    const Mapped mapped("");
    const model::Frame frame = mapped.frame_at(0x123);
    EXPECT_EQ(frame.function, "");
    EXPECT_EQ(frame.offset, std::nullopt);
}

}  // namespace
}  // namespace waitclose::symbols
