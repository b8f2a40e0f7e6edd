// SPDX-License-Identifier: BSD-2-Clause
// The FIN travels in the same segment as the last data, and the reader takes all data in one read.
//   data-only  it never reads again: the program has not seen the zero. The kernel counts the FIN as read all
//   the same
//              (copied_seq passes it together with the data), so a census alone cannot tell this from read
//              end-of-file
//   to-end     it reads once more, gets the zero, and leaks the socket
//   file-lock  no leak: it is at its answer, and waits for a lock on a file that another program holds
#include "culprit.h"

#include <cstdlib>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace culprit;

namespace {

constexpr std::string_view request = "GET /leak HTTP/1.0\r\n\r\n";

/// A file of nobody else's, opened anew by each who locks it.
std::string lock_path() {
    char path[] = "/tmp/waitclose-lock.XXXXXX";
    close(check(mkostemp(path, O_CLOEXEC), "mkostemp"));
    return path;
}

Child hold_lock(const std::string& path) {
    Child owner = start_child("auditor", [&](int line) {
        int fd = check(open(path.c_str(), O_RDWR | O_CLOEXEC), "open");
        check(flock(fd, LOCK_EX), "flock");
        tell(line, note(Say::pending));
        hear(line, Say::close);
        check(flock(fd, LOCK_UN), "flock");
        hear(line, Say::gone);
    });
    hear(owner.line, Say::pending);
    return owner;
}

void answer_under_lock(int line, int lock, int fd) {
    check(flock(lock, LOCK_EX), "flock");
    hear(line, Say::close);
    tell(line, close_and_note(fd));
    hear(line, Say::gone);
}

void serve(const Options& options, const std::string& path, int line) {
    int lock = path.empty() ? -1 : check(open(path.c_str(), O_RDWR | O_CLOEXEC), "open");
    Listener listener = listen_on(options.family);
    tell(line, note(Say::listening, listener.fd, listener.port));
    int fd = accept_one(listener.fd);
    tell(line, note(Say::accepted, fd));
    char bytes[4096];
    if (read(fd, bytes, sizeof bytes) != static_cast<ssize_t>(request.size()))
        fail("read of the whole request");
    if (options.mode == "to-end") read_to_end(fd);
    tell(line, note(Say::leaked, fd));
    if (lock >= 0) answer_under_lock(line, lock, fd);
    idle(line, listener.fd, fd, options.end);
}

}  // namespace

int main(int argc, char** argv) {
    Options options = parse(argc, argv, {"data-only", "to-end", "file-lock"});
    Judge judge(options);
    const std::string path = options.mode == "file-lock" ? lock_path() : "";
    Child owner = path.empty() ? Child{} : hold_lock(path);
    Child child = start_child(options.name("fin_with_data"), [&](int line) { serve(options, path, line); });
    int peer = connect_to(options.family, judge.listening(child));
    if (!path.empty()) unlink(path.c_str());
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
    } else if (options.mode == "file-lock") {
        wait_until_asleep_in(child.pid, leaked.tid, SYS_flock);
        judge.truth.cause = "handler-blocked";
        judge.truth.waits_for = "lock";
        judge.truth.wait_detail = "flock";
        judge.truth.lock_holder = owner.pid;
        judge.truth.acceptable_untraced = {"unknown"};
        judge.truth.eof_read = std::nullopt;
    } else {
        judge.truth.cause = "abandoned";
        judge.truth.acceptable = {"unknown"};
        judge.truth.acceptable_untraced = {"eof-ignored", "unknown"};
        judge.truth.eof_read = std::nullopt;
    }
    return judge.obey([&] {
        if (!path.empty()) tell(owner.line, note(Say::close));
        tell(child.line, note(Say::close, leaked.fd));
        return hear(child.line, Say::closed);
    });
}
