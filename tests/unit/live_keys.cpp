// SPDX-License-Identifier: BSD-2-Clause
// Keys out of what terminals send, whole and in parts; and the line that is typed with them.
#include "live/keys.h"

#include <gtest/gtest.h>

#include "live/line.h"
#include "model/units.h"

namespace waitclose::live {
namespace {

using Kind = Key::Kind;
constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint64_t kLater = 10 * model::kSecond;

std::string name_of(const Key& key) {
    switch (key.kind) {
    case Kind::kCharacter: return key.text;
    case Kind::kPasted: return "<" + key.text + ">";
    case Kind::kEnter: return "Enter";
    case Kind::kEscape: return "Esc";
    case Kind::kBackspace: return "Backspace";
    case Kind::kDelete: return "Delete";
    case Kind::kUp: return "Up";
    case Kind::kDown: return "Down";
    case Kind::kPageUp: return "PageUp";
    case Kind::kPageDown: return "PageDown";
    case Kind::kHome: return "Home";
    case Kind::kEnd: return "End";
    case Kind::kLeft: return "Left";
    case Kind::kRight: return "Right";
    case Kind::kEraseLine: return "^U";
    case Kind::kEraseWord: return "^W";
    case Kind::kEraseRest: return "^K";
    case Kind::kRedraw: return "^L";
    }
    return "?";
}

std::string taken(KeyReader& reader, std::uint64_t now_ns) {
    std::string names;
    while (const auto key = reader.next(now_ns)) names += (names.empty() ? "" : " ") + name_of(*key);
    return names;
}

/// The keys of these bytes, come at once; and they are the same where every byte comes alone.
std::string keys_of(const std::string& bytes) {
    KeyReader reader;
    reader.add(bytes, 0);
    std::string names = taken(reader, 0);
    const std::string late = taken(reader, kLater);
    if (!late.empty()) names += (names.empty() ? "" : " ") + late;
    EXPECT_FALSE(reader.is_waiting()) << bytes;
    KeyReader slow;
    std::string one_by_one;
    for (std::size_t i = 0; i <= bytes.size(); ++i) {
        if (i < bytes.size()) slow.add(bytes.substr(i, 1), i * 50 * kMs);
        const std::string more = taken(slow, i < bytes.size() ? i * 50 * kMs : kLater + i * 50 * kMs);
        if (!more.empty()) one_by_one += (one_by_one.empty() ? "" : " ") + more;
    }
    EXPECT_EQ(one_by_one, names) << bytes;
    return names;
}

TEST(LiveKeys, AreThoseOfManyTerminals) {
    EXPECT_EQ(keys_of("jq\r\x7f\t"), "j q Enter Backspace");
    EXPECT_EQ(keys_of("\x1b[A\x1b[B\x1b[C\x1b[D\x1b[H\x1b[F"), "Up Down Right Left Home End");
    EXPECT_EQ(keys_of("\x1bOA\x1bOB\x1bOC\x1bOD\x1bOH\x1bOF\x1bOM"), "Up Down Right Left Home End Enter");
    EXPECT_EQ(keys_of("\x1b[1~\x1b[4~\x1b[5~\x1b[6~\x1b[7~\x1b[8~\x1b[3~"),
              "Home End PageUp PageDown Home End Delete");
    EXPECT_EQ(keys_of("\x1b[1;5A\x1b[5;2~"), "Up PageUp") << "with Ctrl or Shift";
    EXPECT_EQ(keys_of("\x01\x05\x0b\x0c\x15\x17"), "Home End ^K ^L ^U ^W");
}

TEST(LiveKeys, WhatIsNoKeyIsSwallowedWhole) {
    EXPECT_EQ(keys_of("\x1b[M qqj"), "j") << "the mouse, as old terminals tell of it";
    EXPECT_EQ(keys_of("\x1b[<0;113;5M\x1b[<0;113;5mj"), "j") << "the mouse";
    EXPECT_EQ(keys_of("\x1b[32;113;5Mj"), "j") << "the mouse of rxvt";
    EXPECT_EQ(keys_of("\x1b[I\x1b[Oj"), "j") << "focus";
    EXPECT_EQ(keys_of("\x1b[?62;22cj"), "j") << "what the terminal is";
    EXPECT_EQ(keys_of("\x1b]11;rgb:qqqq/0000/0000\x1b\\j\x1b]2;q\aj"), "j j") << "its colours";
    EXPECT_EQ(keys_of("\x1bP1$r0mq\x1b\\j"), "j");
    EXPECT_EQ(keys_of("\x1b[[Aj\x1b[15~j\x1bOPj"), "j j j") << "function keys";
    EXPECT_EQ(keys_of("\x1b[5\x1b[Aj"), "Up j") << "broken off";
    EXPECT_EQ(keys_of("\x1b[200~q\rr\x1b[201~j"), "<q r> j");
}

TEST(LiveKeys, CharactersAreWholeOrNone) {
    EXPECT_EQ(keys_of("\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80"), "\xc3\xbc \xe2\x82\xac \xf0\x9f\x98\x80");
    EXPECT_EQ(keys_of("\xe2\x82j"), "j") << "cut off";
    EXPECT_EQ(keys_of("\x82\xff\xc0\x80j"), "j") << "never one";
    EXPECT_EQ(keys_of("\xe2\x82"), "");
}

TEST(LiveKeys, AnEscapeAloneIsTheKeyOnceNothingFollows) {
    KeyReader reader;
    reader.add("\x1b", 0);
    EXPECT_EQ(taken(reader, 50 * kMs), "");
    EXPECT_TRUE(reader.is_waiting());
    EXPECT_EQ(taken(reader, 100 * kMs), "Esc");
    EXPECT_FALSE(reader.is_waiting());
    reader.add("\x1b\x1b[A", 0);
    EXPECT_EQ(taken(reader, 0), "Esc Up");
    reader.add("\x1b\x1b", 0);
    EXPECT_EQ(taken(reader, kLater), "Esc Esc");
    reader.add("\x1b", 0);
    EXPECT_EQ(taken(reader, 20 * kMs), "");
    reader.add("q", 20 * kMs);
    EXPECT_EQ(taken(reader, 20 * kMs), "Esc q") << "typed one after the other";
}

TEST(LiveKeys, AltWithAKeyIsNeitherEscNorTheKey) {
    KeyReader reader;
    for (const char* together : {"\x1bq", "\x1br", "\x1b ", "\x1b\x7f", "\x1b\r", "\x1b\xc3\xbc"}) {
        reader.add(together, 0);
        EXPECT_EQ(taken(reader, 0), "") << together;
        EXPECT_FALSE(reader.is_waiting()) << together;
    }
    reader.add("\x1bqj", 0);
    EXPECT_EQ(taken(reader, 0), "j");
    reader.add("\x1b\xc3", 0);
    EXPECT_EQ(taken(reader, 0), "");
    reader.add("\xbcj", 20 * kMs);
    EXPECT_EQ(taken(reader, 20 * kMs), "j") << "cut up on the way";
}

TEST(LiveKeys, MoreThanIsTakenOfWhatIsPastedIsNoKeyEither) {
    KeyReader reader;
    const std::string pasted = "\x1b[200~" + std::string(200'000, 'q') + "\x1b[201~j";
    for (std::size_t at = 0; at < pasted.size(); at += 4093) {
        reader.add(pasted.substr(at, 4093), at);
        EXPECT_EQ(taken(reader, at), at + 4093 < pasted.size() ? "" : "j");
    }
    EXPECT_FALSE(reader.is_waiting());
    reader.add(pasted.substr(0, 100'000), 0);
    EXPECT_EQ(taken(reader, 0), "");
    EXPECT_EQ(taken(reader, kLater), "") << "whose end never came";
    reader.add("j", kLater);
    EXPECT_EQ(taken(reader, kLater), "j");
}

TEST(LiveKeys, WhatNeverEndsIsGivenUp) {
    for (const char* begun : {"\x1b[", "\x1b[12;", "\x1b]11;", "\x1bO", "\x1b[M", "\x1b[200~abc", "\xe2"}) {
        KeyReader reader;
        reader.add(begun, 0);
        EXPECT_EQ(taken(reader, kLater), "") << begun;
        reader.add("j", kLater);
        EXPECT_EQ(taken(reader, kLater), "j") << begun;
    }
    KeyReader reader;
    for (int i = 0; i < 1'000; ++i) reader.add("\x1b]" + std::string(1'000, 'q'), 0);
    EXPECT_EQ(taken(reader, 0), "");
    EXPECT_FALSE(reader.is_waiting());
}

TEST(LiveLine, IsEditedAsInAShell) {
    constexpr std::size_t kMost = 40;
    Line line = Line::of("pid 12");
    const auto type = [&](Kind kind, const std::string& text = "") { line.edit({kind, text}, kMost); };
    type(Kind::kCharacter, "3");
    EXPECT_EQ(line.text, "pid 123");
    type(Kind::kEraseWord);
    EXPECT_EQ(line.text, "pid ");
    type(Kind::kEraseWord);
    EXPECT_EQ(line.text, "");
    type(Kind::kPasted, "comm j\xc3\xbc");
    type(Kind::kLeft);
    type(Kind::kCharacter, "a");
    EXPECT_EQ(line.text, "comm ja\xc3\xbc");
    type(Kind::kDelete);
    EXPECT_EQ(line.text, "comm ja");
    type(Kind::kHome);
    type(Kind::kBackspace);
    type(Kind::kCharacter, "x");
    EXPECT_EQ(line.text, "xcomm ja");
    type(Kind::kRight);
    type(Kind::kEraseRest);
    EXPECT_EQ(line.text, "xc");
    type(Kind::kEraseLine);
    EXPECT_EQ(line.text, "");
    type(Kind::kPasted, std::string(39, 'a') + "\xc3\xbc\xff");
    EXPECT_EQ(line.text, std::string(39, 'a')) << "no half of a character";
    type(Kind::kUp);
    type(Kind::kDelete);
    EXPECT_EQ(line.cursor, 39U);
}

}  // namespace
}  // namespace waitclose::live
