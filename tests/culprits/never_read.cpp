// SPDX-License-Identifier: BSD-2-Clause
// Accepts a connection and never looks at it again, so the FIN stays unread.
//   no-data      nothing but the FIN waits
//   unread-data  1,000 bytes and the FIN wait
//   worker       as no-data, but a worker thread accepted it and the main thread has nothing to do with it
#include "culprit.h"

#include <thread>

#include <unistd.h>

using namespace culprit;

namespace {

constexpr int unread = 1000;

void abandon(const Options& options, int line) {
    Listener listener = listen_on(options.family);
    tell(line, note(Say::listening, listener.fd, listener.port));
    if (options.mode == "worker") {
        std::jthread worker([&] {
            for (;;) tell(line, note(Say::accepted, accept_one(listener.fd)));
        });
        for (;;) tell(line, close_and_note(hear(line, Say::close).fd, options.end));
    }
    int fd = accept_one(listener.fd);
    tell(line, note(Say::accepted, fd));
    idle(line, listener.fd, fd, options.end);
}

}  // namespace

int main(int argc, char** argv) {
    Options options = parse(argc, argv, {"no-data", "unread-data", "worker"});
    Judge judge(options);
    Child child = start_child(options.name("never_read"), [&](int line) { abandon(options, line); });
    int peer = connect_to(options.family, judge.listening(child));
    Note accepted = hear(child.line, Say::accepted);
    judge.ready(peer);
    if (options.mode == "unread-data") {
        write_all(peer, std::string(unread, 'x'));
        judge.truth.unread_bytes = unread;
    }
    judge.hang_up_without_wait(peer);
    judge.holds(accepted);
    judge.truth.cause = "abandoned";
    return judge.obey([&] {
        tell(child.line, note(Say::close, accepted.fd));
        return hear(child.line, Say::closed);
    });
}
