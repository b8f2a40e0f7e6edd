// SPDX-License-Identifier: BSD-2-Clause
// Servers in real runtimes (Java, Python, Node) under our judge: it plays their clients, sends the FIN, and
// tells the truth that the program stated about itself before any connection was made.
//
// The program prints a line of JSON each time: {"port": N, "truth": {...}}, then {"accepted": 1} once it has
// read its client's "hello", then {"leaked": 1, "tid": T or "thread": NAME}, with "pid" where another process
// holds it; and
// {"closed": 1, ...} after it has closed, on the line "close". It ends when its stdin does. Which descriptor
// it is, it need not know: that is read from /proc, by the inode of the socket.
#include <map>

#include <sys/socket.h>
#include <unistd.h>

#include "hosted.h"

using namespace culprit;
using nlohmann::json;

namespace {

const std::map<std::string, std::vector<std::string>> commands{
    {"java-spin", {"java", "java/LeakServer.java", "spin"}},
    {"java-leak", {"java", "java/LeakServer.java", "leak"}},
    {"java-too-many-files", {"java", "java/LeakServer.java", "leak"}},
    {"java-selector", {"java", "java/LeakServer.java", "selector"}},
    {"python-threads", {"python3", "python/threaded_server.py"}},
    {"python-asyncio", {"python3", "python/asyncio_server.py", "leak"}},
    {"python-fork", {"python3", "python/forking_server.py"}},
    {"node-half-open", {"node", "node/server.js", "half-open"}},
    {"node-paused", {"node", "node/server.js", "paused"}},
    {"node-unconsumed", {"node", "node/server.js", "unconsumed"}},
};
constexpr unsigned few_files = 64;

Note held_by(const Hosted& hosted, const json& leaked, std::uint16_t port, int peer) {
    Note held = note(Say::leaked);
    held.pid = leaked.value("pid", hosted.pid());
    held.tid = thread_of(held.pid, leaked);
    held.fd = descriptor_of(held.pid, port, local_port_of(peer));
    if (held.tid < 0 || held.fd < 0) {
        std::fprintf(stderr, "culprit: no such thread or descriptor: %s\n", leaked.dump().c_str());
        std::exit(1);
    }
    return held;
}

void state(Truth& truth, const json& stated) {
    truth.cause = stated.at("cause");
    truth.acceptable = stated.value("acceptable", std::vector<std::string>{});
    truth.acceptable_untraced = stated.value("acceptable_untraced", std::vector<std::string>{});
    truth.eof_read = stated.value("eof_read", true);
    truth.unread_bytes = stated.value("unread_bytes", 0);
    truth.decided_early = stated.value("decided_early", false);
    truth.seen_reading = stated.value("seen_reading", false);
}

// One more client, which hangs up; whether accept() has failed in the server, for it or for the next one.
bool one_more(Hosted& hosted, std::uint16_t port, int peer) {
    write_all(peer, "hello");
    for (bool failed = false;;) {
        const json heard = hosted.hear();
        if (heard.contains("leaked")) return failed;
        if (heard.contains("accepted")) check(shutdown(peer, SHUT_WR), "shutdown");
        failed = failed || heard.contains("failed");
        // The handler may not have come to say that it has it.
        if (failed && descriptor_of(hosted.pid(), port, local_port_of(peer)) < 0) return true;
    }
}

// Clients come until the server can accept no more; one of them waits in its queue, and is returned.
int exhaust(Hosted& hosted, std::uint16_t port) {
    int peer = connect_to(Family::ipv4, port);
    while (!one_more(hosted, port, peer)) peer = connect_to(Family::ipv4, port);
    const bool has_it = descriptor_of(hosted.pid(), port, local_port_of(peer)) >= 0;
    return has_it ? connect_to(Family::ipv4, port) : peer;
}

}  // namespace

int main(int argc, char** argv) {
    const Options options =
        parse(argc, argv,
              {"java-spin", "java-leak", "java-too-many-files", "java-selector", "python-threads",
               "python-asyncio", "python-fork", "node-half-open", "node-paused", "node-unconsumed"});
    Judge judge(options);
    const bool exhausts = options.mode == "java-too-many-files";
    Hosted hosted(commands.at(options.mode), exhausts ? few_files : 0);
    const std::uint16_t port = hosted.announced().at("port");
    state(judge.truth, hosted.announced().at("truth"));
    judge.announce(port);
    const int peer = connect_to(Family::ipv4, port);
    write_all(peer, "hello");
    hosted.hear("accepted");
    const json early = judge.truth.decided_early ? hosted.hear("leaked") : json(nullptr);
    judge.hang_up(peer);
    const json leaked = early.is_null() ? hosted.hear("leaked") : early;
    const Note held = held_by(hosted, leaked, port, peer);
    judge.holds(held);
    if (exhausts) {
        const int queued = exhaust(hosted, port);
        check(shutdown(queued, SHUT_WR), "shutdown");
        wait_until_acknowledged(queued);
        // It is in no descriptor table; the one to take it out of the queue is the process that listens.
        Truth in_queue;
        in_queue.cause = "fd-limit";
        in_queue.acceptable = {"never-accepted"};
        in_queue.pid = hosted.pid();
        in_queue.tid = thread_of(hosted.pid(), {{"thread", "acceptor"}});
        judge.also(in_queue, queued);
    }
    return judge.obey([&] {
        Note closed = held;
        closed.say = Say::closed;
        closed.before_ns = boot_ns();
        hosted.order("close");
        json heard = hosted.hear();
        while (!heard.contains("closed")) heard = hosted.hear();  // there is room for one more connection
        closed.after_ns = boot_ns();
        closed.tid = thread_of(held.pid, heard);
        return closed;
    });
}
