// SPDX-License-Identifier: BSD-2-Clause
#include "symbols/jit_map.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "system/text.h"

namespace waitclose::symbols {
namespace {

constexpr std::size_t kLongestName = 1024;
constexpr std::size_t kMostNames = 128 << 20;
constexpr std::size_t kMostFunctions = 1 << 20;

bool take_hex(std::string_view& text, std::uint64_t& number) {
    if (text.starts_with("0x")) text.remove_prefix(2);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
    if (error != std::errc() || end == text.data() + text.size() || *end != ' ') return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
    return true;
}

bool is_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// "/srv/app.js:12:3" without the line and the column.
std::string_view without_place(std::string_view file) {
    for (int i = 0; i < 2; ++i) {
        const auto colon = file.rfind(':');
        if (colon != std::string_view::npos && is_digits(file.substr(colon + 1)))
            file = file.substr(0, colon);
    }
    return file;
}

/// What follows "JS:" and the like: a mark of how it was compiled, the name, and the file.
model::Frame script_function(std::string_view text) {
    model::Frame frame;
    if (!text.empty() && std::string_view("*~^+").find(text[0]) != std::string_view::npos)
        text.remove_prefix(1);
    const auto blank = text.find(' ');
    frame.function = text.substr(0, blank);
    if (frame.function.empty()) frame.function = "(anonymous)";
    if (blank == std::string_view::npos) return frame;
    std::string_view file = without_place(text.substr(blank + 1));
    if (file.starts_with("file://")) file.remove_prefix(7);
    frame.module = file;
    frame.own = !file.empty() && !file.starts_with("node:") && file.find("/node_modules/") == file.npos;
    return frame;
}

/// Code of the runtime itself: its interpreter, its stubs.
bool is_runtime_code(std::string_view name) {
    constexpr std::array<std::string_view, 12> kStarts{
        "Builtin:", "BytecodeHandler:", "Stub:",        "Handler:", "RegExp:", "LoadIC:",
        "StoreIC:", "Interpreter",      "StubRoutines", "vtable ",  "itable ", "I2C/C2I"};
    return std::ranges::any_of(kStarts, [&](std::string_view start) { return name.starts_with(start); }) ||
           name.ends_with("Blob") || name.ends_with(" Stub");
}

/// "int com.shop.Handler.write(byte[])" as a JVM's own stack traces call it, "com.shop.Handler.write"; other
/// names as they are.
std::string_view without_signature(std::string_view name) {
    const std::string_view before = name.substr(0, name.find('('));
    const auto blank = before.find(' ');
    if (!name.ends_with(')') || blank == std::string_view::npos || blank != before.rfind(' ')) return name;
    const std::string_view method = before.substr(blank + 1);
    return method.find('.') == std::string_view::npos ? name : method;
}

}  // namespace

JitMap JitMap::parse(std::string_view text) {
    JitMap map;
    while (!text.empty() && map.functions_.size() < kMostFunctions) {
        std::string_view line = system::take_line(text);
        std::uint64_t start = 0;
        std::uint64_t size = 0;
        if (!take_hex(line, start) || !take_hex(line, size) || line.empty() || size == 0) continue;
        if (size > UINT64_MAX - start) continue;
        line = line.substr(0, kLongestName);
        if (map.names_.size() + line.size() > kMostNames) break;
        auto overlapped = map.functions_.lower_bound(start);
        if (overlapped != map.functions_.begin() && std::prev(overlapped)->second.end > start) --overlapped;
        while (overlapped != map.functions_.end() && overlapped->first < start + size)
            overlapped = map.functions_.erase(overlapped);
        map.functions_.emplace(start, Function{start + size, static_cast<std::uint32_t>(map.names_.size()),
                                               static_cast<std::uint16_t>(line.size())});
        map.names_ += line;
    }
    return map;
}

std::string_view JitMap::name_at(std::uint64_t address) const {
    auto found = functions_.upper_bound(address);
    if (found == functions_.begin()) return {};
    --found;
    if (address >= found->second.end) return {};
    return std::string_view(names_).substr(found->second.name, found->second.length);
}

model::Frame jit_frame(std::string_view name) {
    constexpr std::array<std::string_view, 5> kScripts{
        "LazyCompile:", "Function:", "JS:", "Script:", "Eval:"};
    for (const std::string_view kind : kScripts)
        if (name.starts_with(kind)) return script_function(name.substr(kind.size()));
    model::Frame frame;
    if (name.starts_with("py::")) {
        name.remove_prefix(4);
        const auto colon = name.find(':');
        frame.function = name.substr(0, colon);
        if (colon != std::string_view::npos) frame.module = name.substr(colon + 1);
        frame.own = !is_python_library(frame.module);
        return frame;
    }
    frame.function = without_signature(name);
    frame.own = !is_runtime_code(name) && !is_jdk_method(name);
    return frame;
}

bool is_jdk_method(std::string_view method) {
    constexpr std::array<std::string_view, 6> kPackages{"java.", "javax.",   "jdk.",
                                                        "sun.",  "com.sun.", "java/"};
    method = method.substr(0, method.find('('));
    method = method.substr(method.rfind(' ') + 1);
    // "java.base/java.net.Socket.read", "app//com.example.Main.run"
    const auto slash = method.rfind('/');
    if (slash != std::string_view::npos && !method.starts_with("java/")) method.remove_prefix(slash + 1);
    return std::ranges::any_of(kPackages, [&](std::string_view start) { return method.starts_with(start); });
}

bool is_python_library(std::string_view file) {
    if (file.starts_with("<frozen ")) return true;
    for (auto at = file.find("/lib/python"); at != std::string_view::npos;
         at = file.find("/lib/python", at + 1)) {
        const std::string_view rest = file.substr(at + std::string_view("/lib/python").size());
        if (!rest.empty() && rest[0] >= '0' && rest[0] <= '9' && rest.find('/') != std::string_view::npos)
            return true;
    }
    return false;
}

}  // namespace waitclose::symbols
