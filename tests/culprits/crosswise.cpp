// SPDX-License-Identifier: BSD-2-Clause
// Two processes of a thread each that ask each other over TCP, and each waits for the other's answer:
// `orders`, which holds the socket, in ask_inventory(), and `inventory` in ask_orders(). Nobody else has
// their connections.
#include "culprit.h"

#include <cerrno>
#include <csignal>

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace culprit;

namespace {

constexpr std::int64_t asleep_before_ns = 20'000'000;

// After a call that must not become a jump: its caller shall be on the stack as well.
void stay() {
    asm volatile("" ::: "memory");
}

}  // namespace

extern "C" {

[[gnu::noinline]] void ask_inventory(int inventory) {
    write_all(inventory, "q");
    char answer = 0;
    if (recv(inventory, &answer, 1, 0) >= 0 || errno != EINTR) fail("an answer that was not to come");
    stay();
}

[[gnu::noinline]] void ask_orders(int orders) {
    write_all(orders, "q");
    char answer = 0;
    if (recv(orders, &answer, 1, 0) >= 0 || errno != EINTR) fail("an answer that was not to come");
    stay();
}

[[gnu::noinline]] void handle_request(int client, int inventory) {
    char request = 0;
    check(static_cast<int>(read(client, &request, 1)), "read");
    ask_inventory(inventory);
    stay();
}
}

namespace {

// Each asks over a connection of its own.
void run_orders(const Options& options, int line) {
    struct sigaction wake {};
    wake.sa_handler = [](int) {};
    check(sigaction(SIGUSR1, &wake, nullptr), "sigaction");
    const Listener internal = listen_on(Family::ipv4);
    tell(line, note(Say::pending, internal.fd, internal.port));
    const int inventory = connect_to(Family::ipv4, hear(line, Say::proceed).port);
    const int questions = accept_one(internal.fd);
    close(internal.fd);
    const Listener listener = listen_on(options.family);
    tell(line, note(Say::listening, listener.fd, listener.port));
    const int client = accept_one(listener.fd);
    tell(line, note(Say::accepted, client));
    handle_request(client, inventory);
    hear(line, Say::close);
    tell(line, close_and_note(client, options.end));
    close(questions);
    hear(line, Say::gone);
}

void run_inventory(int line) {
    const Listener internal = listen_on(Family::ipv4);
    tell(line, note(Say::pending, internal.fd, internal.port));
    const int orders = connect_to(Family::ipv4, hear(line, Say::proceed).port);
    const int questions = accept_one(internal.fd);
    close(internal.fd);
    char question = 0;
    check(static_cast<int>(read(questions, &question, 1)), "read");
    ask_orders(orders);
    hear(line, Say::gone);
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse(argc, argv, {"tcp"});
    Judge judge(options);
    const Child inventory = start_child("inventory", run_inventory);
    const Note its = hear(inventory.line, Say::pending);
    const Child orders = start_child(options.name("orders"), [&](int line) {
        close(inventory.line);
        run_orders(options, line);
    });
    const Note ours = hear(orders.line, Say::pending);
    tell(inventory.line, note(Say::proceed, -1, ours.port));
    tell(orders.line, note(Say::proceed, -1, its.port));
    const int peer = connect_to(options.family, judge.listening(orders));
    const Note handler = hear(orders.line, Say::accepted);
    write_all(peer, "x");
    wait_until_asleep_in(orders.pid, handler.tid, SYS_recvfrom);
    wait_until_asleep_in(inventory.pid, its.tid, SYS_recvfrom);
    let_pass(asleep_before_ns);
    judge.hang_up(peer);
    judge.holds(handler);
    judge.truth.cause = "deadlock";
    judge.truth.acceptable_untraced = {"abandoned", "unknown"};
    judge.truth.decided_early = true;
    judge.truth.function = "ask_inventory";
    judge.truth.waits_for = "downstream";
    judge.truth.chain = {{handler.pid, handler.tid, "downstream", "ask_inventory"},
                         {its.pid, its.tid, "downstream", "ask_orders"}};
    judge.truth.circle = true;
    judge.truth.resource = "127.0.0.1:" + std::to_string(ours.port);
    return judge.obey([&] {
        tell(orders.line, note(Say::close));
        check(kill(orders.pid, SIGUSR1), "kill");
        return hear(orders.line, Say::closed);
    });
}
