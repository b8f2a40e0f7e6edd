// SPDX-License-Identifier: BSD-2-Clause
// A server that works through an io_uring.
//   registered  the connection is a registered file of the ring, and its descriptor is closed: nothing but
//   the
//               ring refers to it
//   polled      the ring polls it (multishot), and the program never looks at what the ring has to say
// Exits with 77 where io_uring is missing or forbidden.
#include "culprit.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <linux/io_uring.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace culprit;

namespace {

constexpr int skipped = 77;
constexpr unsigned entries = 4;

int set_up(io_uring_params& parameters) {
    return static_cast<int>(syscall(SYS_io_uring_setup, entries, &parameters));
}

bool has_rings() {
    io_uring_params parameters{};
    const int ring = set_up(parameters);
    if (ring < 0) return false;
    close(ring);
    return true;
}

void register_files(int ring, unsigned operation, const int* fds, unsigned count) {
    check(static_cast<int>(syscall(SYS_io_uring_register, ring, operation, fds, count)), "io_uring_register");
}

std::byte* map(int ring, std::size_t size, std::uint64_t offset) {
    void* mapped = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring,
                        static_cast<off_t>(offset));
    if (mapped == MAP_FAILED) fail("mmap");
    return static_cast<std::byte*>(mapped);
}

// Submits the ring's first request.
void poll_for_ever(int ring, const io_uring_params& parameters, int fd) {
    const std::size_t size = parameters.sq_off.array + parameters.sq_entries * sizeof(std::uint32_t);
    std::byte* queue = map(ring, size, IORING_OFF_SQ_RING);
    auto* requests = reinterpret_cast<io_uring_sqe*>(
        map(ring, parameters.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES));
    std::memset(requests, 0, sizeof *requests);
    requests->opcode = IORING_OP_POLL_ADD;
    requests->fd = fd;
    requests->poll32_events = POLLIN;
    requests->len = IORING_POLL_ADD_MULTI;
    *reinterpret_cast<std::uint32_t*>(queue + parameters.sq_off.array) = 0;
    __atomic_store_n(reinterpret_cast<std::uint32_t*>(queue + parameters.sq_off.tail), 1, __ATOMIC_RELEASE);
    check(static_cast<int>(syscall(SYS_io_uring_enter, ring, 1, 0, 0, nullptr, 0)) - 1, "io_uring_enter");
}

void serve(const Options& options, int line) {
    io_uring_params parameters{};
    const int ring = check(set_up(parameters), "io_uring_setup");
    const Listener listener = listen_on(options.family);
    tell(line, note(Say::listening, listener.fd, listener.port));
    const int fd = accept_one(listener.fd);
    if (options.mode == "polled") {
        poll_for_ever(ring, parameters, fd);
        tell(line, note(Say::accepted, fd));
        idle(line, listener.fd, fd, options.end);
    }
    register_files(ring, IORING_REGISTER_FILES, &fd, 1);
    close(fd);
    tell(line, note(Say::accepted));
    hear(line, Say::close);
    Note closed = note(Say::closed);
    closed.before_ns = boot_ns();
    register_files(ring, IORING_UNREGISTER_FILES, nullptr, 0);
    closed.after_ns = boot_ns();
    tell(line, closed);
    hear(line, Say::gone);
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse(argc, argv, {"registered", "polled"});
    if (!has_rings()) {
        std::perror("culprit: io_uring");
        return skipped;
    }
    Judge judge(options);
    const Child child = start_child(options.name("ring"), [&](int line) { serve(options, line); });
    const int peer = connect_to(options.family, judge.listening(child));
    const Note accepted = hear(child.line, Say::accepted);
    judge.hang_up(peer);
    judge.truth.cause = options.mode == "polled" ? "unknown" : "in-flight-fd";
    if (options.mode == "polled") judge.holds(accepted);
    return judge.obey([&] {
        tell(child.line, note(Say::close));
        return hear(child.line, Say::closed);
    });
}
