// SPDX-License-Identifier: BSD-2-Clause
#include "live/terminal.h"

#include <algorithm>
#include <array>
#include <climits>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <string>

#include <fmt/format.h>
#include <langinfo.h>
#include <termios.h>
#include <unistd.h>

#define NCURSES_WIDECHAR 1
#define NCURSES_NOMACROS 1  // else move, erase and the like mean nothing else any more
#include <curses.h>

namespace waitclose::live {
namespace {

/// What a signal handler needs to give the terminal back: it may call next to nothing.
struct Rescue {
    termios before{};
    std::array<char, 256> sequence{};  // leaves the other screen, shows the cursor, plain colours
    std::size_t length = 0;
};
Rescue rescue;

/// Whatever ends a process that does not handle it, but for those that end the view in order.
constexpr std::array kFatal{SIGABRT, SIGSEGV,   SIGBUS,  SIGFPE,  SIGILL,  SIGQUIT,
                            SIGTRAP, SIGSYS,    SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM,
                            SIGPROF, SIGSTKFLT, SIGIO,   SIGPWR,  SIGXCPU, SIGXFSZ};

extern "C" void give_back_and_die(int number) {
    const ssize_t written = ::write(STDOUT_FILENO, rescue.sequence.data(), rescue.length);
    static_cast<void>(written);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &rescue.before);
    ::signal(number, SIG_DFL);
    ::raise(number);
}

/// What the terminal wants to be sent for that; null when it cannot do it.
const char* sequence_for(const char* capability) {
    // terminfo names are not const in older headers.
    const char* text = ::tigetstr(const_cast<char*>(capability));
    return text == reinterpret_cast<const char*>(-1) ? nullptr : text;
}

/// Begins to draw. ncurses itself would do so where text cannot be placed, too, as on a "dumb" terminal.
bool begin_drawing() {
    SCREEN* screen = ::newterm(nullptr, stdout, stdin);
    if (screen == nullptr || sequence_for("cup") != nullptr) return screen != nullptr;
    ::endwin();
    ::delscreen(screen);
    return false;
}

void remember(const char* capability) {
    const char* text = sequence_for(capability);
    if (text == nullptr) return;
    const std::size_t length = std::strlen(text);
    if (rescue.length + length > rescue.sequence.size()) return;
    std::memcpy(rescue.sequence.data() + rescue.length, text, length);
    rescue.length += length;
}

void prepare_rescue() {
    rescue.length = 0;
    for (const char* capability : {"sgr0", "rmkx", "cnorm", "rmcup"}) remember(capability);
    struct sigaction action {};
    action.sa_handler = give_back_and_die;
    ::sigemptyset(&action.sa_mask);
    for (const int number : kFatal) ::sigaction(number, &action, nullptr);
}

void end_rescue() {
    for (const int number : kFatal) ::signal(number, SIG_DFL);
}

/// ncurses asks the C library's locale how to write and how wide a character is.
bool set_locale(output::Charset charset) {
    if (charset == output::Charset::kAscii) return true;
    std::setlocale(LC_CTYPE, "");
    if (std::strcmp(::nl_langinfo(CODESET), "UTF-8") == 0) return true;
    return std::setlocale(LC_CTYPE, "C.UTF-8") != nullptr;
}

constexpr short kDefault = -1;

void prepare_colors() {
    ::start_color();
    ::use_default_colors();
    ::init_pair(1, COLOR_RED, kDefault);
    ::init_pair(2, COLOR_YELLOW, kDefault);
    ::init_pair(3, COLOR_GREEN, kDefault);
    ::init_pair(4, COLOR_CYAN, kDefault);
    ::init_pair(5, COLOR_MAGENTA, kDefault);
    ::init_pair(6, COLOR_BLUE, kDefault);
}

struct Look {
    attr_t attributes = A_NORMAL;
    short pair = 0;
};

Look look_of(Role role) {
    switch (role) {
    case Role::kPlain: return {};
    case Role::kDim: return {A_DIM, 0};
    case Role::kStrong: return {A_BOLD, 0};
    case Role::kTitle: return {A_BOLD | A_UNDERLINE, 0};
    case Role::kAlarm: return {A_BOLD, 1};
    case Role::kWarning: return {A_NORMAL, 2};
    case Role::kGood: return {A_NORMAL, 3};
    case Role::kCpu: return {A_NORMAL, 4};
    case Role::kReady: return {A_NORMAL, 2};
    case Role::kBlocked: return {A_NORMAL, 5};
    case Role::kIdle: return {A_NORMAL, 6};
    }
    return {};
}

std::wstring wide(const std::string& text) {
    std::wstring converted;
    std::mbstate_t state{};
    const char* at = text.data();
    std::size_t left = text.size();
    while (left > 0) {
        wchar_t character = 0;
        const std::size_t used = std::mbrtowc(&character, at, left, &state);
        if (used == 0 || used > left) return L"?";
        converted += character;
        at += used;
        left -= used;
    }
    return converted;
}

std::string narrow(wint_t character) {
    std::array<char, MB_LEN_MAX> bytes{};
    std::mbstate_t state{};
    const std::size_t used = std::wcrtomb(bytes.data(), static_cast<wchar_t>(character), &state);
    return used == static_cast<std::size_t>(-1) ? std::string() : std::string(bytes.data(), used);
}

std::optional<Key> special_key(wint_t code) {
    switch (code) {
    case KEY_UP: return Key{Key::Kind::kUp};
    case KEY_DOWN: return Key{Key::Kind::kDown};
    case KEY_LEFT: return Key{Key::Kind::kLeft};
    case KEY_RIGHT: return Key{Key::Kind::kRight};
    case KEY_PPAGE: return Key{Key::Kind::kPageUp};
    case KEY_NPAGE: return Key{Key::Kind::kPageDown};
    case KEY_HOME: return Key{Key::Kind::kHome};
    case KEY_END: return Key{Key::Kind::kEnd};
    case KEY_ENTER: return Key{Key::Kind::kEnter};
    case KEY_BACKSPACE: return Key{Key::Kind::kBackspace};
    default: return std::nullopt;
    }
}

std::optional<Key> character_key(wint_t character) {
    switch (character) {
    case L'\r':
    case L'\n': return Key{Key::Kind::kEnter};
    case 0x1b: return Key{Key::Kind::kEscape};
    case 0x08:
    case 0x7f: return Key{Key::Kind::kBackspace};
    default: break;
    }
    if (character < 0x20) return std::nullopt;
    std::string text = narrow(character);
    if (text.empty()) return std::nullopt;
    return Key{Key::Kind::kCharacter, std::move(text)};
}

}  // namespace

Result<std::unique_ptr<Terminal>> Terminal::open(const output::TextStyle& style) {
    constexpr int kEscapeDelayMs = 25;
    ::tcgetattr(STDIN_FILENO, &rescue.before);
    if (!set_locale(style.charset)) std::setlocale(LC_CTYPE, "C");
    if (!begin_drawing()) {
        const char* term = std::getenv("TERM");
        return tl::unexpected(
            Failure{fmt::format("this terminal cannot be drawn on (TERM is '{}')", term ? term : ""),
                    "set TERM to what it is, e.g. TERM=xterm, or use 'waitclose watch'"});
    }
    std::unique_ptr<Terminal> terminal(new Terminal);
    prepare_rescue();
    ::cbreak();
    ::noecho();
    ::nonl();
    ::keypad(stdscr, TRUE);
    ::nodelay(stdscr, TRUE);
    ::set_escdelay(kEscapeDelayMs);
    ::curs_set(0);
    terminal->colored_ = style.color == output::Color::kOn && ::has_colors();
    terminal->strikes_ = style.charset == output::Charset::kUtf8;
    if (terminal->colored_) prepare_colors();
    return terminal;
}

Terminal::~Terminal() {
    ::endwin();
    end_rescue();
}

Size Terminal::size() const {
    return {static_cast<std::size_t>(std::max(1, ::getmaxy(stdscr))),
            static_cast<std::size_t>(std::max(1, ::getmaxx(stdscr)))};
}

void Terminal::show(const Screen& screen) {
    constexpr wchar_t kStroke = L'\u0336';
    ::werase(stdscr);
    const Size size = screen.size();
    for (std::size_t row = 0; row < size.rows; ++row)
        for (std::size_t column = 0; column < size.columns; ++column) {
            const Cell& cell = screen.at(row, column);
            if (cell.text.empty()) continue;
            const Look look = look_of(cell.role);
            attr_t attributes = look.attributes;
            if (cell.selected) attributes = (attributes & ~A_DIM) | A_REVERSE;
            if (cell.struck) attributes |= A_DIM;
            std::wstring text = wide(cell.text);
            if (cell.struck && strikes_ && cell.text != " " && text.size() < CCHARW_MAX - 1) text += kStroke;
            cchar_t character;
            ::setcchar(&character, text.c_str(), attributes, colored_ ? look.pair : short{0}, nullptr);
            ::mvwadd_wch(stdscr, static_cast<int>(row), static_cast<int>(column), &character);
        }
    ::wrefresh(stdscr);
}

std::optional<Terminal::Input> Terminal::read() {
    constexpr wint_t kRedraw = 0x0c;  // Ctrl-L
    wint_t code = 0;
    const int kind = ::get_wch(&code);
    if (kind == ERR) return std::nullopt;
    if (kind == KEY_CODE_YES && code == KEY_RESIZE) return Input{std::nullopt, true};
    if (kind != KEY_CODE_YES && code == kRedraw) {
        ::clearok(curscr, TRUE);
        return Input{std::nullopt, true};
    }
    return Input{kind == KEY_CODE_YES ? special_key(code) : character_key(code), false};
}

}  // namespace waitclose::live
