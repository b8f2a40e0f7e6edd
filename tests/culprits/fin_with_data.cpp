// SPDX-License-Identifier: BSD-2-Clause
// The FIN travels in the same segment as the last data, and the reader takes all data in one read.
//   data-only  it never reads again: the program has not seen the zero. The kernel counts the FIN as read all
//   the same
//              (copied_seq passes it together with the data), so a census alone cannot tell this from read
//              end-of-file
//   to-end     it reads once more, gets the zero, and leaks the socket
#include "culprit.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace culprit;

namespace {

constexpr std::string_view request = "GET /leak HTTP/1.0\r\n\r\n";

void serve(const Options& options, int line) {
    Listener listener = listen_on(options.family);
    tell(line, note(Say::listening, listener.fd, listener.port));
    int fd = accept_one(listener.fd);
    tell(line, note(Say::accepted, fd));
    char bytes[4096];
    if (read(fd, bytes, sizeof bytes) != static_cast<ssize_t>(request.size()))
        fail("read of the whole request");
    if (options.mode == "to-end") read_to_end(fd);
    tell(line, note(Say::leaked, fd));
    idle(line, listener.fd, fd, options.end);
}

}  // namespace

int main(int argc, char** argv) {
    Options options = parse(argc, argv, {"data-only", "to-end"});
    Judge judge(options);
    Child child = start_child(options.name("fin_with_data"), [&](int line) { serve(options, line); });
    int peer = connect_to(options.family, judge.listening(child));
    hear(child.line, Say::accepted);
    judge.ready(peer);
    int on = 1;
    check(setsockopt(peer, IPPROTO_TCP, TCP_CORK, &on, sizeof on),
          "TCP_CORK");  // keeps the data back for the FIN
    write_all(peer, request);
    judge.hang_up_without_wait(peer);
    Note leaked = hear(child.line, Say::leaked);
    judge.holds(leaked);
    if (options.mode == "to-end") {
        judge.truth.cause = "eof-ignored";
        judge.truth.eof_read = judge.truth.seen_reading = true;
    } else {
        judge.truth.cause = "abandoned";
        judge.truth.acceptable = {"unknown"};
        judge.truth.acceptable_untraced = {"eof-ignored", "unknown"};
        judge.truth.eof_read = std::nullopt;
    }
    return judge.obey([&] {
        tell(child.line, note(Say::close, leaked.fd));
        return hear(child.line, Say::closed);
    });
}
