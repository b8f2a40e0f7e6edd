// SPDX-License-Identifier: BSD-2-Clause
// As functions.cpp, in programs of real runtimes: a handler in Java, Node or Python that is stuck in a
// function whose name is known.
//
// The program prints a line of JSON each time: {"port": N}, then {"accepted": 1} with "tid" or "thread" when
// its handler is about to call the function, and {"closed": 1, ...} after it has closed, on the line "close".
// It ends when its stdin does.
#include <cstdlib>
#include <map>

#include <sys/syscall.h>
#include <unistd.h>

#include "hosted.h"
#include "mounts.h"

using namespace culprit;
using nlohmann::json;

namespace {

// A peer loses patience some time after the handler fell asleep, not in the same instant.
constexpr std::int64_t asleep_before_ns = 5'000'000;
constexpr std::int64_t warmed_up_ns = 300'000'000;  // a loop is compiled while it runs

const std::string directory = "/mnt";
const std::string log_path = directory + "/audit.log";

struct Kind {
    std::vector<std::string> command;
    const char* does;  // as the modes of functions.cpp
};

const std::map<std::string, Kind> kinds{
    {"java-write-audit-log", {{"java", "java/Functions.java", "writeAuditLog"}, "write-audit-log"}},
    {"java-call-backend", {{"java", "java/Functions.java", "callBackend"}, "call-backend"}},
    {"java-wait-for-quota", {{"java", "java/Functions.java", "waitForQuota"}, "wait-for-quota"}},
    {"java-spin-parse", {{"java", "java/Functions.java", "spinParse"}, "spin-parse"}},
    {"node-write-audit-log", {{"node", "node/functions.js", "writeAuditLog"}, "write-audit-log"}},
    {"node-spin-parse", {{"node", "node/functions.js", "spinParse"}, "spin-parse"}},
    {"python-write-audit-log", {{"python3", "python/functions.py", "write_audit_log"}, "write-audit-log"}},
    {"python-call-backend", {{"python3", "python/functions.py", "call_backend"}, "call-backend"}},
    {"python-wait-for-quota", {{"python3", "python/functions.py", "wait_for_quota"}, "wait-for-quota"}},
    {"python-spin-parse", {{"python3", "python/functions.py", "spin_parse"}, "spin-parse"}},
};

// What a runtime has to be asked for so that a profiler of any kind can name its functions.
void ask_for_names() {
    setenv("JDK_JAVA_OPTIONS",
           "-XX:+PreserveFramePointer -XX:TieredStopAtLevel=1 -Xbatch -XX:CompileCommand=quiet "
           "-XX:CompileCommand=dontinline,Functions.*",
           1);
    setenv("NODE_OPTIONS", "--perf-basic-prof --interpreted-frames-native-stack", 1);
}

// Which call the thread sleeps in is the runtime's choice; it sleeps for good once it has slept a while.
void wait_until_stuck(const std::string& does, pid_t pid, pid_t tid) {
    if (does == "write-audit-log") wait_until_asleep_in(pid, tid, SYS_fdatasync);
    let_pass(does == "write-audit-log" ? asleep_before_ns : warmed_up_ns);
}

void state(Truth& truth, const Kind& kind, std::uint16_t backend) {
    const std::string does = kind.does;
    const std::string address = "127.0.0.1:" + std::to_string(backend);
    // A lock of the interpreter's does not tell its owner, and so nobody may be blamed.
    const bool told = does != "wait-for-quota";
    truth.cause = !told ? "unknown" : does == "spin-parse" ? "handler-busy" : "handler-blocked";
    truth.acceptable_untraced = {"abandoned", "unknown"};
    truth.decided_early = true;
    truth.function = kind.command.at(2);
    truth.waits_for = does == "write-audit-log" ? "disk" : does == "call-backend" ? "downstream" : "";
    truth.resource = does == "write-audit-log" ? log_path : does == "spin-parse" ? "CPU" : address;
}

}  // namespace

int main(int argc, char** argv) {
    const Options options =
        parse(argc, argv,
              {"java-write-audit-log", "java-call-backend", "java-wait-for-quota", "java-spin-parse",
               "node-write-audit-log", "node-spin-parse", "python-write-audit-log", "python-call-backend",
               "python-wait-for-quota", "python-spin-parse"});
    const Kind& kind = kinds.at(options.mode);
    const bool writes = std::string(kind.does) == "write-audit-log";
    if (writes) mount_mute(log_path, directory);
    Judge judge(options);
    const Listener backend = listen_on(Family::ipv4);  // and nobody accepts
    ask_for_names();
    std::vector<std::string> command = kind.command;
    command.push_back(std::to_string(backend.port));
    command.push_back(log_path);
    Hosted hosted(command);
    set_free_at_exit();
    if (writes) answer_in_background();
    const std::uint16_t port = hosted.announced().at("port");
    judge.announce(port);
    const int peer = connect_to(Family::ipv4, port);
    write_all(peer, "x");
    const json accepted = hosted.hear("accepted");
    Note held = note(Say::leaked);
    held.pid = hosted.pid();
    held.tid = thread_of(held.pid, accepted);
    held.fd = descriptor_of(held.pid, port, local_port_of(peer));
    wait_until_stuck(kind.does, held.pid, held.tid);
    judge.hang_up(peer);
    judge.holds(held);
    state(judge.truth, kind, backend.port);
    return judge.obey([&] {
        Note closed = held;
        closed.before_ns = boot_ns();
        hosted.order("close");
        closed.tid = thread_of(held.pid, hosted.hear("closed"));
        closed.after_ns = boot_ns();
        return closed;
    });
}
