// SPDX-License-Identifier: BSD-2-Clause
// A process that is not allowed to run when the peer hangs up: stopped by SIGSTOP, or frozen.
//   accepted        it had accepted the connection
//   frozen          it had, and its cgroup (version 2) was frozen
//   never-accepted  it had not: the connection is in the queue of a listener nobody can serve
#include "culprit.h"

#include <csignal>
#include <memory>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace culprit;

namespace {

void be_stopped(const Options& options, int line) {
    Listener listener = listen_on(options.family);
    tell(line, note(Say::listening, listener.fd, listener.port));
    int fd = -1;
    if (options.mode != "never-accepted") {
        fd = accept_one(listener.fd);
        tell(line, note(Say::accepted, fd));
    }
    hear(line, Say::close);
    if (fd < 0) fd = accept_one(listener.fd);
    tell(line, close_and_note(fd));
    hear(line, Say::gone);
}

void stop(pid_t pid) {
    int status = 0;
    check(kill(pid, SIGSTOP), "SIGSTOP");
    check(waitpid(pid, &status, WUNTRACED), "waitpid");
    if (!WIFSTOPPED(status)) fail("the child did not stop");
}

// A cgroup of its own for one process, through a mount that nobody else sees. Whatever becomes of the culprit
// and its judge, a process of its own removes it when both have gone.
class Freezer {
public:
    explicit Freezer(pid_t pid) : group_("culprit-" + std::to_string(pid)) {
        const int root = mount_unseen();
        check(mkdirat(root, group_.c_str(), 0755), "mkdir of a cgroup");
        directory_ = check(openat(root, group_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open");
        leave_to_a_cleaner(root);
        put("cgroup.procs", std::to_string(pid));
    }

    void freeze() const {
        put("cgroup.freeze", "1");
        wait_for_event(directory_, "frozen 1");
    }
    void thaw() const { put("cgroup.freeze", "0"); }

private:
    static int mount_unseen() {
        std::string place = "/tmp/culprit-cgroup-XXXXXX";
        if (!mkdtemp(place.data())) fail("mkdtemp");
        check(unshare(CLONE_NEWNS), "unshare(CLONE_NEWNS)");
        check(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "private mounts");
        check(mount("none", place.c_str(), "cgroup2", 0, nullptr), "mount cgroup2");
        const int root = check(open(place.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open");
        check(umount2(place.c_str(), MNT_DETACH), "umount2");
        check(rmdir(place.c_str()), "rmdir");
        return root;
    }

    static void wait_for_event(int directory, std::string_view event) {
        const int events = check(openat(directory, "cgroup.events", O_RDONLY | O_CLOEXEC), "cgroup.events");
        for (char text[256]{}; pread(events, text, sizeof text - 1, 0) > 0;) {
            if (std::string_view(text).find(event) != std::string_view::npos) break;
            pollfd changed{events, POLLPRI, 0};
            check(poll(&changed, 1, -1), "poll");
        }
        close(events);
    }

    void leave_to_a_cleaner(int root) const {
        int judge_lives[2];
        check(pipe2(judge_lives, O_CLOEXEC), "pipe2");
        if (check(fork(), "fork") == 0) {
            check(setsid(), "setsid");
            close_range(0, 2, 0);
            close(judge_lives[1]);
            char nothing = 0;
            while (read(judge_lives[0], &nothing, 1) > 0) continue;
            wait_for_event(directory_, "populated 0");
            unlinkat(root, group_.c_str(), AT_REMOVEDIR);
            _exit(0);
        }
        close(judge_lives[0]);  // the other end closes with the judge
    }

    void put(const char* file, const std::string& text) const {
        const int fd = check(openat(directory_, file, O_WRONLY | O_CLOEXEC), file);
        write_all(fd, text);
        close(fd);
    }

    std::string group_;
    int directory_ = -1;
};

}  // namespace

int main(int argc, char** argv) {
    Options options = parse(argc, argv, {"accepted", "frozen", "never-accepted"});
    Judge judge(options);
    Child child = start_child(options.name("stopped"), [&](int line) { be_stopped(options, line); });
    int peer = connect_to(options.family, judge.listening(child));
    std::unique_ptr<Freezer> freezer;
    if (options.mode != "never-accepted") {
        judge.holds(hear(child.line, Say::accepted));
        judge.truth.cause = "stopped";
    } else {
        judge.truth.pid = child.pid;
        judge.truth.accepted = false;
        judge.truth.cause = "never-accepted";
        judge.truth.acceptable = {"stopped"};
    }
    judge.ready(peer);
    if (options.mode == "frozen") {
        freezer = std::make_unique<Freezer>(child.pid);
        freezer->freeze();
    } else {
        stop(child.pid);
    }
    judge.hang_up_without_wait(peer);
    return judge.obey([&] {
        if (freezer)
            freezer->thaw();
        else
            check(kill(child.pid, SIGCONT), "SIGCONT");
        tell(child.line, note(Say::close));
        return hear(child.line, Say::closed);
    });
}
