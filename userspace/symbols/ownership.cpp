// SPDX-License-Identifier: BSD-2-Clause
#include "symbols/ownership.h"

#include <algorithm>
#include <array>
#include <string>

#include <dlfcn.h>

namespace waitclose::symbols {
namespace {

bool starts_with_any(std::string_view text, std::span<const std::string_view> starts) {
    return std::ranges::any_of(starts, [&](std::string_view start) { return text.starts_with(start); });
}

/// Wherever they lie: a container, a JDK's or a user's own directory.
constexpr std::array<std::string_view, 40> kLibraries{
    "libc.so",     "libc-2",      "ld-linux",     "ld-musl",      "ld-2.",        "libc.musl",   "libpthread",
    "libm.so",     "libm-2",      "libdl.so",     "librt.so",     "libresolv",    "libnss_",     "libanl.so",
    "libstdc++",   "libc++",      "libgcc_s",     "libunwind",    "libatomic.so", "libasan.so",  "libtsan.so",
    "libubsan.so", "libjemalloc", "libtcmalloc",  "libjvm.so",    "libjava.so",   "libjli.so",   "libnio.so",
    "libnet.so",   "libzip.so",   "libverify.so", "libjimage.so", "libextnet.so", "libjsvml.so", "libnode.so",
    "libuv.so",    "libpython",   "libperl.so",   "libruby",      "libphp"};

/// A program of one of these names, with a version perhaps, only executes what others wrote.
constexpr std::array<std::string_view, 8> kRuntimes{"python", "pypy", "node", "java",
                                                    "perl",   "ruby", "php",  "deno"};

constexpr std::array<std::string_view, 8> kLibraryRoots{
    "/lib/", "/lib64/", "/lib32/", "/usr/lib/", "/usr/lib64/", "/usr/lib32/", "/usr/libx32/", "/libx32/"};

/// "python3.11" is python, "nodejs" and "php-fpm8.2" are runtimes as well, "nodetool" is not.
bool is_runtime(std::string_view name) {
    return std::ranges::any_of(kRuntimes, [&](std::string_view runtime) {
        if (!name.starts_with(runtime)) return false;
        const std::string_view rest = name.substr(runtime.size());
        return rest.find_first_not_of("0123456789.-") == std::string_view::npos || rest == "js" ||
               rest.starts_with("-fpm") || rest.starts_with("-cgi");
    });
}

/// Directly in a directory for everybody's libraries; deeper lie the parts of single programs.
bool is_in_library_directory(std::string_view path) {
    for (const std::string_view root : kLibraryRoots) {
        if (!path.starts_with(root)) continue;
        const std::string_view rest = path.substr(root.size());
        const auto slash = rest.find('/');
        if (slash == std::string_view::npos) return true;
        // "x86_64-linux-gnu"
        const std::string_view directory = rest.substr(0, slash);
        return directory.find("-linux-") != std::string_view::npos &&
               rest.find('/', slash + 1) == std::string_view::npos;
    }
    return false;
}

/// What a program's own function may be called by, so that nothing is said of what they call.
bool calls_back(std::string_view function) {
    constexpr std::array<std::string_view, 26> kCallers{
        "start_thread", "clone",        "_start",    "qsort",   "msort_with_tmp", "bsearch",    "lsearch",
        "lfind",        "pthread_once", "call_once", "exit",    "_exit",          "quick_exit", "ftw",
        "nftw",         "fts_",         "scandir",   "tsearch", "tdelete",        "tfind",      "twalk",
        "trecurse",     "glob",         "argp_",     "timer_",  "dl_iterate_phdr"};
    constexpr std::array<std::string_view, 16> kInnerCallers{
        "libc_start", "run_exit_handlers", "cxa_finalize",   "pthread_once_slow",
        "restore_rt", "start_context",     "clone",          "call_tls_dtors",
        "libc_csu",   "scandir",           "nptl_",          "run_fork_handlers",
        "IO_cookie",  "dl_iterate_phdr",   "pthread_unwind", "libc_main"};
    const std::string_view bare = function.substr(std::min(function.find_first_not_of('_'), function.size()));
    return starts_with_any(function, kCallers) || starts_with_any(bare, kInnerCallers) ||
           starts_with_any(bare, kCallers);
}

/// The first part of a Go package's path has a dot when it is not Go's own.
bool is_go_standard(std::string_view function) {
    constexpr std::array<std::string_view, 13> kPackages{
        "runtime.", "runtime/", "syscall.", "internal/", "net.",    "net/",         "os.",
        "io.",      "sync.",    "sync/",    "bufio.",    "crypto/", "database/sql."};
    return starts_with_any(function, kPackages);
}

bool is_c_library_frame(const PlacedFrame& placed) {
    return placed.origin == Origin::kStaticProgram && is_c_library_function(placed.frame.function);
}

}  // namespace

bool is_system_file(std::string_view path) {
    if (path.starts_with('[')) return true;  // [vdso]
    const std::string_view name = path.substr(path.rfind('/') + 1);
    if (starts_with_any(name, kLibraries)) return true;
    // The modules that come with an interpreter, and what is installed for all its programs.
    if (path.find("/lib-dynload/") != std::string_view::npos ||
        path.find("-packages/") != std::string_view::npos)
        return true;
    const bool is_library = name.find(".so") != std::string_view::npos;
    return is_library ? is_in_library_directory(path) : is_runtime(name);
}

bool is_standard_function(std::string_view function) {
    constexpr std::array<std::string_view, 24> kStarts{"__",
                                                       "_IO_",
                                                       "_dl_",
                                                       "_Unwind_",
                                                       "_start",
                                                       "_init",
                                                       "_fini",
                                                       "std::",
                                                       "core::",
                                                       "alloc::",
                                                       "boost::asio::",
                                                       "fmt::v",
                                                       "operator new",
                                                       "operator delete",
                                                       "start_thread",
                                                       "clone3",
                                                       "execute_native_thread_routine",
                                                       "gsignal",
                                                       "deregister_tm_clones",
                                                       "register_tm_clones",
                                                       "frame_dummy",
                                                       "_nl_",
                                                       "_pthread_",
                                                       "rust_"};
    // "<alloc::boxed::Box<F> as core::ops::FnOnce>::call_once", "<&T as core::fmt::Display>::fmt"
    function.remove_prefix(std::min(function.find_first_not_of("<&*"), function.size()));
    return starts_with_any(function, kStarts) || function == "clone" || is_go_standard(function);
}

bool is_c_library_function(std::string_view function) {
    if (function.empty() || function == "main") return false;
    if (function.starts_with('_') && is_standard_function(function)) return true;
    static void* const kLibrary = ::dlopen("libc.so.6", RTLD_NOLOAD | RTLD_LAZY);
    return kLibrary != nullptr && ::dlsym(kLibrary, std::string(function).c_str()) != nullptr;
}

void mark_own(std::span<PlacedFrame> stack) {
    bool is_inside = false;      // the frame outside of it is the C library's
    bool may_be_called = false;  // by that one, though it is the program's
    for (std::size_t i = stack.size(); i-- > 0;) {
        PlacedFrame& placed = stack[i];
        model::Frame& frame = placed.frame;
        if (placed.origin == Origin::kKernel || placed.origin == Origin::kScript ||
            placed.origin == Origin::kJit)
            continue;
        const bool is_static = placed.origin == Origin::kStaticProgram;
        const bool is_helper = is_inside && (!may_be_called || calls_back(frame.function));
        const bool is_c_library = is_static && (is_c_library_frame(placed) || is_helper);
        is_inside = is_c_library;
        may_be_called = calls_back(frame.function);
        frame.own = !is_c_library && !is_system_file(frame.module) && !is_standard_function(frame.function);
    }
}

}  // namespace waitclose::symbols
