// SPDX-License-Identifier: BSD-2-Clause
// A process stopped by SIGSTOP when the peer hangs up.
//   accepted        it had accepted the connection
//   never-accepted  it had not: the connection is in the queue of a listener nobody can serve
#include "culprit.h"

#include <csignal>

#include <sys/wait.h>
#include <unistd.h>

using namespace culprit;

namespace {

void be_stopped(const Options& options, int line) {
    Listener listener = listen_on(options.family);
    tell(line, note(Say::listening, listener.fd, listener.port));
    int fd = -1;
    if (options.mode == "accepted") {
        fd = accept_one(listener.fd);
        tell(line, note(Say::accepted, fd));
    }
    hear(line, Say::close);
    if (fd < 0) fd = accept_one(listener.fd);
    tell(line, close_and_note(fd));
    hear(line, Say::gone);
}

void stop(pid_t pid) {
    int status = 0;
    check(kill(pid, SIGSTOP), "SIGSTOP");
    check(waitpid(pid, &status, WUNTRACED), "waitpid");
    if (!WIFSTOPPED(status)) fail("the child did not stop");
}

}  // namespace

int main(int argc, char** argv) {
    Options options = parse(argc, argv, {"accepted", "never-accepted"});
    Judge judge(options);
    Child child = start_child(options.name("stopped"), [&](int line) { be_stopped(options, line); });
    int peer = connect_to(options.family, judge.listening(child));
    if (options.mode == "accepted") {
        judge.holds(hear(child.line, Say::accepted));
        judge.truth.cause = "stopped";
    } else {
        judge.truth.pid = child.pid;
        judge.truth.accepted = false;
        judge.truth.cause = "never-accepted";
        judge.truth.acceptable = {"stopped"};
    }
    judge.ready(peer);
    stop(child.pid);
    judge.hang_up_without_wait(peer);
    return judge.obey([&] {
        check(kill(child.pid, SIGCONT), "SIGCONT");
        tell(child.line, note(Say::close));
        return hear(child.line, Say::closed);
    });
}
