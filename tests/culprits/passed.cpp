// SPDX-License-Identifier: BSD-2-Clause
// One process accepts and sends the descriptor over a UNIX socket (SCM_RIGHTS); it closes its own copy.
//   leaked     the receiver reads end-of-file and leaks it
//   in-flight  nobody receives the message: the reference is in no descriptor table, but it was accepted
//   handed-on  the FIN comes while the first one has it; the command `close` makes it pass it on and exit.
//   Nobody
//              closes it then
#include "culprit.h"

#include <cstring>

#include <sys/socket.h>
#include <unistd.h>

using namespace culprit;

namespace {

struct RightsMessage {
    char byte = 'f';
    iovec data{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr header{};

    RightsMessage() {
        header.msg_iov = &data;
        header.msg_iovlen = 1;
        header.msg_control = control;
        header.msg_controllen = sizeof control;
    }
};

void send_fd(int channel, int fd) {
    RightsMessage message;
    cmsghdr* rights = CMSG_FIRSTHDR(&message.header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
    if (sendmsg(channel, &message.header, 0) != 1) fail("sendmsg");
}

int receive_fd(int channel) {
    RightsMessage message;
    if (recvmsg(channel, &message.header, MSG_CMSG_CLOEXEC) != 1) fail("recvmsg");
    cmsghdr* rights = CMSG_FIRSTHDR(&message.header);
    if (!rights || rights->cmsg_type != SCM_RIGHTS) fail("no descriptor in the message");
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(rights), sizeof fd);
    return fd;
}

void accept_and_pass(const Options& options, int channel, int line) {
    Listener listener = listen_on(options.family);
    tell(line, note(Say::listening, listener.fd, listener.port));
    int fd = accept_one(listener.fd);
    if (options.mode == "handed-on") {
        tell(line, note(Say::accepted, fd));
        hear(line, Say::proceed);
        return send_fd(channel, fd);
    }
    send_fd(channel, fd);
    close(channel);
    close(fd);
    tell(line, note(Say::accepted));
    hear(line, Say::gone);
}

void receive_and_leak(const Options& options, int channel, int line) {
    int fd = -1;
    if (options.mode == "leaked") {
        fd = receive_fd(channel);
        tell(line, note(Say::accepted, fd));
        read_to_end(fd);
        tell(line, note(Say::leaked, fd));
        idle(line, -1, fd, options.end);
    }
    if (options.mode == "handed-on") {
        tell(line, note(Say::pending, receive_fd(channel)));
        hear(line, Say::gone);
    }
    hear(line, Say::close);
    tell(line, close_and_note(receive_fd(channel)));
    hear(line, Say::gone);
}

}  // namespace

int main(int argc, char** argv) {
    Options options = parse(argc, argv, {"leaked", "in-flight", "handed-on"});
    Judge judge(options);
    int channel[2];
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel), "socketpair");
    Child sender = start_child(options.name("sender"), [&](int line) {
        close(channel[1]);
        accept_and_pass(options, channel[0], line);
    });
    close(channel[0]);
    Child receiver =
        start_child(options.name("receiver"), [&](int line) { receive_and_leak(options, channel[1], line); });
    close(channel[1]);
    int peer = connect_to(options.family, judge.listening(sender));
    const Note first = hear(sender.line, Say::accepted);
    if (options.mode == "handed-on") {
        judge.hang_up(peer);
        judge.holds(first);
        judge.truth.cause = "abandoned";
        return judge.obey([&] {
            tell(sender.line, note(Say::proceed));
            wait_for_exit(sender.pid);
            Note second = hear(receiver.line, Say::pending);
            second.before_ns = second.after_ns = boot_ns();
            return second;
        });
    }
    if (options.mode == "leaked") {
        hear(receiver.line, Say::accepted);
        judge.hang_up(peer);
        judge.holds(hear(receiver.line, Say::leaked));
        judge.truth.cause = "eof-ignored";
        judge.truth.eof_read = judge.truth.seen_reading = true;
    } else {
        judge.hang_up(peer);
        judge.truth.cause = "in-flight-fd";
        judge.truth.acceptable = {"unknown"};
    }
    return judge.obey([&] {
        tell(receiver.line, note(Say::close));
        return hear(receiver.line, Say::closed);
    });
}
