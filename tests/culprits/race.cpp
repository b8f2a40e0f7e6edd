// SPDX-License-Identifier: BSD-2-Clause
// Processes and threads that never stand still, for a test that looks at them again and again: they accept
// connections, read some of them, put other descriptors in their place, pass them on, fork, exec, and die;
// the next process gets the process id of the last one, the next thread its thread id. What each of them held
// and did is in the ledger (race.h). Run with: race LEDGER SEED. Prints {"port", "pid"}; prints "done" and
// ends when its stdin does.
#include "race.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "culprit.h"

using namespace culprit;
using race::Entry;
using race::Kind;
using race::Ledger;

namespace {

constexpr int listener_fd = 900;
constexpr int give_fd = 901;  // a queue of descriptors on their way, open in every process
constexpr int take_fd = 902;
constexpr std::size_t workers_at_once = 6;
constexpr std::size_t peers_at_once = 60;
constexpr std::size_t held_at_once = 12;

Ledger* ledger = nullptr;
std::mt19937 dice;

bool chance(unsigned percent) {
    return dice() % 100 < percent;
}

int up_to(int most) {
    return static_cast<int>(dice() % static_cast<unsigned>(most)) + 1;
}

Ledger* map_ledger(const char* path) {
    const int fd = check(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), path);
    check(ftruncate(fd, sizeof(Ledger)), "ftruncate");
    void* mapped = mmap(nullptr, sizeof(Ledger), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED) fail("mmap");
    close(fd);
    return static_cast<Ledger*>(mapped);
}

Entry& write_down(Entry entry) {
    const std::uint32_t number = ledger->entries.fetch_add(1);
    if (number >= Ledger::most_entries) std::exit(3);
    entry.known = 1;
    return ledger->entry[number] = entry;
}

std::uint32_t new_process(std::uint32_t parent) {
    const std::uint32_t number = ledger->processes.fetch_add(1);
    if (number >= Ledger::most_processes) std::exit(3);
    ledger->process[number].parent = parent;
    ledger->process[number].begin_ns = boot_ns();
    return number;
}

std::string name_of(std::uint32_t process, std::uint32_t thread) {
    return "r" + std::to_string(process) + "." + std::to_string(thread);
}

// fork(), under a process id that has just been given back; under any other when somebody else has it
// already.
pid_t fork_as(pid_t wanted) {
    clone_args arguments{};
    arguments.exit_signal = SIGCHLD;
    arguments.set_tid = reinterpret_cast<std::uint64_t>(&wanted);
    arguments.set_tid_size = 1;
    const auto pid = wanted > 0 ? static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof arguments)) : -1;
    if (pid > 0) ++ledger->reused_pids;
    return pid >= 0 ? pid : check(fork(), "fork");
}

// --- a worker ---

class Worker {
public:
    explicit Worker(std::uint32_t number) : number_(number) {}

    [[noreturn]] void work() {
        for (;;) {
            pid_t last = 0;
            std::uint32_t thread = 1;
            const int threads = up_to(4);
            for (int i = 0; i < threads; ++i) last = live_and_die(thread++, last);
            const std::scoped_lock lock(mutex_);
            end();
        }
    }

private:
    struct Held {
        std::uint32_t port;
        Entry* entry;
    };

    // One thread after the other, with the same thread id where that can be had.
    pid_t live_and_die(std::uint32_t thread, pid_t wanted) {
        Entry& entry = write_down({Kind::thread, number_, thread, 0, 0, 0, boot_ns(), 0});
        if (wanted > 0) std::ofstream("/proc/sys/kernel/ns_last_pid") << wanted - 1;
        std::thread([&] {
            entry.number = gettid();
            set_comm(name_of(number_, thread));
            const int steps = up_to(30);
            for (int i = 0; i < steps; ++i) step(thread);
        }).join();
        entry.end_ns = boot_ns();
        if (entry.number == wanted) ++ledger->reused_tids;
        return entry.number;
    }

    // The lock is held while anything changes hands, so that nobody dies with something that is not written
    // down.
    void step(std::uint32_t thread) {
        {
            const std::scoped_lock lock(mutex_);
            switch (up_to(8)) {
            case 1:
            case 2: accept_some(thread); break;
            case 3:
            case 4: read_one(thread); break;
            case 5: close_one(); break;
            case 6: put_in_place(); break;
            case 7: chance(50) ? pass_one() : take_one(); break;
            default:
                if (chance(20)) fork_holder();
                if (chance(5)) end();
            }
        }
        poll(nullptr, 0, up_to(4));
    }

    void hold(int fd, std::uint32_t port, std::int64_t since) {
        held_[fd] = {port, &write_down({Kind::held, number_, 0, port, fd, 0, since, 0})};
    }

    void let_go(int fd) {
        held_.at(fd).entry->end_ns = boot_ns();
        held_.erase(fd);
    }

    std::map<int, Held>::iterator any() {
        return std::next(held_.begin(), static_cast<std::ptrdiff_t>(dice() % held_.size()));
    }

    static std::uint32_t peer_port(int fd) {
        sockaddr_in address{};
        socklen_t length = sizeof address;
        if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &length) < 0) return 0;
        return ntohs(address.sin_port);
    }

    void accept_some(std::uint32_t thread) {
        for (int i = 0; i < 3 && held_.size() < held_at_once; ++i) {
            const std::int64_t before = boot_ns();
            sockaddr_in address{};
            socklen_t length = sizeof address;
            const int fd =
                accept4(listener_fd, reinterpret_cast<sockaddr*>(&address), &length, SOCK_NONBLOCK);
            if (fd < 0) return;
            const std::uint32_t port = ntohs(address.sin_port);
            hold(fd, port, before);
            write_down({Kind::accepted, number_, thread, port, fd, 0, before, boot_ns()});
        }
    }

    void read_one(std::uint32_t thread) {
        if (held_.empty()) return;
        const auto& [fd, held] = *any();
        char bytes[64];
        const std::int64_t before = boot_ns();
        const ssize_t got = read(fd, bytes, sizeof bytes);
        if (got >= 0)
            write_down({got == 0 ? Kind::read_eof : Kind::read, number_, thread, held.port, fd, 0, before,
                        boot_ns()});
    }

    void close_one() {
        if (held_.empty()) return;
        const int fd = any()->first;
        close(fd);
        let_go(fd);
    }

    // The same number is another connection from one moment to the next.
    void put_in_place() {
        if (held_.size() < 2) return;
        const auto [fd, held] = *any();
        const int place = any()->first;
        if (place == fd) return;
        const std::int64_t before = boot_ns();
        check(dup2(fd, place), "dup2");
        let_go(place);
        hold(place, held.port, before);
    }

    void pass_one() {
        if (held_.empty()) return;
        const int fd = any()->first;
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
        char byte = 'f';
        iovec data{&byte, 1};
        msghdr message{nullptr, 0, &data, 1, control, sizeof control, 0};
        cmsghdr* rights = CMSG_FIRSTHDR(&message);
        *rights = {CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS};
        std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
        if (sendmsg(give_fd, &message, MSG_DONTWAIT) != 1) return;
        close(fd);
        let_go(fd);
        ++ledger->passed;
    }

    void take_one() {
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
        char byte = 0;
        iovec data{&byte, 1};
        msghdr message{nullptr, 0, &data, 1, control, sizeof control, 0};
        const std::int64_t before = boot_ns();
        if (recvmsg(take_fd, &message, MSG_DONTWAIT) != 1) return;
        int fd = -1;
        const cmsghdr* rights = CMSG_FIRSTHDR(&message);
        if (!rights) return;
        std::memcpy(&fd, CMSG_DATA(rights), sizeof fd);
        const std::uint32_t port = peer_port(fd);
        if (port == 0)
            close(fd);  // reset by its peer: no hold any more
        else
            hold(fd, port, before);
    }

    // A child that has everything, too, and does nothing with it.
    void fork_holder() {
        const std::uint32_t child = new_process(number_);
        for (const auto& [fd, held] : held_)
            write_down({Kind::held, child, 0, held.port, fd, 0, ledger->process[child].begin_ns, 0});
        const int life_ms = up_to(60);
        const pid_t pid = check(fork(), "fork");
        ledger->process[child].pid = pid > 0 ? pid : getpid();
        if (pid > 0) {
            ++ledger->forks;
            return;
        }
        set_comm(name_of(child, 0));
        poll(nullptr, 0, life_ms);
        _exit(0);
    }

    [[noreturn]] void end() const {
        if (chance(30)) {
            ++ledger->execs;
            execl("/proc/self/exe", "race", "--after-exec", nullptr);
        }
        if (chance(50)) kill(getpid(), SIGKILL);
        _exit(0);
    }

    std::uint32_t number_;
    std::mutex mutex_;
    std::map<int, Held> held_;
};

// --- the judge: it starts the workers, and is the peer of every connection ---

struct Peer {
    int fd;
    std::int64_t hangs_up_ns, closes_ns;
    bool hung_up = false;
};

class Founder {
public:
    Founder(std::uint16_t port, unsigned seed) : port_(port), seed_(seed) {}

    void play_until_stdin_ends() {
        pollfd input{STDIN_FILENO, POLLIN, 0};
        while (poll(&input, 1, 1) == 0) {
            while (running_.size() < workers_at_once) start_worker();
            reap(WNOHANG);
            move_peers();
        }
        for (const auto& [pid, number] : running_) kill(pid, SIGKILL);
        while (reap(0)) {
        }
    }

private:
    void start_worker() {
        const std::uint32_t number = new_process(0);
        const pid_t founder = getpid();
        const pid_t pid = fork_as(std::exchange(given_back_, 0));
        ledger->process[number].pid = pid > 0 ? pid : getpid();
        if (pid > 0) {
            running_[pid] = number;
            return;
        }
        die_with_parent(founder);
        set_comm(name_of(number, 0));
        close_range(3, listener_fd - 1, 0);
        dice.seed(seed_ + number);
        Worker(number).work();
    }

    // Grandchildren come to us when their parent has gone.
    bool reap(int options) {
        for (;;) {
            const pid_t pid = waitpid(-1, nullptr, options);
            if (pid <= 0) return pid == 0;
            if (running_.erase(pid) > 0 && chance(80)) given_back_ = pid;
            for (std::uint32_t number = ledger->processes; number-- > 1;) {
                race::Process& process = ledger->process[number];
                if (process.pid != pid || process.end_ns != 0) continue;
                process.end_ns = boot_ns();
                break;
            }
        }
    }

    void move_peers() {
        const std::int64_t now = boot_ns();
        if (peers_.size() < peers_at_once) {
            const int fd = connect_to(Family::ipv4, port_);
            if (chance(50)) write_all(fd, "hello");
            const std::int64_t hangs_up = now + up_to(20) * 1'000'000LL;
            peers_.push_back({fd, hangs_up, hangs_up + up_to(1000) * 1'000'000LL});
            ++ledger->connections;
        }
        for (Peer& peer : peers_)
            if (!peer.hung_up && peer.hangs_up_ns < now) {
                shutdown(peer.fd, SHUT_WR);
                peer.hung_up = true;
            }
        std::erase_if(peers_, [&](const Peer& peer) { return peer.closes_ns < now && close(peer.fd) == 0; });
    }

    std::uint16_t port_;
    unsigned seed_;
    pid_t given_back_ = 0;
    std::map<pid_t, std::uint32_t> running_;
    std::vector<Peer> peers_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2) {  // the same process as before, with all it held, as another program
        poll(nullptr, 0, static_cast<int>(getpid() % 40));
        return 0;
    }
    if (argc != 3) fail("usage: race LEDGER SEED");
    ledger = map_ledger(argv[1]);
    const auto seed = static_cast<unsigned>(std::atoi(argv[2]));
    dice.seed(seed);
    check(prctl(PR_SET_CHILD_SUBREAPER, 1), "PR_SET_CHILD_SUBREAPER");
    raise_fd_limit();
    const Listener listener = listen_on(Family::ipv4);
    check(fcntl(listener.fd, F_SETFL, O_NONBLOCK), "O_NONBLOCK");
    check(dup2(listener.fd, listener_fd), "dup2");
    close(listener.fd);
    int queue[2];
    check(socketpair(AF_UNIX, SOCK_DGRAM, 0, queue), "socketpair");
    check(dup2(queue[0], give_fd), "dup2");
    check(dup2(queue[1], take_fd), "dup2");
    close(queue[0]);
    close(queue[1]);
    const std::uint32_t judge = new_process(0);
    ledger->process[judge].pid = getpid();
    std::printf("{\"port\": %u, \"pid\": %d}\n", listener.port, getpid());
    std::fflush(stdout);
    Founder(listener.port, seed).play_until_stdin_ends();
    std::printf("\"done\"\n");
    return 0;
}
