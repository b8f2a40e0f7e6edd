// SPDX-License-Identifier: BSD-2-Clause
// The connection sits in the accept queue: no program has it, so no thread holds a descriptor of it.
//   single     one listener, its process waits for something else
//   reuseport  two processes listen on the same port with SO_REUSEPORT; only one of them has the connection
//   in its queue
//   shared     two processes share one listener, as a master and its worker do; which of them should have
//   come is not to be told
#include "culprit.h"

#include <poll.h>
#include <unistd.h>

using namespace culprit;

namespace {

bool has_pending(int listener) {
    pollfd look{listener, POLLIN, 0};
    return check(poll(&look, 1, 0), "poll") == 1;
}

// Has a copy of the listener and never comes to it.
void start_worker() {
    const pid_t parent = getpid();
    if (check(fork(), "fork") != 0) return;
    die_with_parent(parent);
    for (;;) pause();
}

// Waits for orders only, never for the listener. The command `close` ends the hold in the one way there is.
void neglect(const Options& options, int line) {
    std::uint16_t port = hear(line, Say::proceed).port;
    Listener listener = listen_on(options.family, port, options.mode == "reuseport");
    if (options.mode == "shared") start_worker();
    tell(line, note(Say::listening, listener.fd, listener.port));
    hear(line, Say::pending);
    Note answer = note(Say::pending, listener.fd);
    answer.flag = has_pending(listener.fd);
    tell(line, answer);
    hear(line, Say::close);
    tell(line, close_and_note(accept_one(listener.fd)));
    hear(line, Say::gone);
}

std::uint16_t told_to_listen(const Child& child, std::uint16_t port) {
    tell(child.line, note(Say::proceed, -1, port));
    return hear(child.line, Say::listening).port;
}

bool asked_for_pending(const Child& child) {
    tell(child.line, note(Say::pending));
    return hear(child.line, Say::pending).flag;
}

}  // namespace

int main(int argc, char** argv) {
    Options options = parse(argc, argv, {"single", "reuseport", "shared"});
    Judge judge(options);
    auto body = [&](int line) { neglect(options, line); };
    Child owner = start_child(options.name("never_accepted"), body);
    std::uint16_t port = told_to_listen(owner, 0);
    Child other;
    if (options.mode == "reuseport") {
        other = start_child(options.name("never_accepted"), body);
        told_to_listen(other, port);
    }
    judge.announce(port);
    judge.hang_up(connect_to(options.family, port));
    if (!asked_for_pending(owner)) {
        if (other.pid == 0 || !asked_for_pending(other)) fail("nobody has the connection");
        owner = other;
    }
    if (options.mode != "shared") judge.truth.pid = owner.pid;
    judge.truth.cause = "never-accepted";
    judge.truth.accepted = false;
    return judge.obey([&] {
        tell(owner.line, note(Say::close));
        return hear(owner.line, Say::closed);
    });
}
