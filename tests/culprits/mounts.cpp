// SPDX-License-Identifier: BSD-2-Clause
#include "mounts.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/fuse.h>
#include <linux/loop.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "culprit.h"

namespace culprit {

namespace {

constexpr std::uint64_t file_size = 4096;
constexpr long image_size = 16 << 20;
constexpr const char* image = "/tmp/image";
constexpr int longest_run_ms = 600'000;

int judges_end = -1;
std::string served;
bool freezable = false;

void run_mkfs() {
    const pid_t pid = check(fork(), "fork");
    if (pid == 0) {
        const int null = open("/dev/null", O_RDWR);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        execlp("mkfs.ext4", "mkfs.ext4", "-q", "-F", "-O", "^has_journal", image, nullptr);
        execl("/sbin/mkfs.ext4", "mkfs.ext4", "-q", "-F", "-O", "^has_journal", image, nullptr);
        _exit(127);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    if (status != 0) {
        errno = ENOENT;
        fail("mkfs.ext4");
    }
}

std::string attach_loop_device() {
    const int control = check(open("/dev/loop-control", O_RDWR | O_CLOEXEC), "/dev/loop-control");
    const std::string device = "/dev/loop" + std::to_string(check(ioctl(control, LOOP_CTL_GET_FREE), "loop"));
    close(control);
    const int loop = check(open(device.c_str(), O_RDWR | O_CLOEXEC), device.c_str());
    const int file = check(open(image, O_RDWR | O_CLOEXEC), image);
    check(ioctl(loop, LOOP_SET_FD, file), "LOOP_SET_FD");
    loop_info64 info{};
    info.lo_flags = LO_FLAGS_AUTOCLEAR;
    check(ioctl(loop, LOOP_SET_STATUS64, &info), "LOOP_SET_STATUS64");
    close(file);
    // Keeps the device until it is mounted; closed with the judge.
    return device;
}

void thaw() {
    const int directory = open(frozen_directory, O_RDONLY | O_CLOEXEC);
    ioctl(directory, FITHAW, 0);
    close(directory);
}

// Twice removed, so that the judge does not wait for it.
void start_guard() {
    std::array<int, 2> ends{};
    check(pipe2(ends.data(), O_CLOEXEC), "pipe");
    const pid_t between = check(fork(), "fork");
    if (between == 0) {
        if (fork() != 0) _exit(0);
        setsid();
        close(ends[1]);
        for (int standard = 0; standard < 3; ++standard) close(standard);
        pollfd judge{ends[0], POLLIN, 0};
        poll(&judge, 1, longest_run_ms);
        thaw();
        _exit(0);
    }
    waitpid(between, nullptr, 0);
    close(ends[0]);  // the other end stays open as long as the judge lives
    check(fcntl(ends[1], F_SETFD, FD_CLOEXEC), "F_SETFD");
    judges_end = ends[1];
}

void reply(std::uint64_t unique, int error, const void* data = nullptr, std::size_t size = 0) {
    std::array<char, 512> message{};
    fuse_out_header header{};
    header.len = static_cast<std::uint32_t>(sizeof header + size);
    header.error = error;
    header.unique = unique;
    std::memcpy(message.data(), &header, sizeof header);
    if (size) std::memcpy(message.data() + sizeof header, data, size);
    if (write(judges_end, message.data(), header.len) < 0 && errno != ENOENT) perror("fuse");
}

void answer(const fuse_in_header& request) {
    switch (request.opcode) {
    case FUSE_INIT: {
        fuse_init_out out{};
        out.major = FUSE_KERNEL_VERSION;
        out.minor = 31;
        out.max_readahead = out.max_write = file_size;
        return reply(request.unique, 0, &out, sizeof out);
    }
    case FUSE_GETATTR: {
        fuse_attr_out out{};
        out.attr_valid = 3600;
        out.attr.ino = request.nodeid;
        out.attr.size = file_size;
        out.attr.mode = S_IFREG | 0644;
        out.attr.nlink = 1;
        return reply(request.unique, 0, &out, sizeof out);
    }
    case FUSE_OPEN: {
        fuse_open_out out{};
        return reply(request.unique, 0, &out, sizeof out);
    }
    case FUSE_READ:
    case FUSE_WRITE:
    case FUSE_FSYNC:
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT: return;
    default: return reply(request.unique, -ENOSYS);
    }
}

void serve_file() {
    std::vector<char> request(FUSE_MIN_READ_BUFFER + file_size);
    for (;;) {
        const ssize_t got = read(judges_end, request.data(), request.size());
        if (got < 0 && (errno == EINTR || errno == ENOENT || errno == EAGAIN)) continue;
        if (got < static_cast<ssize_t>(sizeof(fuse_in_header))) return;  // ENODEV: it is no longer mounted
        fuse_in_header header{};
        std::memcpy(&header, request.data(), sizeof header);
        answer(header);
    }
}

}  // namespace

void enter_private_directory(const std::string& directory) {
    check(unshare(CLONE_NEWNS), "CLONE_NEWNS");
    check(mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "MS_PRIVATE");
    if (mkdir(directory.c_str(), 0755) < 0 && errno != EEXIST) fail(directory.c_str());
    check(mount("culprit", directory.c_str(), "tmpfs", MS_NODEV | MS_NOSUID, "size=64m"), "tmpfs");
}

void mount_freezable() {
    enter_private_directory();
    const int made = check(open(image, O_CREAT | O_RDWR | O_CLOEXEC, 0600), image);
    check(ftruncate(made, image_size), "ftruncate");
    close(made);
    run_mkfs();
    check(mkdir(frozen_directory, 0700), frozen_directory);
    check(mount(attach_loop_device().c_str(), frozen_directory, "ext4", MS_NODEV | MS_NOSUID, nullptr),
          "ext4");
    close(check(open((std::string(frozen_directory) + "/audit.log").c_str(), O_CREAT | O_WRONLY, 0600),
                "open"));
    start_guard();
    freezable = true;
}

void freeze() {
    const int directory = check(open(frozen_directory, O_RDONLY | O_CLOEXEC), frozen_directory);
    check(ioctl(directory, FIFREEZE, 0), "FIFREEZE");
    close(directory);
}

void mount_mute(const std::string& path, const std::string& directory) {
    enter_private_directory(directory);
    close(check(open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600), path.c_str()));
    judges_end = check(open("/dev/fuse", O_RDWR | O_CLOEXEC), "/dev/fuse");
    const std::string options =
        "fd=" + std::to_string(judges_end) + ",rootmode=100644,user_id=0,group_id=0,allow_other";
    check(mount("culprit", path.c_str(), "fuse", MS_NODEV | MS_NOSUID, options.c_str()), "fuse");
    served = path;
}

void answer_in_background() {
    std::thread(serve_file).detach();
}

void leave_file_system_alone() {
    if (judges_end >= 0) close(judges_end);
}

void set_free_at_exit() {
    std::atexit([] {
        if (!served.empty()) umount2(served.c_str(), MNT_FORCE);  // ends every request
        if (freezable) thaw();
    });
}

}  // namespace culprit
