// SPDX-License-Identifier: BSD-2-Clause
#include "output/escape.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "output/layout.h"

namespace waitclose::output {
namespace {

using namespace std::string_literals;

TEST(OutputEscape, PlainTextStays) {
    EXPECT_EQ(printable(""), "");
    EXPECT_EQ(printable("nginx: worker <1> \"x\" & 'y'"), "nginx: worker <1> \"x\" & 'y'");
    EXPECT_EQ(printable("Größe 東京 Привет ≈ 3 s"), "Größe 東京 Привет ≈ 3 s");
}

TEST(OutputEscape, TerminalSequencesBecomeVisible) {
    EXPECT_EQ(printable("\x1b[2J<script>"), "\\e[2J<script>");
    EXPECT_EQ(printable("\x1b]0;owned\x07"), "\\e]0;owned\\x07");
    EXPECT_EQ(printable("a\nb\rc\td\b\x7f"), "a\\nb\\rc\\td\\x08\\x7f");
    EXPECT_EQ(printable("a\0b"s), "a\\x00b");
    EXPECT_EQ(printable("\xc2\x9b"
                        "2J"),
              "\\u009b2J");  // CSI as one C1 control
}

TEST(OutputEscape, TextThatDeceivesTheEyeBecomesVisible) {
    EXPECT_EQ(printable("\u202egpj.exe"), "\\u202egpj.exe");
    EXPECT_EQ(printable("a\u2066b\u2069"), "a\\u2066b\\u2069");
    EXPECT_EQ(printable("ja\u200bva\ufeff\u00ad"), "ja\\u200bva\\ufeff\\u00ad");
    EXPECT_EQ(printable("a\u2028b\u2029"), "a\\u2028b\\u2029");
    EXPECT_EQ(printable("\U000e0041"), "\\U000e0041");
    EXPECT_EQ(printable("\u0378"), "\\u0378");  // not assigned: no glyph
}

TEST(OutputEscape, InvalidBytesBecomeVisible) {
    EXPECT_EQ(printable("a\xff\xfe"), "a\\xff\\xfe");
    EXPECT_EQ(printable("\xc0\x80"), "\\xc0\\x80");                    // overlong NUL
    EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // surrogate
    EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
    EXPECT_EQ(printable("caf\xc3"), "caf\\xc3");                       // cut off in the middle, as a comm is
}

TEST(OutputEscape, FewMarksStayManyAreEscaped) {
    EXPECT_EQ(printable("e\u0301"), "e\u0301");
    std::string zalgo = "e";
    for (int i = 0; i < 100; ++i) zalgo += "\u0301";
    EXPECT_GT(display_width(printable(zalgo)), 500U);
}

TEST(OutputEscape, NoTwoNamesLookAlike) {
    EXPECT_EQ(printable("\x1b[1m"), "\\e[1m");
    EXPECT_EQ(printable("\\e[1m"), "\\\\e[1m");
    EXPECT_EQ(printable("\x01"), "\\x01");
    EXPECT_EQ(printable("\\x01"), "\\\\x01");
    EXPECT_EQ(printable("\\x7f\\x9b\\xFF"), "\\\\x7f\\\\x9b\\\\xFF");
    EXPECT_EQ(printable("\\u202e"), "\\\\u202e");
    EXPECT_EQ(printable("\\U000e0041"), "\\\\U000e0041");
    EXPECT_EQ(printable("\\\\e"), "\\\\\\\\e");  // two backslashes and a letter
    EXPECT_EQ(printable("\\\x1b"), "\\\\\\e");   // one, and an escape
    EXPECT_EQ(printable("\\"), "\\");
    EXPECT_EQ(printable("a\\b c\\x c\\u12 c\\x7e"), "a\\b c\\x c\\u12 c\\x7e") << "nothing that we write";
    EXPECT_EQ(printable("/system.slice/a\\x2db.service"), "/system.slice/a\\x2db.service");
}

TEST(OutputEscape, AsciiEscapesEverythingElse) {
    EXPECT_EQ(printable("Größe \xff\x1b", Charset::kAscii), "Gr\\u00f6\\u00dfe \\xff\\e");
    EXPECT_EQ(printable("\U0001f600", Charset::kAscii), "\\U0001f600");
}

TEST(OutputEscape, EveryByteAndALongNameAreHarmless) {
    std::string bytes;
    for (int i = 0; i < 10'240; ++i) bytes += static_cast<char>(i * 7);
    for (const Charset charset : {Charset::kUtf8, Charset::kAscii}) {
        const std::string text = printable(bytes, charset);
        EXPECT_TRUE(
            std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7f; }));
    }
}

TEST(OutputLayout, WidthCountsColumns) {
    EXPECT_EQ(display_width("abc"), 3U);
    EXPECT_EQ(display_width("東京"), 4U);
    EXPECT_EQ(display_width("e\u0301"), 1U);
    EXPECT_EQ(display_width("… → ≥"), 5U);
}

TEST(OutputLayout, FitCutsAtEitherEnd) {
    EXPECT_EQ(fit("abcdef", 6), "abcdef");
    EXPECT_EQ(fit("abcdef", 4), "abc…");
    EXPECT_EQ(fit("abcdef", 4, Charset::kAscii), "abc~");
    EXPECT_EQ(fit("10.0.0.7:8080", 8, Charset::kUtf8, Cut::kStart), "….7:8080");
    EXPECT_EQ(fit("東京都", 4), "東…");  // half a wide character is none
    EXPECT_EQ(fit("abc", 1), "…");
    EXPECT_EQ(fit("abc", 0), "");
}

TEST(OutputLayout, PadCountsColumns) {
    EXPECT_EQ(pad("東", 4), "東  ");
    EXPECT_EQ(pad("7", 3, Align::kRight), "  7");
    EXPECT_EQ(pad("long", 2), "long");
}

TEST(OutputLayout, WrapBreaksAtBlanksAndOnlyThenWithinWords) {
    using Lines = std::vector<std::string>;
    EXPECT_EQ(wrap("one two three", 8), (Lines{"one two", "three"}));
    EXPECT_EQ(wrap("one two", 7), (Lines{"one two"}));
    EXPECT_EQ(wrap("abcdefghij kl", 4), (Lines{"abcd", "efgh", "ij", "kl"}));
    EXPECT_EQ(wrap("  a   b  ", 3), (Lines{"a", "b"}));
    EXPECT_EQ(wrap("", 5), Lines{});
    EXPECT_EQ(wrap("aa bb cc dd", 2, 2), (Lines{"aa", "b…"}));
    EXPECT_EQ(wrap("東京", 1), (Lines{"東", "京"}));  // wider than the line: still ends
}

TEST(OutputLayout, WrapKeepsNumbersWithWhatTheyCount) {
    using Lines = std::vector<std::string>;
    EXPECT_EQ(wrap("open, 12 % of it", 8), (Lines{"open,", "12 % of", "it"}));
    EXPECT_EQ(wrap("open, 12 %", 9), (Lines{"open,", "12 %"})) << "the line ends where the blank is";
    EXPECT_EQ(wrap("since 3 s, and", 7), (Lines{"since", "3 s,", "and"}));
    EXPECT_EQ(wrap("for 2 h 13 min.", 7), (Lines{"for 2 h", "13 min."}));
    EXPECT_EQ(wrap("closed fd 57", 9), (Lines{"closed", "fd 57"}));
    EXPECT_EQ(wrap("it (pid 4121) is", 8), (Lines{"it", "(pid", "4121) is"})) << "too wide for any line";
    EXPECT_EQ(wrap("it (pid 4121) is", 11), (Lines{"it", "(pid 4121)", "is"}));
    EXPECT_EQ(wrap("has 12 sockets", 7), (Lines{"has 12", "sockets"})) << "no unit";
    EXPECT_EQ(wrap("the fd table", 7), (Lines{"the fd", "table"})) << "no number";
    EXPECT_EQ(wrap("12 %", 3), (Lines{"12", "%"})) << "no other way";
}

TEST(OutputStyle, ExplicitChoiceBeatsEnvironment) {
    TerminalFacts facts;
    facts.is_terminal = true;
    EXPECT_EQ(style_for(ColorChoice::kAuto, facts).color, Color::kOn);
    EXPECT_EQ(style_for(ColorChoice::kNever, facts).color, Color::kOff);
    facts.no_color = true;
    EXPECT_EQ(style_for(ColorChoice::kAuto, facts).color, Color::kOff);
    EXPECT_EQ(style_for(ColorChoice::kAlways, facts).color, Color::kOn);
    facts = {};
    EXPECT_EQ(style_for(ColorChoice::kAuto, facts).color, Color::kOff);
    EXPECT_FALSE(style_for(ColorChoice::kAuto, facts).cut_tables);
    EXPECT_EQ(style_for(ColorChoice::kAuto, facts).width, 80U);
    facts.columns = 5;
    EXPECT_EQ(style_for(ColorChoice::kAuto, facts).width, 40U);
}

}  // namespace
}  // namespace waitclose::output
