// SPDX-License-Identifier: BSD-2-Clause
// The keys, and the words of this tool.
#include "live/views.h"

namespace waitclose::live {

void draw_help(Canvas& canvas, std::size_t row) {
    Text text(canvas);
    text.add("Enter", "look inside: group, its sockets, one hold in full (also: right arrow, l)");
    text.add("Esc", "back (also: left arrow, h, Backspace)");
    text.add("arrows", "move; j, k, Page Up, Page Down, Home, End, g and G as well");
    text.add("t", "the threads of the owner: what each does, and since when");
    text.add("c",
             "just closed: the holds that ended in the last minute, how long they were, who closed them");
    text.add(
        "/",
        "filter, by a program's name or the words of the command line: pid LIST, comm REGEX, localport "
        "LIST, remoteport LIST, cgroup PATH, netns INODE, min-held DUR, 4 or 6 (IPv4, IPv6); empty shows "
        "all");
    text.add("s", "sort groups by sockets, oldest, growth, owner, cause");
    text.add("space", "hold the screen still, and go on");
    text.add("r",
             "record what is watched, with its causes, into a file in the working directory, and stop; "
             "'waitclose report FILE' tells afterwards what happened, 'waitclose export' draws it over time");
    text.add("w", "write what is shown, as text and as JSON, to files in the working directory");
    text.add("q", "leave (here: back); waitclose has changed nothing");
    text.gap();
    text.add("hold",
             "the time a socket spends in CLOSE_WAIT: the peer has hung up, and from then on the kernel "
             "waits, without any limit, until a program of this machine calls close()");
    text.add("owner", "the process that answers for the sockets of a group");
    text.add("culprit", "the thread that should have called close()");
    text.add("cause", "why it did not; alarming colours are for faults");
    text.add("sure",
             "proven: all decisive facts were measured. likely: one was inferred. possible: the best of "
             "several explanations");
    text.add("oldest", canvas.ascii()
                           ? ">= stands before a time that is a lower bound: the hold is older than "
                             "this session"
                           : "≥ stands before a time that is a lower bound: the hold is older than "
                             "this session");
    text.add(
        "trend",
        "by how many sockets it grew in the last minute, or since it is watched; an alarming colour where it "
        "grew all the while");
    text.add("files", "whose table of descriptors is full first; EMFILE is the error accept() then gives");
    text.add("pressure", "the share of time in which some thread of the machine waited for it");
    text.draw(canvas, row);
}

}  // namespace waitclose::live
