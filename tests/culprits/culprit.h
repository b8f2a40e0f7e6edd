// SPDX-License-Identifier: BSD-2-Clause
// Common ground of the culprits: small programs that hold sockets in CLOSE_WAIT in one known way each.
//
// The process a test starts is the *judge*: it owns the peers' ends of the connections, sends their FIN,
// reads the commands on stdin and tells the truth on stdout. The program under suspicion is a child of the
// judge, so that it can block, be stopped or lose its main thread while the judge stays awake. Judge and
// child talk in Notes over a socket pair.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>
#include <nlohmann/json_fwd.hpp>

namespace culprit {

enum class Family { ipv4, ipv6, mapped };

struct Options {
    std::string mode;              // which way to go wrong; every culprit lists its own
    Family family = Family::ipv4;  // --family ipv4|ipv6|mapped
    std::string comm;              // --comm NAME ("hostile": escape sequence and markup)
    std::string end = "close";     // --end close|shutdown|exit|exec: what the command `close` does
    bool netns = false;            // --netns: in a network namespace of its own
    bool wait_for_start = false;   // --wait-for-start: no connection before the command `start`
    bool wait_for_fin = false;     // --wait-for-fin: no FIN before the command `fin`

    /// What the program under suspicion is to call itself.
    std::string name(const char* usual) const { return comm.empty() ? usual : comm; }
};

Options parse(int argc, char** argv, std::initializer_list<std::string_view> modes);

[[noreturn]] void fail(const char* what);        // says what and errno on stderr, exits 1
int check(int result, const char* what);         // fails on -1
[[noreturn]] void skip(const std::string& why);  // tells the test that it cannot run here, and ends

std::int64_t boot_ns();  // CLOCK_BOOTTIME, the clock of waitclose
pid_t thread_id();
void set_comm(const std::string& name);
void raise_fd_limit();

// --- sockets, loopback only ---

struct Listener {
    int fd = -1;
    std::uint16_t port = 0;
};

Listener listen_on(Family family, std::uint16_t port = 0, bool reuse_port = false);
Listener listen_at(std::uint32_t address, std::uint16_t port);  // host order, IPv4
int connect_to(Family family, std::uint16_t port);
std::uint16_t local_port_of(int fd);
int connect_at(std::uint32_t address, std::uint16_t port);
int accept_one(int listener);
std::int64_t read_to_end(int fd);  // returns the bytes before end-of-file
void write_all(int fd, std::string_view text);
void wait_until_acknowledged(int peer);  // our FIN was: the other side is in CLOSE_WAIT now
std::uint64_t netns_inode();
void enter_new_netns();  // and brings its loopback up

// --- judge and child ---

enum class Say : std::uint8_t { listening, accepted, leaked, close, closed, proceed, pending, gone };

struct Note {
    Say say = Say::gone;
    bool flag = false;
    std::uint16_t port = 0;
    int fd = -1;
    pid_t pid = 0;
    pid_t tid = 0;
    std::int64_t before_ns = 0;
    std::int64_t after_ns = 0;
};

Note note(Say say, int fd = -1, std::uint16_t port = 0);  // with the caller's pid and tid
void tell(int line, const Note& note);
Note hear(int line, Say expected);  // ends the process when the other side has gone
Note close_and_note(int fd, const std::string& end = "close");
void idle(int line, int listener, int leaked,
          const std::string& end = "close");  // a healthy loop; ends with the line
// A server with one connection: a thread of its own reads the first byte of the request, says `accepted`, and
// then does what never ends.
void serve_until_asleep(const Options& options, int line, const std::function<void()>& what_never_ends);

struct Child {
    pid_t pid = 0;
    int line = -1;
};

// Forks; the child dies with the thread that called this, never reads the judge's stdin nor writes to its
// stdout.
Child start_child(const std::string& comm, const std::function<void(int line)>& body);
void die_with_parent(pid_t parent);
int wait_for_exit(pid_t pid);
void let_pass(std::int64_t ns);  // below a second; for what has lasted a while before something else happens
void wait_until_asleep_in(pid_t pid, pid_t tid, long number);  // a system call, by its number

// --- the truth ---

struct Holder {
    pid_t pid = 0;
    int fd = -1;
};

// One thread of a wait chain.
struct Waiting {
    pid_t pid = 0;
    pid_t tid = 0;
    std::string waits_for;
    std::string function = {};  // in which it waits; empty: not asked about
};

struct Truth {
    std::optional<pid_t> pid;
    std::optional<pid_t> tid;
    std::optional<int> fd;
    std::string cause;
    std::vector<std::string> acceptable;           // as good as `cause`
    std::vector<std::string> acceptable_untraced;  // honest, when the tracer came after the fact
    std::vector<Holder> holders;
    std::string waits_for;             // the culprit's wait class, where the cause is that it waits
    std::string wait_detail;           // what the detail must contain
    std::optional<pid_t> lock_holder;  // the process it waits for
    std::vector<Waiting> chain;        // whom the culprit waits for, itself first; empty: not asked about
    bool circle = false;               // the last of the chain waits for the first
    std::optional<pid_t> lock_owner;   // the thread it waits for
    std::string function;  // of the program, in which the culprit thread is; empty: not asked about
    std::string resource;  // what the last of the chain waits for
    std::string role = "server";
    std::optional<bool> accepted = true;
    std::optional<bool> eof_read = false;
    std::optional<std::int64_t> unread_bytes = 0;
    bool decided_early =
        false;  // the deciding act came before the FIN: a tracer attached in between missed it
    bool seen_reading =
        false;  // the culprit thread itself reads end-of-file: a tracer that was there names it
    bool nobody_to_name = false;  // the thread that had it has gone: no other one is to be named
    bool quiet = true;            // the peer sends nothing after the FIN, not even an acknowledgement
    bool held = true;             // false: a decoy that never, or no longer, holds
};

class Judge {
public:
    explicit Judge(Options options);

    Truth truth;

    void holds(const Note& where);  // pid, tid and fd of the truth from a child's note; one holder
    void announce(std::uint16_t port, std::uint16_t remote_port = 0);  // --wait-for-start: waits for `start`
    std::uint16_t listening(const Child& server);                      // announces the port the child tells
    void ready(int peer);                 // --wait-for-fin: says so and waits for `fin`
    void hang_up(int peer);               // ready(), then the FIN between two readings of the clock
    void hang_up_without_wait(int peer);  // the second half of it
    void also(const Truth& other,
              int peer);  // another socket, held at the same time as the other end of `peer`
    void drain(int peer) { drained_ = peer; }  // keeps reading from this peer while obeying

    // Prints the truth, then obeys until stdin ends. `close` calls the function and prints what it notes.
    int obey(const std::function<Note()>& close);

    // For decoys that have closed already: prints the truth with that, then waits until stdin ends.
    int rest(const Note& closed);
    int rest(const nlohmann::json& truth);  // for those whose truth is another one

private:
    std::optional<std::string> next_command();
    void wait_for(const char* command);
    void print_truth(const Note* closed);
    void remember_addresses(int peer);

    Options options_;
    std::vector<std::string> also_;
    std::string input_;
    std::string local_address_;
    std::string remote_address_;
    std::uint16_t port_ = 0;
    std::uint16_t remote_port_ = 0;
    std::int64_t fin_before_ns_ = 0;
    std::int64_t fin_after_ns_ = 0;
    int peer_ = -1;
    int drained_ = -1;
};

}  // namespace culprit
