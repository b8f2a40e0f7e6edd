// SPDX-License-Identifier: BSD-2-Clause
// A handler reads the request and then sleeps inside the kernel, where a program has no say:
//   disk-frozen  write() to a file of a file system that is frozen (uninterruptible)
//   disk-mute    write() to a file of a file system that does not answer (FUSE)
//   fault        touches memory whose page nobody provides (userfaultfd): in no system call at all
//   fault-read   read() from a pipe that has data, into such memory
//   fault-file   touches a mapped file of the file system that does not answer
//   file-lock    flock() on a file that another process holds
//   other        connect() to a UNIX socket whose queue is full
//   condition    waits for a condition variable, as an idle worker does: no handler that is blocked
#include "culprit.h"
#include "mounts.h"

#include <array>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

using namespace culprit;

namespace {

// A peer loses patience some time after the handler fell asleep, not in the same instant.
constexpr std::int64_t asleep_before_ns = 5'000'000;

constexpr std::size_t page = 4096;
const std::string log_path = std::string(private_directory) + "/audit.log";
const std::string frozen_path = std::string(frozen_directory) + "/audit.log";

// A page that is not there, and that nobody will provide.
char* missing_page() {
    void* memory = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fail("mmap");
    const int fd = check(static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC)), "userfaultfd");
    uffdio_api api{.api = UFFD_API, .features = 0, .ioctls = 0};
    check(ioctl(fd, UFFDIO_API, &api), "UFFDIO_API");
    uffdio_register all{};
    all.range = {reinterpret_cast<std::uintptr_t>(memory), page};
    all.mode = UFFDIO_REGISTER_MODE_MISSING;
    check(ioctl(fd, UFFDIO_REGISTER, &all), "UFFDIO_REGISTER");
    return static_cast<char*>(memory);
}

void touch(const volatile char* memory) {
    static_cast<void>(*memory);
}

void read_into_missing_page() {
    std::array<int, 2> ends{};
    check(pipe(ends.data()), "pipe");
    write_all(ends[1], "data");
    check(static_cast<int>(read(ends[0], missing_page(), 4)), "read");
}

void touch_mapped_file() {
    const int file = check(open(log_path.c_str(), O_RDWR | O_CLOEXEC), "open");
    struct stat status {};
    check(fstat(file, &status), "fstat");  // the kernel asks for its size
    void* memory = mmap(nullptr, page, PROT_READ, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) fail("mmap");
    touch(static_cast<const char*>(memory));
}

void write_log(const std::string& path) {
    const int file = check(open(path.c_str(), O_RDWR | O_CLOEXEC), "open");
    if (path == frozen_path) freeze();
    write_all(file, "a line");
}

void connect_to_full_queue() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socklen_t length = sizeof(sa_family_t);  // the kernel chooses an abstract name
    const int listener = check(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    check(bind(listener, reinterpret_cast<sockaddr*>(&address), length), "bind");
    check(listen(listener, 0), "listen");
    length = sizeof address;
    check(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length), "getsockname");
    for (int type = SOCK_STREAM | SOCK_NONBLOCK;;) {
        const int client = check(socket(AF_UNIX, type | SOCK_CLOEXEC, 0), "socket");
        if (connect(client, reinterpret_cast<sockaddr*>(&address), length) < 0) type = SOCK_STREAM;
    }
}

void wait_for_lock_of(const std::string& path) {
    check(flock(check(open(path.c_str(), O_RDWR | O_CLOEXEC), "open"), LOCK_EX), "flock");
}

void wait_for_condition() {
    static std::mutex mutex;
    static std::condition_variable never;
    std::unique_lock held(mutex);
    for (;;) never.wait(held);
}

void block(const std::string& mode) {
    if (mode == "disk-frozen") write_log(frozen_path);
    if (mode == "disk-mute") write_log(log_path);
    if (mode == "fault") touch(missing_page());
    if (mode == "fault-read") read_into_missing_page();
    if (mode == "fault-file") touch_mapped_file();
    if (mode == "file-lock") wait_for_lock_of(log_path);
    if (mode == "other") connect_to_full_queue();
    if (mode == "condition") wait_for_condition();
}

struct Expected {
    long call;  // -1: none
    const char* waits_for;
    std::string detail;  // what must be in it
};

Expected expected_of(const std::string& mode) {
    if (mode == "disk-frozen") return {SYS_write, "disk", frozen_path};
    if (mode == "disk-mute") return {SYS_write, "disk", log_path};
    if (mode == "fault") return {-1, "memory", "page fault"};
    if (mode == "fault-read") return {SYS_read, "memory", "page fault"};
    if (mode == "fault-file") return {-1, "memory", "mapped file"};
    if (mode == "file-lock") return {SYS_flock, "lock", log_path};
    if (mode == "other") return {SYS_connect, "other", "unix_wait_for_peer"};
    return {SYS_futex, "", ""};
}

void serve(const Options& options, int line) {
    leave_file_system_alone();
    serve_until_asleep(options, line, [&] { block(options.mode); });
}

// Another process that takes the lock, says so, and keeps it.
pid_t hold_lock() {
    enter_private_directory();
    const int made = check(open(log_path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600), "open");
    const Child owner = start_child("auditor", [](int line) {
        check(flock(check(open(log_path.c_str(), O_RDWR | O_CLOEXEC), "open"), LOCK_EX), "flock");
        tell(line, note(Say::pending));
        hear(line, Say::close);
    });
    hear(owner.line, Say::pending);
    close(made);
    return owner.pid;
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse(
        argc, argv,
        {"disk-frozen", "disk-mute", "fault", "fault-read", "fault-file", "file-lock", "other", "condition"});
    if (options.mode == "disk-frozen") mount_freezable();
    const bool mute = options.mode == "disk-mute" || options.mode == "fault-file";
    if (mute) mount_mute(log_path);
    Judge judge(options);
    if (options.mode == "file-lock") judge.truth.lock_holder = hold_lock();
    const Child child = start_child(options.name("stuck"), [&](int line) { serve(options, line); });
    set_free_at_exit();
    if (mute) answer_in_background();
    const Expected expected = expected_of(options.mode);
    const int peer = connect_to(options.family, judge.listening(child));
    write_all(peer, "x");
    const Note handler = hear(child.line, Say::accepted);
    wait_until_asleep_in(child.pid, handler.tid, expected.call);
    let_pass(asleep_before_ns);
    judge.hang_up(peer);
    judge.holds(handler);
    judge.truth.cause = options.mode == "condition" ? "abandoned" : "handler-blocked";
    if (options.mode == "condition") judge.truth.acceptable = {"unknown"};
    judge.truth.waits_for = expected.waits_for;
    judge.truth.wait_detail = expected.detail;
    judge.truth.acceptable_untraced = {"abandoned", "unknown"};
    judge.truth.decided_early = true;
    return judge.obey([&] {
        tell(child.line, note(Say::close, handler.fd));
        return hear(child.line, Say::closed);
    });
}
