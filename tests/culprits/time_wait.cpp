// SPDX-License-Identifier: BSD-2-Clause
// No culprit: a server that closes first, so that its connections end in TIME_WAIT, ten of the sixteen for
// which its network namespace has room (--netns: net.ipv4.tcp_max_tw_buckets is set to that).
#include "culprit.h"

#include <fstream>

#include <unistd.h>

using namespace culprit;

namespace {

constexpr int room = 16;
constexpr int ended = 10;

}  // namespace

int main(int argc, char** argv) {
    const Options options = parse(argc, argv, {"most"});
    Judge judge(options);
    if (options.netns && !(std::ofstream("/proc/sys/net/ipv4/tcp_max_tw_buckets") << room << std::flush))
        fail("tcp_max_tw_buckets");
    const Listener listener = listen_on(options.family);
    judge.announce(listener.port);
    for (int i = 0; i < ended; ++i) {
        const int client = connect_to(options.family, listener.port);
        close(accept_one(listener.fd));
        read_to_end(client);
        close(client);
    }
    judge.truth.held = false;
    judge.truth.cause = "unknown";
    return judge.rest(note(Say::closed));
}
