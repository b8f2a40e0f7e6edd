// SPDX-License-Identifier: BSD-2-Clause
// One process let go of its descriptor, another still has a copy of it.
//   fork-before     the parent accepts, forks, closes its copy; then the FIN comes; the child never looks
//   fork-after      the parent accepts, forks; the FIN comes; the parent reads end-of-file and closes; the
//   child holds on exec-self       accepted without close-on-exec; an exec'd copy of this program holds it
//   exec-cat        the same with /bin/cat, blocked on a pipe
//   parent-forgets  fork per connection: the child reads end-of-file, closes and exits; the parent never
//   closed its copy
//   session         no fault of whoever forked: a child a connection, whose parent lets go of it at once; the
//   child first asks its database, which does not answer
#include "culprit.h"

#include <array>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace culprit;

namespace {

// The last holder: waits for an order on its stdin, closes the descriptor and writes the note to stdout.
int hold(int fd) {
    Note order;
    Note here = note(Say::pending, fd);
    if (write(STDOUT_FILENO, &here, sizeof here) < 0) fail("hold");
    if (read(STDIN_FILENO, &order, sizeof order) <= 0) return 0;
    Note closed = close_and_note(fd);
    if (write(STDOUT_FILENO, &closed, sizeof closed) < 0) fail("hold");
    return read(STDIN_FILENO, &order, sizeof order) == 0 ? 0 : 1;  // stays until its parent has gone
}

struct Inheritor {
    pid_t pid = 0;
    int orders = -1;
    int notes = -1;
};

[[noreturn]] void become_inheritor(const std::string& mode, int fd) {
    set_comm("inheritor");
    if (mode == "exec-cat") {
        execl("/bin/cat", "cat", nullptr);
        fail("execl /bin/cat");
    }
    if (mode == "exec-self") {
        execl("/proc/self/exe", "inherited", "--hold", std::to_string(fd).c_str(), nullptr);
        fail("execl");
    }
    _exit(hold(fd));
}

// The write end of `orders` stays with the parent alone, so the inheritor ends with it.
Inheritor start_inheritor(const std::string& mode, int fd, int listener) {
    int orders[2];
    int notes[2];
    check(pipe2(orders, O_CLOEXEC), "pipe2");
    check(pipe2(notes, O_CLOEXEC), "pipe2");
    pid_t parent = getpid();
    pid_t pid = check(fork(), "fork");
    if (pid == 0) {
        die_with_parent(parent);
        check(dup2(orders[0], STDIN_FILENO), "dup2");
        check(dup2(notes[1], STDOUT_FILENO), "dup2");
        for (int other : {orders[0], orders[1], notes[0], notes[1], listener}) close(other);
        become_inheritor(mode, fd);
    }
    close(orders[0]);
    close(notes[1]);
    Note here;
    if (mode == "exec-cat") {  // when it echoes, the exec is behind it
        write_all(orders[1], "x");
        if (read(notes[0], &here, 1) != 1) fail("cat");
    } else if (read(notes[0], &here, sizeof here) != static_cast<ssize_t>(sizeof here))
        fail("inheritor");
    return {pid, orders[1], notes[0]};
}

Note end_inheritor(const Inheritor& inheritor, const std::string& mode) {
    if (mode == "exec-cat") {  // cat ends when its stdin does, and the kernel closes what it had
        Note closed = note(Say::closed);
        closed.pid = closed.tid = inheritor.pid;
        closed.before_ns = boot_ns();
        close(inheritor.orders);
        wait_for_exit(inheritor.pid);
        closed.after_ns = boot_ns();
        return closed;
    }
    Note order = note(Say::close);
    if (write(inheritor.orders, &order, sizeof order) < 0) fail("order");
    Note closed;
    if (read(inheritor.notes, &closed, sizeof closed) != static_cast<ssize_t>(sizeof closed))
        fail("inheritor");
    return closed;
}

void share_with_child(const Options& options, int line) {
    Listener listener = listen_on(options.family);
    tell(line, note(Say::listening, listener.fd, listener.port));
    int fd = accept_one(listener.fd);
    if (options.mode.starts_with("exec")) check(fcntl(fd, F_SETFD, 0), "F_SETFD");
    Inheritor inheritor = start_inheritor(options.mode, fd, listener.fd);
    if (options.mode != "fork-after") close(fd);
    tell(line, note(Say::accepted, fd));
    if (options.mode == "fork-after") {
        read_to_end(fd);
        close(fd);
    } else {
        hear(line, Say::proceed);
    }
    Note leaked = note(Say::leaked, fd);
    leaked.pid = leaked.tid = inheritor.pid;
    tell(line, leaked);
    hear(line, Say::close);
    tell(line, end_inheritor(inheritor, options.mode));
    hear(line, Say::gone);
}

void serve_by_fork(const Options& options, int line) {
    Listener listener = listen_on(options.family);
    tell(line, note(Say::listening, listener.fd, listener.port));
    int fd = accept_one(listener.fd);
    pid_t pid = check(fork(), "fork");
    if (pid == 0) {
        tell(line, note(Say::accepted, fd));
        read_to_end(fd);
        close(fd);
        _exit(0);
    }
    wait_for_exit(pid);
    tell(line, note(Say::leaked, fd));
    idle(line, listener.fd, fd, options.end);
}

[[noreturn]] void be_session(int line, int fd, int begin, std::uint16_t database) {
    char byte = 0;
    if (read(begin, &byte, 1) != 1) fail("its parent");
    const int service = connect_to(Family::ipv4, database);
    tell(line, note(Say::accepted, fd));
    if (read(service, &byte, 1) != 1) fail("database");
    tell(line, close_and_note(fd));
    hear(line, Say::gone);
    _exit(0);
}

// The session begins when its parent has closed its own copy, so that the order is known.
void serve_in_session(const Options& options, int line, const Listener& database) {
    const Listener listener = listen_on(options.family);
    tell(line, note(Say::listening, listener.fd, listener.port));
    const int fd = accept_one(listener.fd);
    std::array<int, 2> begin{};
    check(pipe2(begin.data(), O_CLOEXEC), "pipe2");
    const pid_t parent = getpid();
    const pid_t pid = check(fork(), "fork");
    if (pid == 0) {
        die_with_parent(parent);
        set_comm("session");
        for (const int other : {begin[1], listener.fd, database.fd}) close(other);
        be_session(line, fd, begin[0], database.port);
    }
    close(fd);
    write_all(begin[1], "x");
    wait_for_exit(pid);
}

// The judge is the database of its session, and answers when it is told to.
int judge_session(Judge& judge, const Options& options) {
    const Listener database = listen_on(Family::ipv4);
    const Child child =
        start_child(options.name("inherited"), [&](int line) { serve_in_session(options, line, database); });
    const int peer = connect_to(options.family, judge.listening(child));
    const int asked = accept_one(database.fd);
    const Note session = hear(child.line, Say::accepted);
    wait_until_asleep_in(session.pid, session.tid, SYS_read);
    judge.hang_up(peer);
    judge.holds(session);
    judge.truth.cause = "handler-blocked";
    judge.truth.acceptable = {"unknown"};
    judge.truth.waits_for = "downstream";
    return judge.obey([&] {
        write_all(asked, "x");
        return hear(child.line, Say::closed);
    });
}

void set_truth(Truth& truth, const std::string& mode) {
    if (mode == "parent-forgets") {
        truth.cause = "eof-ignored";
        truth.acceptable = {"inherited-fd"};
        truth.eof_read = true;
        return;
    }
    truth.cause = "inherited-fd";
    truth.eof_read = mode == "fork-after";
    truth.decided_early = mode != "fork-after";
    truth.acceptable_untraced = {mode == "fork-after" ? "eof-ignored" : "abandoned", "unknown"};
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 3 && std::strcmp(argv[1], "--hold") == 0) return hold(std::atoi(argv[2]));
    Options options = parse(
        argc, argv, {"fork-before", "fork-after", "exec-self", "exec-cat", "parent-forgets", "session"});
    Judge judge(options);
    if (options.mode == "session") return judge_session(judge, options);
    bool by_fork = options.mode == "parent-forgets";
    Child child = start_child(options.name("inherited"), [&](int line) {
        by_fork ? serve_by_fork(options, line) : share_with_child(options, line);
    });
    int peer = connect_to(options.family, judge.listening(child));
    hear(child.line, Say::accepted);
    judge.hang_up(peer);
    if (!by_fork && options.mode != "fork-after") tell(child.line, note(Say::proceed));
    judge.holds(hear(child.line, Say::leaked));
    set_truth(judge.truth, options.mode);
    return judge.obey([&] {
        tell(child.line, note(Say::close));
        return hear(child.line, Say::closed);
    });
}
