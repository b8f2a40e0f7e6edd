// SPDX-License-Identifier: BSD-2-Clause
#include "live/terminal.h"

#include <algorithm>
#include <array>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <langinfo.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

#define NCURSES_WIDECHAR 1
#define NCURSES_NOMACROS 1  // else move, erase and the like mean nothing else any more
#include <curses.h>

#include "live/rescue.h"
#include "system/host.h"

namespace waitclose::live {
namespace {

/// What the terminal wants to be sent for that; null when it cannot do it.
const char* sequence_for(const char* capability) {
    // terminfo names are not const in older headers.
    const char* text = ::tigetstr(const_cast<char*>(capability));
    return text == reinterpret_cast<const char*>(-1) ? nullptr : text;
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

/// Set by signals, taken note of when keys are read.
volatile std::sig_atomic_t asked_to_stop = 0;
volatile std::sig_atomic_t continued = 0;

extern "C" void note_job_signal(int number) {
    (number == SIGTSTP ? asked_to_stop : continued) = 1;
}

void handle(int number, void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(number, &action, nullptr);
}

/// Wakes whoever waits for keys. ncurses would ask its file how large it is.
extern "C" void note_size(int) {}

/// Ctrl-Z, and whatever stops and continues a program. A shell without job control has Ctrl-Z ignored, and
/// so it stays. `before`: what was to be done on it before anything was drawn.
void follow_job_control(void (*before)(int)) {
    handle(SIGTSTP, before == SIG_IGN ? SIG_IGN : note_job_signal);
    handle(SIGCONT, note_job_signal);
}

/// "Bracketed paste": text that is pasted comes between marks, and is not taken for keys.
constexpr const char* kPasteMarked = "\x1b[?2004h";
constexpr const char* kPastePlain = "\x1b[?2004l";

/// Terminals that read other sequences would show these.
bool reads_ansi() {
    const char* place = sequence_for("cup");
    return place != nullptr && std::strncmp(place, "\x1b[", 2) == 0;
}

bool is_in_background() {
    const pid_t owner = ::tcgetpgrp(STDIN_FILENO);
    return owner > 0 && owner != ::getpgrp();
}

/// By a signal that waits to be read.
bool is_asked_to_end() {
    sigset_t waiting;
    ::sigemptyset(&waiting);
    ::sigpending(&waiting);
    return std::ranges::any_of(std::array{SIGTERM, SIGHUP, SIGINT},
                               [&](int number) { return ::sigismember(&waiting, number) == 1; });
}

/// Whether the terminal is this program's again: in the background it stops until it is. Where nobody
/// controls it, it is.
bool waits_for_foreground() {
    while (is_in_background()) {
        if (is_asked_to_end()) return false;
        continued = 0;
        ::raise(SIGTTIN);
        if (continued == 0) return false;
    }
    return true;
}

}  // namespace

Terminal::Terminal() : outlet_(STDOUT_FILENO) {
    ::tcgetattr(STDIN_FILENO, &before_);
    const int file = ::memfd_create("screen", MFD_CLOEXEC);
    if (file >= 0) drawn_ = ::fdopen(file, "w");
}

/// Begins to draw. ncurses itself would do so where text cannot be placed, too, as on a "dumb" terminal. It
/// waits for the terminal whenever it writes and whenever it sets its modes, so it gets a file instead, and
/// its idea of how large that is does not matter.
bool Terminal::begin_drawing() {
    if (!drawn_) return false;
    ::use_env(FALSE);
    screen_ = ::newterm(nullptr, drawn_, stdin);
    return screen_ != nullptr && sequence_for("cup") != nullptr;
}

/// Keys come one by one, unseen, and as they are; the cursor goes only where it is sent.
void Terminal::take_modes() {
    drawing_ = before_;
    drawing_.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ECHONL);
    drawing_.c_iflag &= ~static_cast<tcflag_t>(ICRNL | INLCR | IGNCR);
    drawing_.c_oflag &= ~static_cast<tcflag_t>(ONLCR | TABDLY);
    drawing_.c_cc[VMIN] = 1;
    drawing_.c_cc[VTIME] = 0;
    ::tcsetattr(STDIN_FILENO, TCSANOW, &drawing_);
}

void Terminal::prepare_rescue() {
    std::string sequence = reads_ansi() ? kPastePlain : "";
    for (const char* capability : {"sgr0", "cnorm", "rmcup"})
        if (const char* text = sequence_for(capability)) sequence += text;
    begin_rescue(before_, outlet_.descriptor(), sequence);
}

/// What ncurses has written since.
std::string Terminal::take_drawn() {
    const int file = ::fileno(drawn_);
    const off_t length = ::lseek(file, 0, SEEK_CUR);
    std::string bytes(static_cast<std::size_t>(std::max<off_t>(length, 0)), '\0');
    const ssize_t read = ::pread(file, bytes.data(), bytes.size(), 0);
    bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(read, 0)));
    ::lseek(file, 0, SEEK_SET);
    return bytes;
}

/// The modes first: they need nobody who takes output. In the background the terminal is somebody else's by
/// now, and whoever touched it would be stopped.
void Terminal::give_back() {
    if (!screen_ || is_in_background()) return;
    ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
    ::endwin();
    outlet_.finish((reads_ansi() ? kPastePlain : "") + take_drawn());
}

Result<std::unique_ptr<Terminal>> Terminal::open(const output::TextStyle& style) {
    struct sigaction on_stop {};
    ::sigaction(SIGTSTP, nullptr, &on_stop);  // ncurses takes it over
    if (!set_locale(style.charset)) std::setlocale(LC_CTYPE, "C");
    std::unique_ptr<Terminal> terminal(new Terminal);
    if (!terminal->begin_drawing()) {
        const char* term = std::getenv("TERM");
        return tl::unexpected(
            Failure{fmt::format("this terminal cannot be drawn on (TERM is '{}')", term ? term : ""),
                    "set TERM to what it is, e.g. TERM=xterm, or use 'waitclose watch'"});
    }
    terminal->take_modes();
    terminal->prepare_rescue();
    follow_job_control(on_stop.sa_handler);
    handle(SIGWINCH, note_size);
    ::cbreak();
    ::noecho();
    ::nonl();
    ::curs_set(0);
    if (reads_ansi()) terminal->outlet_.add(kPasteMarked);  // past ncurses, which knows nothing of it
    terminal->colored_ = style.color == output::Color::kOn && ::has_colors();
    terminal->strikes_ = style.charset == output::Charset::kUtf8;
    if (terminal->colored_) prepare_colors();
    terminal->follow_size();
    return terminal;
}

Terminal::~Terminal() {
    give_back();
    end_rescue();
    for (const int number : {SIGCONT, SIGTSTP, SIGWINCH}) ::signal(number, SIG_DFL);
    if (screen_) ::delscreen(screen_);
    if (drawn_) std::fclose(drawn_);
}

Size Terminal::size() const {
    return {static_cast<std::size_t>(std::max(1, ::getmaxy(stdscr))),
            static_cast<std::size_t>(std::max(1, ::getmaxx(stdscr)))};
}

bool Terminal::is_ready() {
    return !is_in_background() && outlet_.send(std::chrono::milliseconds(0));
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
            cchar_t character{};
            ::setcchar(&character, text.c_str(), attributes, colored_ ? look.pair : short{0}, nullptr);
            ::mvwadd_wch(stdscr, static_cast<int>(row), static_cast<int>(column), &character);
        }
    ::wrefresh(stdscr);
    outlet_.add(take_drawn());
    outlet_.send(std::chrono::milliseconds(5));  // it may only be slow
}

void Terminal::read_bytes() {
    constexpr std::size_t kAtOnce = 4096;
    std::array<char, kAtOnce> bytes{};
    pollfd typed{STDIN_FILENO, POLLIN, 0};
    if (::poll(&typed, 1, 0) <= 0 || (typed.revents & POLLIN) == 0) return;
    const ssize_t length = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    if (length > 0) keys_.add({bytes.data(), static_cast<std::size_t>(length)}, system::boottime_ns());
}

/// Stops where that was asked for, with the terminal as it was before. Once continued, or after whatever
/// stopped it otherwise, the terminal is taken again: the shell has set it as it likes it, and drawn on it.
bool Terminal::take_back() {
    if (asked_to_stop == 0 && continued == 0) return false;
    // In the background it has been set by somebody else already.
    if (!waits_for_foreground()) return false;
    give_back();
    if (std::exchange(asked_to_stop, 0) != 0) {
        ::signal(SIGTSTP, SIG_DFL);
        ::raise(SIGTSTP);
        follow_job_control(note_job_signal);
        if (!waits_for_foreground()) return false;
    }
    continued = 0;
    ::tcsetattr(STDIN_FILENO, TCSANOW, &drawing_);
    if (reads_ansi()) outlet_.add(kPasteMarked);
    ::clearok(curscr, TRUE);
    follow_size();
    return true;
}

bool Terminal::follow_size() {
    // No screen is larger; whoever says so would have a process of this machine take all its memory.
    constexpr unsigned short kMostRows = 500;
    constexpr unsigned short kMostColumns = 1'000;
    winsize now{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &now) != 0 || now.ws_row == 0 || now.ws_col == 0) return false;
    const int rows = std::min(now.ws_row, kMostRows);
    const int columns = std::min(now.ws_col, kMostColumns);
    if (::is_term_resized(rows, columns) == FALSE) return false;
    if (::resizeterm(rows, columns) != OK) return false;
    // Terminals move what is there about as they like.
    ::clearok(curscr, TRUE);
    return true;
}

std::optional<Terminal::Input> Terminal::read() {
    if (take_back() || follow_size()) return Input{std::nullopt, true};
    auto key = keys_.next(system::boottime_ns());
    if (!key) {
        read_bytes();
        key = keys_.next(system::boottime_ns());
    }
    if (!key) return std::nullopt;
    if (key->kind != Key::Kind::kRedraw) return Input{key, false};
    ::clearok(curscr, TRUE);
    return Input{std::nullopt, true};
}

}  // namespace waitclose::live
