// SPDX-License-Identifier: BSD-2-Clause
// A handler reads the request and then waits for another thread, mostly of another process, which waits for
// yet another. The truth is told thread by thread.
//   service      a TCP service that accepted the question and sleeps
//   services     a service that waits for a second one, which sleeps
//   mixed        a lock whose owner waits for a service, which waits at a pipe for a process that waits for
//                its child, which sleeps
//   child-lock   a child that was forked while another thread held a lock, and now wants that lock
//   circle       over UNIX sockets, for a process that waits for the handler's: nobody else holds them
//   writers      at a pipe that two processes could write to
//   impostor     a service that never accepts, while another network namespace has a connection with the same
//                addresses and ports, accepted
//   twin         the same, but the service has accepted
//   third-party  24 handlers, each at a connection to a service elsewhere that never answers
#include "culprit.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace culprit;

namespace {

constexpr unsigned an_hour = 3600;
constexpr int handlers_of_a_crowd = 24;
constexpr int highest_fd = 128;
constexpr int slept_before_fin_ms = 20;  // the scenario, not a synchronisation

[[noreturn]] void sleep_long() {
    for (;;) sleep(an_hour);
}

void read_for_ever(int fd) {
    char byte = 0;
    const auto got = read(fd, &byte, 1);
    if (got >= 0 || errno != EINTR) fail("a read that was to wait for ever");
}

struct Pipe {
    int read_end = -1;
    int write_end = -1;
};

Pipe make_pipe() {
    std::array<int, 2> ends{};
    check(pipe(ends.data()), "pipe");
    return {ends[0], ends[1]};
}

Pipe arrivals;

// Says that the member of the chain with this number, the handler being 0, is about to wait.
void in_place(int line, int member) {
    tell(line, note(Say::pending, member));
    write_all(arrivals.write_end, "x");
}

using Block = std::function<void()>;

// A process that keeps only these descriptors and the line; it ends with this one. Returns when it is in
// place: the body says so on the line.
pid_t spawn(const char* comm, std::initializer_list<int> kept, const Block& body) {
    const pid_t parent = getpid();
    const pid_t pid = check(fork(), "fork");
    if (pid > 0) return pid;
    die_with_parent(parent);
    for (int fd = 3; fd < highest_fd; ++fd)
        if (fd != arrivals.write_end && std::find(kept.begin(), kept.end(), fd) == kept.end()) close(fd);
    set_comm(comm);
    body();
    sleep_long();
}

// A service of one thread that accepts one connection, reads the question, and then does as it is told.
// Returns the asking end.
int ask_service(const char* comm, int line, int member, std::initializer_list<int> kept_by_it,
                const Block& then) {
    const Listener listener = listen_on(Family::ipv4);
    std::array<int, 4> kept{line, listener.fd, -1, -1};
    std::copy(kept_by_it.begin(), kept_by_it.end(), kept.begin() + 2);
    spawn(comm, {kept[0], kept[1], kept[2], kept[3]}, [&] {
        const int connection = accept_one(listener.fd);
        close(listener.fd);
        char question = 0;
        check(static_cast<int>(read(connection, &question, 1)), "read");
        in_place(line, member);
        then();
    });
    const int asking = connect_to(Family::ipv4, listener.port);
    close(listener.fd);
    write_all(asking, "q");
    return asking;
}

Block at_service(int line) {
    const int asking = ask_service("pricing", line, 1, {}, sleep_long);
    return [=] { read_for_ever(asking); };
}

Block at_services(int line) {
    const int second = ask_service("stock", line, 2, {}, sleep_long);
    const int first = ask_service("pricing", line, 1, {second}, [=] { read_for_ever(second); });
    close(second);
    return [=] { read_for_ever(first); };
}

pthread_mutex_t audit_lock = PTHREAD_MUTEX_INITIALIZER;

Block at_mixed(int line) {
    const Pipe pipe = make_pipe();
    spawn("printer", {line, pipe.write_end}, [=] {
        const pid_t child = spawn("paper", {line}, [=] { in_place(line, 4); });
        in_place(line, 3);
        waitpid(child, nullptr, 0);
    });
    close(pipe.write_end);
    const int ledger = ask_service("ledger", line, 2, {pipe.read_end}, [=] { read_for_ever(pipe.read_end); });
    close(pipe.read_end);
    const Pipe locked = make_pipe();
    std::thread([=] {
        pthread_mutex_lock(&audit_lock);
        write_all(locked.write_end, "l");
        in_place(line, 1);
        read_for_ever(ledger);
    }).detach();
    char ready = 0;
    check(static_cast<int>(read(locked.read_end, &ready, 1)), "read");
    return [] { pthread_mutex_lock(&audit_lock); };
}

Block at_child_lock(int line) {
    pthread_mutex_lock(&audit_lock);
    const pid_t child = spawn("forked", {line}, [=] {
        in_place(line, 1);
        pthread_mutex_lock(&audit_lock);
    });
    pthread_mutex_unlock(&audit_lock);
    return [=] { waitpid(child, nullptr, 0); };
}

Block at_circle(int line) {
    std::array<int, 2> ends{};
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
    const int ours = ends[0];
    const int theirs = ends[1];
    spawn("helper", {line, theirs}, [=] {
        in_place(line, 1);
        read_for_ever(theirs);
    });
    close(theirs);
    return [=] { read_for_ever(ours); };
}

Block at_writers(int line) {
    const Pipe pipe = make_pipe();
    for (const char* comm : {"writer-a", "writer-b"})
        spawn(comm, {line, pipe.write_end}, [=] { in_place(line, 0); });
    close(pipe.write_end);
    return [=] { read_for_ever(pipe.read_end); };
}

int connect_from(std::uint16_t own_port, std::uint16_t port) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    own.sin_port = htons(own_port);
    sockaddr_in to = own;
    to.sin_port = htons(port);
    const int fd = check(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    check(bind(fd, reinterpret_cast<sockaddr*>(&own), sizeof own), "bind");
    check(connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), "connect");
    return fd;
}

// In a network namespace of its own, the same connection once more.
void add_impostor(int line, std::uint16_t own_port, std::uint16_t port) {
    spawn("impostor", {line}, [=] {
        enter_new_netns();
        const Listener listener = listen_on(Family::ipv4, port);
        connect_from(own_port, port);  // both ends stay open
        accept_one(listener.fd);
        close(listener.fd);
        in_place(line, 0);
    });
}

Block at_impostor(int line) {
    const Listener silent = listen_on(Family::ipv4);
    const int asking = connect_to(Family::ipv4, silent.port);
    add_impostor(line, local_port_of(asking), silent.port);
    return [=] { read_for_ever(asking); };
}

Block at_twin(int line) {
    const int asking = ask_service("pricing", line, 1, {}, sleep_long);
    sockaddr_in service{};
    socklen_t length = sizeof service;
    check(getpeername(asking, reinterpret_cast<sockaddr*>(&service), &length), "getpeername");
    add_impostor(line, local_port_of(asking), ntohs(service.sin_port));
    return [=] { read_for_ever(asking); };
}

Block block_of(const std::string& mode, int line) {
    if (mode == "services") return at_services(line);
    if (mode == "mixed") return at_mixed(line);
    if (mode == "child-lock") return at_child_lock(line);
    if (mode == "circle") return at_circle(line);
    if (mode == "writers") return at_writers(line);
    if (mode == "impostor") return at_impostor(line);
    if (mode == "twin") return at_twin(line);
    return at_service(line);
}

struct Wait {
    const char* waits_for;
    long call;
};

// The whole chain, the handler first.
std::vector<Wait> chain_of(const std::string& mode) {
    const Wait downstream{"downstream", SYS_read};
    const Wait at_pipe{"pipe", SYS_read};
    const Wait asleep{"sleep", SYS_clock_nanosleep};
    const Wait for_child{"child", SYS_wait4};
    const Wait for_lock{"lock", SYS_futex};
    if (mode == "services") return {downstream, downstream, asleep};
    if (mode == "mixed") return {for_lock, downstream, at_pipe, for_child, asleep};
    if (mode == "child-lock") return {for_child, for_lock};
    if (mode == "circle") return {at_pipe, at_pipe};
    if (mode == "writers") return {at_pipe};
    if (mode == "impostor") return {downstream};
    return {downstream, asleep};
}

// Processes that are there and belong to no chain.
int bystanders_of(const std::string& mode) {
    if (mode == "writers") return 2;
    return mode == "impostor" || mode == "twin" ? 1 : 0;
}

std::size_t others_of(const std::string& mode) {
    return chain_of(mode).size() - 1 + static_cast<std::size_t>(bystanders_of(mode));
}

// Everybody but the handler is in place when this returns.
Block prepare(const std::string& mode, int line) {
    arrivals = make_pipe();
    const Block block = block_of(mode, line);
    char arrival = 0;
    for (std::size_t i = 0; i < others_of(mode); ++i)
        check(static_cast<int>(read(arrivals.read_end, &arrival, 1)), "read");
    return block;
}

int accept_and_read(int listener) {
    const int fd = accept_one(listener);
    char byte = 0;
    check(static_cast<int>(read(fd, &byte, 1)), "read");
    return fd;
}

void serve(const Options& options, int line) {
    const Block block = prepare(options.mode, line);
    serve_until_asleep(options, line, [&] { block(); });
}

// A process of one thread, which the signal wakes from its wait so that it can close.
void serve_alone(const Options& options, int line) {
    struct sigaction wake {};
    wake.sa_handler = [](int) {};
    check(sigaction(SIGUSR1, &wake, nullptr), "sigaction");
    const Block block = prepare(options.mode, line);
    const Listener listener = listen_on(options.family);
    tell(line, note(Say::listening, listener.fd, listener.port));
    const int fd = accept_and_read(listener.fd);
    tell(line, note(Say::accepted, fd));
    block();
    hear(line, Say::close);
    tell(line, close_and_note(fd, options.end));
    hear(line, Say::gone);
}

void serve_crowd(const Options& options, int line) {
    const std::uint16_t elsewhere = hear(line, Say::proceed).port;
    const Listener listener = listen_on(options.family);
    tell(line, note(Say::listening, listener.fd, listener.port));
    int first = -1;
    for (int i = 0; i < handlers_of_a_crowd; ++i) {
        const int fd = accept_one(listener.fd);
        if (first < 0) first = fd;
        std::thread([=] {
            char byte = 0;
            check(static_cast<int>(read(fd, &byte, 1)), "read");
            const int asking = connect_to(Family::ipv4, elsewhere);
            write_all(asking, "question");
            tell(line, note(Say::accepted, fd));
            read_for_ever(asking);
        }).detach();
    }
    idle(line, listener.fd, first, options.end);
}

void judge_crowd(Judge& judge, const Options& options, const Child& child) {
    const Listener elsewhere = listen_on(Family::ipv4);
    tell(child.line, note(Say::proceed, -1, elsewhere.port));
    const std::uint16_t port = judge.listening(child);
    std::vector<int> peers;
    Note first;
    for (int i = 0; i < handlers_of_a_crowd; ++i) {
        peers.push_back(connect_to(options.family, port));
        write_all(peers.back(), "x");
        const Note handler = hear(child.line, Say::accepted);
        wait_until_asleep_in(child.pid, handler.tid, SYS_read);
        if (i == 0) first = handler;
    }
    poll(nullptr, 0, slept_before_fin_ms);
    judge.ready(peers.front());
    for (int i = handlers_of_a_crowd - 1; i > 0; --i)
        check(shutdown(peers[static_cast<std::size_t>(i)], SHUT_WR), "shutdown");
    judge.hang_up_without_wait(peers.front());
    judge.holds(first);
    judge.truth.chain = {{first.pid, first.tid, "downstream"}};
}

void judge_chain(Judge& judge, const Options& options, const Child& child) {
    const std::vector<Wait> waits = chain_of(options.mode);
    judge.truth.chain.resize(waits.size());
    const auto add = [&](std::size_t member, const Note& told) {
        wait_until_asleep_in(told.pid, told.tid, waits[member].call);
        judge.truth.chain[member] = {told.pid, told.tid, waits[member].waits_for};
    };
    for (std::size_t i = 0; i < others_of(options.mode); ++i) {
        const Note told = hear(child.line, Say::pending);
        if (told.fd > 0) add(static_cast<std::size_t>(told.fd), told);
    }
    const int peer = connect_to(options.family, judge.listening(child));
    write_all(peer, "x");
    const Note handler = hear(child.line, Say::accepted);
    add(0, handler);
    poll(nullptr, 0, slept_before_fin_ms);
    judge.hang_up(peer);
    judge.holds(handler);
    judge.truth.circle = options.mode == "circle";
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse(argc, argv,
                                  {"service", "services", "mixed", "child-lock", "circle", "writers",
                                   "impostor", "twin", "third-party"});
    Judge judge(options);
    const bool crowd = options.mode == "third-party";
    const bool alone = options.mode == "circle";
    const Child child = start_child(options.name("chain"), [&](int line) {
        if (crowd) serve_crowd(options, line);
        if (alone) serve_alone(options, line);
        serve(options, line);
    });
    judge.truth.cause = alone ? "deadlock" : "handler-blocked";
    judge.truth.acceptable_untraced = {"abandoned", "unknown"};
    judge.truth.decided_early = true;
    if (crowd)
        judge_crowd(judge, options, child);
    else
        judge_chain(judge, options, child);
    return judge.obey([&] {
        tell(child.line, note(Say::close, -1));
        if (alone) check(kill(child.pid, SIGUSR1), "kill");
        return hear(child.line, Say::closed);
    });
}
