// SPDX-License-Identifier: BSD-2-Clause
#include "symbols/demangle.h"

#include <algorithm>
#include <array>
#include <csetjmp>
#include <optional>

#include <libiberty/demangle.h>

namespace waitclose::symbols {
namespace {

constexpr std::size_t kLongestName = 1024;
/// Longer ones the demangler would refuse for fear of its stack.
constexpr std::size_t kLongestSymbol = 2000;

/// A mangled name refers back to its own parts, so that a hundred bytes can stand for more than memory holds.
/// The demangler does not ask whether to go on; it is left by a jump. It keeps nothing but its own C stack.
struct Sink {
    std::jmp_buf enough;
    std::size_t length = 0;
    std::array<char, kLongestName> text;
};

void take(const char* part, std::size_t length, void* to) {
    auto& sink = *static_cast<Sink*>(to);
    if (length > sink.text.size() - sink.length) std::longjmp(sink.enough, 1);
    std::copy_n(part, length, sink.text.begin() + static_cast<std::ptrdiff_t>(sink.length));
    sink.length += length;
}

using Demangler = int (*)(const char*, int, demangle_callbackref, void*);

std::optional<std::string> by(Demangler demangler, const std::string& symbol) {
    Sink sink;
    if (setjmp(sink.enough) != 0) return std::nullopt;
    if (demangler(symbol.c_str(), DMGL_NO_OPTS, take, &sink) == 0) return std::nullopt;
    return std::string(sink.text.data(), sink.length);
}

bool is_number_or_nothing(std::string_view rest) {
    return rest.empty() || (rest.size() > 1 && rest[0] == '.' && rest[1] >= '0' && rest[1] <= '9');
}

/// "name.isra.0" is name; "name.d" might be what somebody wrote.
std::string_view without_copy_marks(std::string_view symbol) {
    constexpr std::array<std::string_view, 7> kMarks{".isra", ".constprop", ".part",      ".cold",
                                                     ".llvm", ".lto_priv",  ".localalias"};
    std::size_t end = symbol.size();
    for (const std::string_view mark : kMarks) {
        const auto at = symbol.find(mark);
        if (at != 0 && at < end && is_number_or_nothing(symbol.substr(at + mark.size()).substr(0, 2)))
            end = at;
    }
    return symbol.substr(0, end);
}

}  // namespace

std::string demangled(std::string_view symbol) {
    // "recv@@GLIBC_2.2.5": the version is the library's business.
    const auto version = symbol.find('@');
    if (version != 0) symbol = symbol.substr(0, version);
    const std::string_view bare = without_copy_marks(symbol);
    if (bare.size() <= kLongestSymbol && (bare.starts_with("_Z") || bare.starts_with("_R"))) {
        const std::string text(bare);
        if (auto name = by(rust_demangle_callback, text)) return *std::move(name);
        if (auto name = by(cplus_demangle_v3_callback, text)) return *std::move(name);
    }
    return std::string(bare.substr(0, kLongestName));
}

}  // namespace waitclose::symbols
