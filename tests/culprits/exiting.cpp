// SPDX-License-Identifier: BSD-2-Clause
// The main thread has ended (a zombie leader) while another thread of the process lives on.
//   eof     that thread reads end-of-file and leaks the socket
//   unread  that thread accepted the socket and never looks at it
// The process is alive and could close it, so `exiting` is only acceptable, not expected.
#include "culprit.h"

#include <thread>

#include <pthread.h>
#include <unistd.h>

using namespace culprit;

namespace {

void outlive_the_leader(const Options& options, int line) {
    std::thread([options, line, leader = pthread_self()] {
        pthread_join(leader, nullptr);
        Listener listener = listen_on(options.family);
        tell(line, note(Say::listening, listener.fd, listener.port));
        int fd = accept_one(listener.fd);
        tell(line, note(Say::accepted, fd));
        if (options.mode == "eof") {
            read_to_end(fd);
            tell(line, note(Say::leaked, fd));
        }
        idle(line, listener.fd, fd, "close");
    }).detach();
    pthread_exit(nullptr);
}

}  // namespace

int main(int argc, char** argv) {
    Options options = parse(argc, argv, {"eof", "unread"});
    Judge judge(options);
    Child child = start_child(options.name("exiting"), [&](int line) { outlive_the_leader(options, line); });
    int peer = connect_to(options.family, judge.listening(child));
    judge.holds(hear(child.line, Say::accepted));
    judge.hang_up(peer);
    if (options.mode == "eof") judge.holds(hear(child.line, Say::leaked));
    judge.truth.cause = options.mode == "eof" ? "eof-ignored" : "abandoned";
    judge.truth.eof_read = judge.truth.seen_reading = options.mode == "eof";
    judge.truth.acceptable = {"exiting"};
    return judge.obey([&] {
        tell(child.line, note(Say::close));
        return hear(child.line, Say::closed);
    });
}
