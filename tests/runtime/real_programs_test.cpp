// SPDX-License-Identifier: BSD-2-Clause
// Programs nobody wrote for us: a Python connection pool, Redis.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "programs.h"
#include "verdict.h"

namespace runtime {

namespace {

sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

int local_port(const Descriptor& socket) {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length);
    return ntohs(address.sin_port);
}

Descriptor connected_to(int port) {
    Descriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = loopback(port);
    if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return Descriptor();
    return fd;
}

int free_port() {
    Descriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = loopback(0);
    EXPECT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return local_port(fd);
}

bool installed(const std::string& program) {
    return run({"sh", "-c", "command -v " + program}).code == 0;
}

}  // namespace

TEST(PythonPool, KeepsWhatTheServerHungUp) {
    const std::string python = "/usr/bin/python3";
    if (run({python, "-c", "import urllib3"}).code != 0)
        GTEST_SKIP() << "SKIPPED: /usr/bin/python3 with urllib3 (python3-urllib3) is not installed";
    Culprit client({python, culprit_path("python/pool_client.py")});
    std::string port = client.next_line().at("port").dump();
    Watch watch({"--min-held", "0ms", "-L", port});
    client.command("fin");
    json truth = client.next_line();
    std::vector<std::string> wrong{"no line about the socket"};
    watch.until(
        [&](const json& event) {
            if (!is_about(event, truth) || event.at("event") == "entered") return false;
            wrong = disagreements(event.at("socket"), truth, Tracing::before_fin);
            return wrong.empty();
        },
        10s);
    EXPECT_TRUE(wrong.empty()) << joined(wrong) << "\ntruth: " << truth;
    client.command("close");
    json closed = client.next_line();
    json event = watch.until(
        [&](const json& line) { return is_about(line, truth) && line.at("event") == "closed"; }, 10s);
    ASSERT_FALSE(event.is_null());
    auto at_the_end = closing_disagreements(event, truth, closed, Tracing::before_fin);
    EXPECT_TRUE(at_the_end.empty()) << joined(at_the_end);
    EXPECT_EQ(watch.stop().code, 0);
}

TEST(Redis, IsHealthy) {
    if (!installed("redis-server")) GTEST_SKIP() << "SKIPPED: redis-server is not installed";
    std::string port = std::to_string(free_port());
    TemporaryDirectory directory;
    Process redis({"redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                   "--dir", directory.path(), "--daemonize", "no"});
    bool up = false;
    while (std::optional<std::string> line = redis.read_line(20s))
        if ((up = line->find("Ready to accept connections") != std::string::npos)) break;
    ASSERT_TRUE(up) << redis.errors();
    Watch watch({"--min-held", "250ms", "-L", port});
    constexpr int clients = 200;
    for (int i = 0; i < clients; ++i) {
        Descriptor client = connected_to(std::stoi(port));
        ASSERT_TRUE(client.open());
        ASSERT_EQ(write(client.get(), "PING\r\n", 6), 6);
        char answer[16];
        ASSERT_EQ(read(client.get(), answer, sizeof answer), 7);
        ASSERT_EQ(shutdown(client.get(), SHUT_WR), 0);
        ASSERT_EQ(read(client.get(), answer, sizeof answer), 0) << "Redis closes when we have hung up";
    }
    Finished finished = watch.stop();
    EXPECT_EQ(finished.code, 0);
    for (const json& event : watch.events()) EXPECT_NE(event.at("event"), "held") << event.dump(1);
    json total = totals(finished.err);
    ASSERT_FALSE(total.is_null()) << finished.err;
    EXPECT_EQ(total.at("entered"), clients);
    EXPECT_EQ(total.at("closed"), clients);
}

}  // namespace runtime
