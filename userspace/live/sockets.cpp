// SPDX-License-Identifier: BSD-2-Clause
// The sockets of a group, and the holds that ended lately.
#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "live/views.h"
#include "model/units.h"
#include "output/escape.h"
#include "output/format.h"
#include "output/labels.h"
#include "output/watch_text.h"

namespace waitclose::live {
namespace {

using output::Align;
using output::Cut;
using output::Paint;

/// A short list of what is true of the bytes.
std::string data_cell(const model::Census& census, const model::Socket& socket) {
    if (socket.unread_bytes > 0) return output::count_text(socket.unread_bytes) + " B unread";
    if (socket.unsent_bytes > 0) return output::count_text(socket.unsent_bytes) + " B unsent";
    if (diagnose::eof_read(census, socket)) return "end read";
    return socket.fin_consumed ? "all read" : "end unread";
}

RowCells cells_of(const Canvas& canvas, const model::Socket& socket) {
    const Picture& picture = canvas.picture;
    const diagnose::Diagnosis diagnosis = picture.explain(socket);
    const bool gone = picture.gone.contains({socket.netns, socket.cookie});
    return {{{output::held_cell(held_ns(picture, socket), socket.precision, canvas.style), Role::kStrong},
             {output::endpoint_text(socket.family, socket.remote)},
             {output::endpoint_text(socket.family, socket.local)},
             {output::holder_cell(*picture.census, socket, canvas.style)},
             {accuses(diagnosis.cause) ? output::culprit_cell(diagnosis, canvas.style) : "-",
              role_of(diagnosis.cause, diagnosis.confidence)},
             {sure_cell(diagnosis.cause, diagnosis.confidence)},
             gone ? Span{"closed", Role::kGood} : Span{data_cell(*picture.census, socket)}},
            gone};
}

RowCells cells_of(const Canvas& canvas, const Ended& ended) {
    const Picture& picture = canvas.picture;
    const model::Hold& hold = ended.closed.hold;
    const std::uint64_t ago = picture.now_ns > ended.at_ns() ? picture.now_ns - ended.at_ns() : 0;
    return {{{ago < model::kSecond ? "now" : fmt::format("{} s ago", ago / model::kSecond), Role::kDim},
             {output::held_cell(ended.closed.held_ns, hold.precision, canvas.style), Role::kStrong},
             {ended.owner ? output::process_text(ended.owner_comm, *ended.owner, canvas.style) : "-"},
             {output::ending_text(ended.closed.left, canvas.style)},
             {output::endpoint_text(hold.connection.family, hold.connection.local)},
             {output::endpoint_text(hold.connection.family, hold.connection.remote)},
             {ended.cause ? std::string(diagnose::id_of(*ended.cause)) : "-"}},
            false};
}

/// A list in the order of its first column. Where there is little room, what is dispensable gives way.
void draw_list(Canvas& canvas, std::size_t row, const std::vector<output::Column>& columns,
               const Cursor& cursor, const std::function<RowCells(std::size_t)>& row_of) {
    const auto kept_of = [&](auto all) {
        std::size_t index = 0;
        if (canvas.narrow())
            std::erase_if(all, [&](const auto&) { return columns[index++].dispensable > 0; });
        return all;
    };
    draw_rows(canvas, row, {kept_of(columns), cursor.rows, cursor.index, 0}, [&](std::size_t index) {
        RowCells cells = row_of(index);
        cells.cells = kept_of(std::move(cells.cells));
        return cells;
    });
}

}  // namespace

void draw_sockets(Canvas& canvas, std::size_t row) {
    const GroupRow* group = group_of(canvas.state, canvas.picture);
    const Cursor cursor = cursor_of(canvas.state, canvas.picture);
    if (!group || cursor.rows == 0) {
        canvas.screen.put(row, 1, "All of its holds have ended. Esc goes back.", Role::kGood);
        return;
    }
    // The local side is what the group is named by.
    const std::vector<output::Column> columns{
        {"HELD", Align::kRight, Cut::kEnd, 6},
        {"PEER", Align::kLeft, Cut::kStart, 10},
        {"LOCAL", Align::kLeft, Cut::kStart, 8, Paint::kPlain, false, 1},
        {"PID:FD NAME", Align::kLeft, Cut::kEnd, 8},
        {"CULPRIT", Align::kLeft, Cut::kEnd, 8},
        {"SURE", Align::kLeft, Cut::kEnd, 6},
        {"DATA", Align::kLeft, Cut::kEnd, 8}};
    draw_list(canvas, row, columns, cursor, [&](std::size_t index) {
        return cells_of(canvas, canvas.picture.census->sockets[group->group.all[index]]);
    });
}

void draw_closed(Canvas& canvas, std::size_t row) {
    const Cursor cursor = cursor_of(canvas.state, canvas.picture);
    if (cursor.rows == 0) {
        canvas.screen.put(row, 1,
                          canvas.picture.ended_in_all_exact
                              ? "No hold ended in the last minute."
                              : "None of the latest holds that ended is one of these; older ones may be.");
        return;
    }
    const std::vector<output::Column> columns{
        {"ENDED", Align::kRight, Cut::kEnd, 7},
        {"HELD", Align::kRight, Cut::kEnd, 6},
        {"OWNER", Align::kLeft, Cut::kEnd, 12},
        {"HOW", Align::kLeft, Cut::kEnd, 30},
        {"LOCAL", Align::kLeft, Cut::kStart, 8, Paint::kPlain, false, 1},
        {"PEER", Align::kLeft, Cut::kStart, 8, Paint::kPlain, false, 1},
        {"CAUSE", Align::kLeft, Cut::kEnd, 8}};
    draw_list(canvas, row, columns, cursor,
              [&](std::size_t index) { return cells_of(canvas, canvas.picture.ended[index]); });
}

}  // namespace waitclose::live
