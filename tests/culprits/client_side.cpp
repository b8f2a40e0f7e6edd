// SPDX-License-Identifier: BSD-2-Clause
// The held socket was opened by this side, and the server hung up first.
//   idle-pool  one request answered, then the connection is kept for later; the FIN stays unread
//   read-eof   the next request finds end-of-file; the client drops the connection without closing it
#include "culprit.h"

#include <unistd.h>

using namespace culprit;

namespace {

constexpr std::string_view question = "ping";
constexpr std::string_view answer = "pong";

void expect(int fd, std::string_view text) {
    std::string bytes(text.size(), '\0');
    if (read(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(text.size()) || bytes != text)
        fail("read");
}

void be_client(const Options& options, int line) {
    int fd = connect_to(options.family, hear(line, Say::proceed).port);
    write_all(fd, question);
    expect(fd, answer);
    tell(line, note(Say::accepted, fd));
    if (options.mode == "read-eof") {
        read_to_end(fd);
        tell(line, note(Say::leaked, fd));
    }
    idle(line, -1, fd, options.end);
}

}  // namespace

int main(int argc, char** argv) {
    Options options = parse(argc, argv, {"idle-pool", "read-eof"});
    Judge judge(options);
    Child child = start_child(options.name("client_side"), [&](int line) { be_client(options, line); });
    Listener listener = listen_on(options.family);
    judge.announce(0, listener.port);
    tell(child.line, note(Say::proceed, -1, listener.port));
    int peer = accept_one(listener.fd);
    expect(peer, question);
    write_all(peer, answer);
    judge.holds(hear(child.line, Say::accepted));
    judge.hang_up(peer);
    judge.truth.role = "client";
    judge.truth.accepted = std::nullopt;
    judge.truth.cause = "idle-in-pool";
    if (options.mode == "read-eof") {
        judge.holds(hear(child.line, Say::leaked));
        judge.truth.cause = "eof-ignored";
        judge.truth.acceptable_untraced = {
            "unknown"};  // it sent just before the FIN: a half-open stream may look so
        judge.truth.eof_read = judge.truth.seen_reading = true;
    }
    return judge.obey([&] {
        tell(child.line, note(Say::close));
        return hear(child.line, Say::closed);
    });
}
