// SPDX-License-Identifier: BSD-2-Clause
// Accepts, duplicates the descriptor, closes the original; the duplicate keeps the socket.
//   unread  nobody reads any more when the FIN comes
//   eof     end-of-file is read and the original closed; only the duplicate is left
#include "culprit.h"

#include <fcntl.h>
#include <unistd.h>

using namespace culprit;

namespace {

void keep_duplicate(const Options& options, int line) {
    Listener listener = listen_on(options.family);
    tell(line, note(Say::listening, listener.fd, listener.port));
    int original = accept_one(listener.fd);
    int copy = check(fcntl(original, F_DUPFD_CLOEXEC, 0), "F_DUPFD_CLOEXEC");
    if (options.mode == "unread") close(original);
    tell(line, note(Say::accepted, copy));
    if (options.mode == "eof") {
        read_to_end(original);
        close(original);
    } else {
        hear(line, Say::proceed);
    }
    tell(line, note(Say::leaked, copy));
    idle(line, listener.fd, copy, options.end);
}

}  // namespace

int main(int argc, char** argv) {
    Options options = parse(argc, argv, {"unread", "eof"});
    Judge judge(options);
    Child child = start_child(options.name("duplicate"), [&](int line) { keep_duplicate(options, line); });
    int peer = connect_to(options.family, judge.listening(child));
    hear(child.line, Say::accepted);
    judge.hang_up(peer);
    if (options.mode == "unread") tell(child.line, note(Say::proceed));
    judge.holds(hear(child.line, Say::leaked));
    judge.truth.cause = "duplicate-fd";
    judge.truth.eof_read = options.mode == "eof";
    judge.truth.decided_early = options.mode == "unread";
    judge.truth.acceptable_untraced = {options.mode == "eof" ? "eof-ignored" : "abandoned", "unknown"};
    return judge.obey([&] {
        tell(child.line, note(Say::close));
        return hear(child.line, Say::closed);
    });
}
