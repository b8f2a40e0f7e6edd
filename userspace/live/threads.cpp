// SPDX-License-Identifier: BSD-2-Clause
#include "live/threads.h"

#include <algorithm>

#include <fmt/format.h>

#include "diagnose/shares.h"
#include "diagnose/wait.h"
#include "live/views.h"
#include "output/escape.h"
#include "output/format.h"

namespace waitclose::live {
namespace {

bool is_culprit(const GroupRow* row, const model::Thread& thread) {
    return row && accuses(row->key.cause) &&
           std::ranges::any_of(row->group.top_culprits,
                               [&](const diagnose::TopCulprit& one) { return one.tid == thread.tid; });
}

const char* state_text(const model::Thread& thread) {
    switch (thread.state) {
    case model::RunState::kRunning: return thread.has_cpu == false ? "wants CPU" : "runs";
    case model::RunState::kSleeping: return "sleeps";
    case model::RunState::kDiskSleep: return "sleeps (D)";
    case model::RunState::kStopped: return "stopped";
    case model::RunState::kTraced: return "traced";
    case model::RunState::kFrozen: return "frozen";
    case model::RunState::kZombie: return "zombie";
    case model::RunState::kOther: break;
    }
    return "-";
}

/// "12 %", of the window.
std::string cpu_cell(const Picture& picture, const model::Thread& thread) {
    const auto& window = picture.census->window;
    const model::ThreadTime* time = window ? window->find(thread.tid, thread.start_ns) : nullptr;
    if (!time || time->length_ns() == 0) return "-";
    return fmt::format("{:.0f} %", diagnose::shares_of(*time).on_cpu * 100);
}

const char* mark_of(diagnose::Confidence confidence) {
    return confidence == diagnose::Confidence::kPossible ? "perhaps" : "culprit";
}

RowCells cells_of(const Canvas& canvas, const GroupRow* row, const model::Thread& thread) {
    const diagnose::Wait wait = diagnose::wait_of(thread);
    const bool runs = thread.state == model::RunState::kRunning;
    const bool idle = wait.what == diagnose::WaitClass::kEventLoop;
    const bool named = is_culprit(row, thread);
    const std::uint64_t now = canvas.picture.now_ns;
    const std::string since = thread.asleep_since_ns && now > *thread.asleep_since_ns
                                  ? output::short_duration_text(now - *thread.asleep_since_ns)
                                  : "-";
    const Role role = idle ? Role::kDim : Role::kPlain;
    const Role accused = named ? role_of(row->key.cause, row->group.confidence) : role;
    return {{{std::to_string(thread.tid), role},
             {output::printable(thread.comm, canvas.style.charset), accused},
             {named ? mark_of(row->group.confidence) : "", accused},
             {state_text(thread), role},
             {cpu_cell(canvas.picture, thread), runs ? Role::kCpu : role},
             {runs ? "" : std::string(diagnose::id_of(wait.what)), idle ? Role::kIdle : Role::kBlocked},
             {runs ? "-" : since, role},
             {canvas.clean(wait.detail), role}},
            false};
}

}  // namespace

std::vector<const model::Thread*> threads_of(const State& state, const Picture& picture) {
    std::vector<const model::Thread*> threads;
    const model::Process* owner = owner_of(state, picture);
    if (!owner) return threads;
    for (const model::Thread& thread : picture.census->threads_of(*owner)) threads.push_back(&thread);
    const GroupRow* row = group_of(state, picture);
    std::ranges::sort(threads, {}, [&](const model::Thread* thread) {
        return std::pair(!is_culprit(row, *thread), thread->tid);
    });
    return threads;
}

void draw_threads(Canvas& canvas, std::size_t row) {
    using output::Align;
    using output::Cut;
    const auto threads = threads_of(canvas.state, canvas.picture);
    if (threads.empty()) {
        canvas.screen.put(row, 1, "None of its threads could be read; it may have exited. Esc goes back.");
        return;
    }
    const GroupRow* group = group_of(canvas.state, canvas.picture);
    const Rows rows{{{"TID", Align::kRight, Cut::kEnd, 5},
                     {"NAME", Align::kLeft, Cut::kEnd, 15},
                     {"", Align::kLeft, Cut::kEnd, 0},
                     {"STATE", Align::kLeft, Cut::kEnd, 7},
                     {"CPU", Align::kRight, Cut::kEnd, 5},
                     {"WAITS FOR", Align::kLeft, Cut::kEnd, 9},
                     {"SINCE", Align::kRight, Cut::kEnd, 5},
                     {"IN", Align::kLeft, Cut::kEnd, 10}},
                    threads.size(),
                    cursor_of(canvas.state, canvas.picture).index,
                    0};
    // What the row has no room for, of the thread under the cursor.
    constexpr std::size_t kRowsWithDetail = 16;
    Text detail(canvas);
    const diagnose::Wait wait = diagnose::wait_of(*threads[rows.cursor]);
    if (canvas.screen.size().rows >= kRowsWithDetail && !wait.detail.empty())
        detail.add("in", canvas.clean(wait.detail));
    // Half of what there is remains for the rows.
    const std::size_t below_rows =
        std::min(detail.size(), canvas.bottom > row ? (canvas.bottom - row) / 2 : 0);
    canvas.bottom -= below_rows;
    draw_rows(canvas, row, rows, [&](std::size_t index) { return cells_of(canvas, group, *threads[index]); });
    const std::size_t below = canvas.bottom;
    canvas.bottom += below_rows;
    detail.draw_beginning(canvas, below);
}

}  // namespace waitclose::live
