// SPDX-License-Identifier: BSD-2-Clause
#include "output/style.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>

namespace waitclose::output {

namespace {

constexpr std::size_t kDefaultColumns = 80;
constexpr std::size_t kFewestColumns = 40;  // below this nothing can be laid out: let the terminal wrap

bool is_set(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0';
}

/// The first of the three variables that is set decides, as in setlocale(3). None set is the C locale.
bool environment_is_utf8() {
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        if (!is_set(name)) continue;
        std::string value = std::getenv(name);
        std::transform(value.begin(), value.end(), value.begin(),
                       [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
        return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
    }
    return false;
}

std::size_t columns_of(int descriptor) {
    winsize size{};
    if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    std::size_t columns = 0;
    if (const char* text = std::getenv("COLUMNS")) {
        const auto [end, error] = std::from_chars(text, text + std::strlen(text), columns);
        if (error != std::errc() || *end != '\0') columns = 0;
    }
    return columns;
}

const char* code_of(Paint paint) {
    switch (paint) {
    case Paint::kPlain: return "";
    case Paint::kBold: return "\x1b[1m";
    case Paint::kDim: return "\x1b[2m";
    case Paint::kAlarm: return "\x1b[1;31m";
    case Paint::kWarning: return "\x1b[33m";
    }
    return "";
}

}  // namespace

TerminalFacts read_terminal(int descriptor) {
    TerminalFacts facts;
    facts.is_terminal = ::isatty(descriptor) == 1;
    const char* term = std::getenv("TERM");
    facts.dumb = term == nullptr || *term == '\0' || std::strcmp(term, "dumb") == 0;
    facts.no_color = is_set("NO_COLOR");
    // A file or a pipe is read later by something else, so only a terminal restricts the character set.
    facts.utf8 = !facts.is_terminal || environment_is_utf8();
    facts.columns = columns_of(descriptor);
    return facts;
}

TextStyle style_for(ColorChoice choice, const TerminalFacts& facts) {
    TextStyle style;
    const bool by_itself = facts.is_terminal && !facts.dumb && !facts.no_color;
    const bool wanted = choice == ColorChoice::kAlways || (choice == ColorChoice::kAuto && by_itself);
    style.color = wanted ? Color::kOn : Color::kOff;
    style.charset = facts.utf8 ? Charset::kUtf8 : Charset::kAscii;
    style.width = std::max(facts.columns == 0 ? kDefaultColumns : facts.columns, kFewestColumns);
    style.cut_tables = facts.is_terminal;
    return style;
}

std::string paint(const TextStyle& style, Paint paint, std::string_view text) {
    if (style.color == Color::kOff || paint == Paint::kPlain || text.empty()) return std::string(text);
    std::string painted = code_of(paint);
    painted += text;
    painted += "\x1b[0m";
    return painted;
}

std::string_view arrow(const TextStyle& style) {
    return style.ascii() ? "->" : "→";
}
std::string_view back_arrow(const TextStyle& style) {
    return style.ascii() ? "<-" : "←";
}
std::string_view ellipsis(const TextStyle& style) {
    return style.ascii() ? "..." : "…";
}
std::string_view at_least(const TextStyle& style) {
    return style.ascii() ? ">=" : "≥";
}

}  // namespace waitclose::output
