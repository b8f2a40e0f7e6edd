// SPDX-License-Identifier: BSD-2-Clause
#include "live/draw.h"

#include <algorithm>

#include "live/canvas.h"
#include "live/threads.h"
#include "live/views.h"
#include "output/format.h"

namespace waitclose::live {
namespace {

constexpr Size kLeast{6, 30};

void draw_view(Canvas& canvas, std::size_t row) {
    switch (canvas.state.view()) {
    case View::kGroups: return draw_groups(canvas, row);
    case View::kSockets: return draw_sockets(canvas, row);
    case View::kHold: return draw_hold(canvas, row);
    case View::kThreads: return draw_threads(canvas, row);
    case View::kClosed: return draw_closed(canvas, row);
    case View::kHelp: return draw_help(canvas, row);
    }
}

}  // namespace

Frame draw(const Picture& picture, const State& state, Size size, output::Charset charset) {
    Frame frame{Screen(size), 0, 1};
    frame.screen.set_charset(charset);
    if (size.rows < kLeast.rows || size.columns < kLeast.columns) {
        frame.screen.put(0, 0, output::count_text(picture.pulse.open) + " held", Role::kStrong);
        frame.screen.put(1, 0, "enlarge the window");
        return frame;
    }
    const output::TextStyle style{size.columns, output::Color::kOff, charset, true};
    const std::vector<std::string> message = message_lines(state, size, charset);
    const std::size_t foot = message.size() + (state.typing || message.empty() ? 1 : 0);
    const std::size_t last = size.rows - foot;
    Canvas canvas{frame.screen, picture, state, style, last};
    draw_view(canvas, draw_top(canvas));
    draw_footer(canvas, last, message);
    frame.scrolled = canvas.scrolled;
    frame.page = canvas.page;
    return frame;
}

std::string whole_text(const Picture& picture, State state, Size size, output::Charset charset) {
    constexpr Size kLeastWhole{2'000, 120};
    state.scrolled.back() = 0;
    state.typing.reset();
    state.message.clear();
    const Size whole{std::max(size.rows, kLeastWhole.rows), std::max(size.columns, kLeastWhole.columns)};
    const std::string drawn = text_of(draw(picture, state, whole, charset).screen);
    std::string text;
    std::size_t newlines = 0;  // what the page leaves free is one empty line
    for (const char letter : drawn) {
        newlines = letter == '\n' ? newlines + 1 : 0;
        if (newlines < 3) text += letter;
    }
    return text;
}

}  // namespace waitclose::live
