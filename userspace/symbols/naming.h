// SPDX-License-Identifier: BSD-2-Clause
// Call stacks by name: unwinds what was read of threads' stacks, and names the functions. Nothing here stops
// or changes a target.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "failure.h"
#include "model/stack.h"
#include "symbols/kernel_symbols.h"

namespace waitclose::symbols {

struct NamingSettings {
    std::size_t most_open_files = 512;  // of the programs and libraries that stacks lead through
};

class ElfFiles;
struct Program;

/// Names the stacks of any number of processes. For one thread at a time.
class Naming {
public:
    /// `kernel` must live as long.
    explicit Naming(KernelSymbols& kernel, NamingSettings settings = {});
    ~Naming();
    Naming(const Naming&) = delete;
    Naming& operator=(const Naming&) = delete;

    /// While a process lives: notes what it has mapped and opens the files it executes (map_files of proc(5),
    /// so that deleted ones and those of another mount namespace are found), so that its stacks can be named
    /// when it has exited, executed another program, or been killed. Called again, it notes what was mapped
    /// meanwhile, and reads the maps of runtimes that compile at run time again. `start_ns` is the process's
    /// start (CLOCK_BOOTTIME); false when the process is not, or no longer, that one.
    bool meet(std::uint32_t pid, std::uint64_t start_ns);

    /// Asks the runtime of a process what no memory tells: a HotSpot JVM for the names of the code that it
    /// has compiled and for its threads' stacks (`jcmd`). It makes the target work, up to some 100 ms, so
    /// only for who asked for it. Fails in one sentence; does nothing for processes without such a runtime,
    /// or never met.
    Result<void> ask_runtime(std::uint32_t pid);

    /// Whether a process that was met has such a runtime, which was not asked: its functions get no names.
    bool must_be_asked(std::uint32_t pid) const;

    /// The functions of the scripts (Python) that a thread executes at this moment, innermost first; null
    /// when it executes none, or they changed while they were read. Reads the memory of the target.
    model::StackRef script(std::uint32_t pid, std::uint32_t tid);

    /// Unwinds and names a stack: kernel frames first. Where nothing is known of the process, the kernel's
    /// frames only. A thread of a Python or Java program that still sleeps where the stack was read also gets
    /// the functions of its script, in place of the interpreter's; so it is best called soon.
    model::Stack name(const model::RawStack& raw);

private:
    using Programs = std::vector<std::unique_ptr<Program>>;  // that a process executed, the latest last

    Program* program_of(std::uint32_t pid, std::uint64_t pc) const;

    KernelSymbols& kernel_;
    NamingSettings settings_;
    std::unique_ptr<ElfFiles> files_;
    std::map<std::uint32_t, Programs> programs_;  // by pid
};

}  // namespace waitclose::symbols
