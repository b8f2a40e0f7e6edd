// SPDX-License-Identifier: BSD-2-Clause
// A server with one epoll loop, which has the connection registered, reads its request and then
//   edge          is told of the hang-up once, edge-triggered, and does not look
//   nested        the same, but its epoll is watched by another one, in which the loop sleeps
//   one-shot      is told of the request and never arms the registration again
//   out-only      asks for room to write only, which no hang-up raises
//   deleted       takes the connection out of the epoll and forgets it
//   asleep        sleeps for an hour, while the epoll has the hang-up ready
//   back-pressure is a proxy that reads no more until its other side takes what it has sent: a decoy
//   paused        reads no more for half a second, then reads to the end and closes: a decoy
//   healthy       is told of the hang-up and closes: a decoy
#include "culprit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace culprit;

namespace {

constexpr unsigned an_hour = 3600;
constexpr int pause_ms = 500;  // the scenario, not a synchronisation

void control(int epoll, int operation, int fd, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    check(epoll_ctl(epoll, operation, fd, &event), "epoll_ctl");
}

std::uint32_t first_events(const std::string& mode) {
    if (mode == "edge" || mode == "nested") return EPOLLIN | EPOLLRDHUP | EPOLLET;
    return mode == "one-shot" ? EPOLLIN | EPOLLONESHOT : EPOLLIN;
}

void read_request(int fd) {
    char byte = 0;
    if (read(fd, &byte, 1) != 1) fail("request");
}

class Loop {
public:
    Loop(const Options& options, int line) : options_(options), line_(line) {
        if (options.mode == "nested") {
            outer_ = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
            control(outer_, EPOLL_CTL_ADD, epoll_, EPOLLIN);
        }
        control(outer_ < 0 ? epoll_ : outer_, EPOLL_CTL_ADD, line, EPOLLIN);
    }

    void run() {
        const Listener listener = listen_on(options_.family);
        tell(line_, note(Say::listening, listener.fd, listener.port));
        fd_ = accept_one(listener.fd);
        if (options_.mode == "back-pressure")
            service_ = connect_to(options_.family, hear(line_, Say::proceed).port);
        control(epoll_, EPOLL_CTL_ADD, fd_, first_events(options_.mode));
        while (!closed_) {
            epoll_event event{};
            const int patience = resumes_ ? pause_ms : -1;
            if (check(epoll_wait(outer_ < 0 ? epoll_ : outer_, &event, 1, patience), "epoll_wait") == 0)
                finish();
            else if (event.data.fd == line_)
                obey();
            else if (event.data.fd != epoll_ || epoll_wait(epoll_, &event, 1, 0) == 1)
                handle(event.events);
        }
        hear(line_, Say::gone);
    }

private:
    void handle(std::uint32_t events) {
        if (!requested_) {
            requested_ = true;
            read_request(fd_);
            after_request();
        } else if (events & EPOLLRDHUP && options_.mode != "healthy") {
            tell(line_, note(Say::pending, fd_));  // and that is all
        } else if (options_.mode == "healthy") {
            finish();
        }
    }

    void after_request() {
        const std::string& mode = options_.mode;
        if (mode == "out-only") control(epoll_, EPOLL_CTL_MOD, fd_, EPOLLOUT | EPOLLET);
        if (mode == "deleted" || mode == "paused") control(epoll_, EPOLL_CTL_DEL, fd_, 0);
        if (mode == "back-pressure") send_until_full();
        resumes_ = mode == "paused";
        tell(line_, note(Say::accepted, fd_));
        if (mode == "asleep")
            for (;;) sleep(an_hour);
    }

    // To a service that takes nothing; the judge plays it.
    void send_until_full() {
        control(epoll_, EPOLL_CTL_DEL, fd_, 0);
        check(fcntl(service_, F_SETFL, O_NONBLOCK), "O_NONBLOCK");
        const std::string bytes(1 << 16, 'p');
        while (write(service_, bytes.data(), bytes.size()) > 0) {
        }
        control(epoll_, EPOLL_CTL_ADD, service_, EPOLLOUT);
    }

    void finish() {
        read_to_end(fd_);
        tell(line_, close_and_note(fd_));
        closed_ = true;
    }

    void obey() {
        hear(line_, Say::close);
        tell(line_, close_and_note(fd_, options_.end));
        closed_ = true;
    }

    const Options& options_;
    int line_;
    int epoll_ = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    int outer_ = -1;
    int fd_ = -1;
    int service_ = -1;
    bool requested_ = false;
    bool resumes_ = false;
    bool closed_ = false;
};

bool is_told(const std::string& mode) {
    return mode == "edge" || mode == "nested";
}

std::string cause_of(const std::string& mode) {
    if (mode == "deleted") return "abandoned";
    if (mode == "asleep") return "handler-blocked";
    return mode == "back-pressure" ? "unknown" : "unwatched-event";
}

// Nothing more comes from one that sleeps: its end is the end of the process.
Note end(const Child& child, const std::string& mode) {
    if (mode == "asleep") {
        Note killed;
        killed.pid = killed.tid = child.pid;
        killed.before_ns = boot_ns();
        check(kill(child.pid, SIGKILL), "kill");
        return killed;
    }
    tell(child.line, note(Say::close));
    return hear(child.line, Say::closed);
}

int close_themselves(Judge& judge, const Child& child) {
    const Note closed = hear(child.line, Say::closed);
    judge.truth.cause = "none";
    judge.truth.held = false;
    judge.truth.holders.clear();
    return judge.rest(closed);
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse(argc, argv,
                                  {"edge", "nested", "one-shot", "out-only", "deleted", "asleep",
                                   "back-pressure", "paused", "healthy"});
    Judge judge(options);
    const Child child = start_child(options.name("event_loop"), [&](int line) { Loop(options, line).run(); });
    const int peer = connect_to(options.family, judge.listening(child));
    const Listener service = listen_on(options.family);
    if (options.mode == "back-pressure") tell(child.line, note(Say::proceed, -1, service.port));
    write_all(peer, "x");
    judge.holds(hear(child.line, Say::accepted));
    if (options.mode == "asleep") wait_until_asleep_in(child.pid, child.pid, SYS_clock_nanosleep);
    judge.hang_up(peer);
    if (options.mode == "paused" || options.mode == "healthy") return close_themselves(judge, child);
    if (is_told(options.mode)) hear(child.line, Say::pending);
    judge.truth.cause = cause_of(options.mode);
    judge.truth.decided_early = options.mode == "asleep";
    judge.truth.acceptable_untraced = {"unknown"};
    return judge.obey([&] { return end(child, options.mode); });
}
