// SPDX-License-Identifier: BSD-2-Clause
// What an accept queue holds, and whose it is.
//   reset              of five connections in a queue nobody serves two were reset by their peers
//   somaxconn          the queue is as long as net.core.somaxconn lets it be (--netns: that is set to 16)
//   reuseport          of three processes that share a port with SO_REUSEPORT one does not serve its queue
//   debugger-queued    the owner of the listener is stopped in a debugger
//   debugger-accepted  and so is one that has accepted the connection
//   nonblocking        a healthy server that calls accept() until it gets EAGAIN, through a burst
#include "culprit.h"

#include <array>
#include <cerrno>
#include <fstream>

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace culprit;

namespace {

constexpr int small_somaxconn = 16;

bool has_pending(int listener) {
    pollfd look{listener, POLLIN, 0};
    return check(poll(&look, 1, 0), "poll") == 1;
}

// Waits for orders only, never for the listener.
void neglect(const Options& options, int line) {
    const std::uint16_t port = hear(line, Say::proceed).port;
    const Listener listener = listen_on(options.family, port, options.mode == "reuseport");
    tell(line, note(Say::listening, listener.fd, listener.port));
    if (options.mode == "debugger-accepted") tell(line, note(Say::accepted, accept_one(listener.fd)));
    for (;;) {
        hear(line, Say::pending);
        Note answer = note(Say::pending, listener.fd);
        answer.flag = has_pending(listener.fd);
        tell(line, answer);
    }
}

void serve(const Options& options, int line) {
    const Listener listener = listen_on(options.family, hear(line, Say::proceed).port, true);
    tell(line, note(Say::listening, listener.fd, listener.port));
    idle(line, listener.fd, -1);
}

Child start_server(const Options& options, std::uint16_t port, void (*body)(const Options&, int)) {
    const Child child = start_child(options.name("server"), [&](int line) { body(options, line); });
    tell(child.line, note(Say::proceed, -1, port));
    return child;
}

bool asked_for_pending(const Child& child) {
    tell(child.line, note(Say::pending));
    return hear(child.line, Say::pending).flag;
}

void reset(int peer) {
    const linger at_once{1, 0};
    check(setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), "SO_LINGER");
    check(close(peer), "close");
}

Note cannot_close() {
    fail("it ends with its program");
}

int never_accepted(Judge& judge, const Child& owner) {
    judge.truth.pid = owner.pid;
    judge.truth.accepted = false;
    judge.truth.cause = "never-accepted";
    return judge.obey(cannot_close);
}

int judge_reset(Judge& judge, const Options& options) {
    const Child owner = start_server(options, 0, neglect);
    const std::uint16_t port = judge.listening(owner);
    connect_to(options.family, port);
    reset(connect_to(options.family, port));
    check(shutdown(connect_to(options.family, port), SHUT_WR), "shutdown");
    reset(connect_to(options.family, port));
    judge.hang_up(connect_to(options.family, port));
    return never_accepted(judge, owner);
}

// Clients that come too late: they get as far as a SYN, and nobody answers.
void knock(int line, std::uint16_t port) {
    constexpr int between_ms = 200;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    pollfd end{line, POLLIN, 0};
    while (poll(&end, 1, between_ms) == 0) {
        const int late = check(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket");
        if (connect(late, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
            errno != EINPROGRESS)
            fail("connect to a full queue");
        close(late);
    }
}

// The queue takes one more than its limit.
int judge_somaxconn(Judge& judge, const Options& options) {
    if (!(std::ofstream("/proc/sys/net/core/somaxconn") << small_somaxconn << std::flush)) fail("somaxconn");
    const Child owner = start_server(options, 0, neglect);
    const std::uint16_t port = judge.listening(owner);
    for (int i = 0; i < small_somaxconn; ++i)
        check(shutdown(connect_to(options.family, port), SHUT_WR), "shutdown");
    const int last = connect_to(options.family, port);
    start_child("knocker", [&](int line) { knock(line, port); });
    judge.hang_up(last);
    return never_accepted(judge, owner);
}

// Which of them gets a connection the kernel decides by its addresses.
int judge_reuseport(Judge& judge, const Options& options) {
    const Child stuck = start_server(options, 0, neglect);
    const std::uint16_t port = hear(stuck.line, Say::listening).port;
    for (int i = 0; i < 2; ++i) hear(start_server(options, port, serve).line, Say::listening);
    judge.announce(port);
    for (;;) {
        const int peer = connect_to(options.family, port);
        if (asked_for_pending(stuck)) {
            judge.hang_up(peer);
            return never_accepted(judge, stuck);
        }
        close(peer);
    }
}

// Traces the process whose pid it is told, until its line ends.
void debug(int line) {
    const pid_t traced = hear(line, Say::proceed).pid;
    check(static_cast<int>(ptrace(PTRACE_ATTACH, traced, nullptr, nullptr)), "PTRACE_ATTACH");
    int status = 0;
    check(waitpid(traced, &status, __WALL), "waitpid");
    if (!WIFSTOPPED(status)) fail("the traced process did not stop");
    tell(line, note(Say::proceed));
    hear(line, Say::gone);
}

int judge_debugger(Judge& judge, const Options& options) {
    const Child owner = start_server(options, 0, neglect);
    const int peer = connect_to(options.family, judge.listening(owner));
    const bool queued = options.mode == "debugger-queued";
    if (!queued) judge.holds(hear(owner.line, Say::accepted));
    const Child debugger = start_child("debugger", debug);
    Note traced = note(Say::proceed);
    traced.pid = owner.pid;
    tell(debugger.line, traced);
    hear(debugger.line, Say::proceed);
    judge.hang_up(peer);
    if (queued) return never_accepted(judge, owner);
    judge.truth.cause = "stopped";
    return judge.obey(cannot_close);
}

void serve_without_blocking(const Options& options, int line) {
    const Listener listener = listen_on(options.family);
    check(fcntl(listener.fd, F_SETFL, O_NONBLOCK), "O_NONBLOCK");
    tell(line, note(Say::listening, listener.fd, listener.port));
    std::array<pollfd, 2> waits{{{line, POLLIN, 0}, {listener.fd, POLLIN, 0}}};
    for (;;) {
        if (poll(waits.data(), waits.size(), -1) < 0 && errno != EINTR) fail("poll");
        if (waits[0].revents) hear(line, Say::gone);
        int fd = -1;
        while ((fd = accept4(listener.fd, nullptr, nullptr, SOCK_CLOEXEC)) >= 0) {
            read_to_end(fd);
            close(fd);
        }
        if (errno != EAGAIN) fail("accept4");
    }
}

int judge_nonblocking(Judge& judge, const Options& options) {
    const Child server =
        start_child(options.name("healthy"), [&](int line) { serve_without_blocking(options, line); });
    const std::uint16_t port = judge.listening(server);
    for (int i = 0; i < 100; ++i) close(connect_to(options.family, port));
    const int peer = connect_to(options.family, port);
    judge.ready(peer);
    judge.truth.pid = server.pid;
    judge.truth.cause = "unknown";
    judge.truth.held = false;
    check(shutdown(peer, SHUT_WR), "shutdown");
    char byte = 0;
    check(static_cast<int>(read(peer, &byte, 1)), "read");  // its end-of-file says that it has closed
    return judge.rest(note(Say::closed));
}

}  // namespace

int main(int argc, char** argv) {
    const Options options =
        parse(argc, argv,
              {"reset", "somaxconn", "reuseport", "debugger-queued", "debugger-accepted", "nonblocking"});
    Judge judge(options);
    if (options.mode == "reset") return judge_reset(judge, options);
    if (options.mode == "somaxconn") return judge_somaxconn(judge, options);
    if (options.mode == "reuseport") return judge_reuseport(judge, options);
    if (options.mode == "nonblocking") return judge_nonblocking(judge, options);
    return judge_debugger(judge, options);
}
