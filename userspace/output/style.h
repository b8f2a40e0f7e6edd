// SPDX-License-Identifier: BSD-2-Clause
// How text for people looks: width, colour, character set. Decided once from facts, then only applied.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace waitclose::output {

enum class Color : std::uint8_t { kOff, kOn };
enum class Charset : std::uint8_t { kUtf8, kAscii };

/// What --color says.
enum class ColorChoice : std::uint8_t { kAuto, kAlways, kNever };

struct TextStyle {
    std::size_t width = 80;
    Color color = Color::kOff;
    Charset charset = Charset::kUtf8;
    bool cut_tables = true;  // rows end at `width`; off for pipes, where grep wants the whole row

    bool ascii() const { return charset == Charset::kAscii; }
};

/// What is known of the place that text goes to.
struct TerminalFacts {
    bool is_terminal = false;
    bool dumb = false;        // TERM=dumb, or none
    bool no_color = false;    // NO_COLOR is set and not empty (no-color.org)
    bool utf8 = true;         // by LC_ALL, LC_CTYPE, LANG
    std::size_t columns = 0;  // 0 when not known
};

/// Reads the facts of a descriptor and of the environment.
TerminalFacts read_terminal(int descriptor);

/// Decides the style. An explicit --color wins over NO_COLOR. Pure.
TextStyle style_for(ColorChoice choice, const TerminalFacts& facts);

enum class Paint : std::uint8_t { kPlain, kBold, kDim, kAlarm, kWarning };

/// The text in the given paint, unchanged when colour is off. Pad before painting: the codes have no width.
std::string paint(const TextStyle& style, Paint paint, std::string_view text);

/// Signs with a plain fallback.
std::string_view arrow(const TextStyle& style);       // → or ->
std::string_view back_arrow(const TextStyle& style);  // ← or <-
std::string_view ellipsis(const TextStyle& style);    // … or ...
std::string_view at_least(const TextStyle& style);    // ≥ or >=

}  // namespace waitclose::output
