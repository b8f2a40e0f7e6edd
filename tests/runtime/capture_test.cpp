// SPDX-License-Identifier: BSD-2-Clause
// `waitclose capture`: a bundle is whole or not there at all, keeps its bounds, and keeps secrets out.
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <thread>

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "programs.h"

namespace runtime {

namespace {

namespace fs = std::filesystem;

std::string whole(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// The names in a directory of all files that contain these bytes.
std::vector<std::string> files_with(const fs::path& directory, const std::string& bytes) {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(directory))
        if (whole(entry.path()).find(bytes) != std::string::npos) found.push_back(entry.path().filename());
    return found;
}

std::size_t entries_of(const fs::path& directory) {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), {}));
}

struct Bundle {
    TemporaryDirectory directory;
    std::string path = directory.path() + "/bundle";

    Arguments command(const Arguments& options) const {
        Arguments argv{waitclose_binary(), "capture", "-o", path, "--min-held", "0"};
        argv.insert(argv.end(), options.begin(), options.end());
        return argv;
    }
    Finished capture(const Arguments& options) const { return run(command(options), 90s); }
    json manifest() const { return json::parse(whole(path + "/manifest.json"), nullptr, false); }
    json file(const std::string& name) const { return json::parse(whole(path + "/" + name), nullptr, false); }
    // Nothing of it, nor of what it was while it was written.
    bool left_nothing() const { return entries_of(directory.path()) == 0; }
};

// A server that has read end-of-file and never closes; its arguments and environment are secrets.
class Keeper {
public:
    explicit Keeper(int more_threads = 0)
        : process_({"python3", "-c",
                    "import socket, sys, threading\n"
                    "server = socket.create_server(('127.0.0.1', 0))\n"
                    "client = socket.create_connection(server.getsockname())\n"
                    "kept, _ = server.accept()\n"
                    "client.close()\n"
                    "kept.recv(1)\n"
                    "for _ in range(int(sys.argv[2])):\n"
                    "    threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
                    "print(server.getsockname()[1], flush=True)\n"
                    "sys.stdin.read()\n",
                    "hush-argument", std::to_string(more_threads)}) {
        port_ = process_.read_line(20s).value_or("");
    }
    const std::string& port() const { return port_; }

private:
    Process process_;
    std::string port_;
};

// Ready when threads are followed.
class Running {
public:
    Running(const Bundle& bundle, Arguments options) {
        options.insert(options.end(), {"--ready-file", ready_.path() + "/ready"});
        process_ = std::make_unique<Process>(bundle.command(options));
        wait_for_file(ready_.path() + "/ready");
    }
    Process& process() { return *process_; }

private:
    TemporaryDirectory ready_;
    std::unique_ptr<Process> process_;
};

void expect_refused(const Finished& ran, int code, const std::string& words) {
    EXPECT_EQ(ran.code, code) << ran.err;
    EXPECT_EQ(ran.out, "");
    EXPECT_NE(ran.err.find(words), std::string::npos) << ran.err;
}

}  // namespace

TEST(Capture, IsWholeAndEveryFileIsWhatItSays) {
    const auto culprit = Culprit::in_position({"blocked", "--mode", "lock"});
    const Bundle bundle;
    const Finished ran =
        bundle.capture({"--port", culprit->truth().at("port").dump(), "--duration", "1500ms"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    EXPECT_NE(ran.out.find(bundle.path), std::string::npos) << ran.out;
    struct stat found {};
    ASSERT_EQ(::stat(bundle.path.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0700U);
    EXPECT_EQ(entries_of(bundle.directory.path()), 1U);

    const json manifest = bundle.manifest();
    ASSERT_TRUE(manifest.is_object());
    EXPECT_EQ(manifest.at("schema"), "waitclose.capture/1");
    EXPECT_EQ(manifest.at("captured").at("ended"), "duration");
    EXPECT_EQ(manifest.at("captured").at("holds"), 1);
    EXPECT_GT(manifest.at("captured").at("threads"), 0);
    EXPECT_GE(manifest.at("captured").at("length_ns"), 1'500'000'000);
    EXPECT_LT(manifest.at("captured").at("length_ns"), 4'000'000'000);
    EXPECT_TRUE(manifest.at("not_written").empty());
    EXPECT_EQ(manifest.at("files").size() + 1, entries_of(bundle.path));
    for (const json& file : manifest.at("files"))
        EXPECT_EQ(file.at("bytes"), fs::file_size(bundle.path + "/" + file.at("name").get<std::string>()));

    for (const char* name :
         {"system.json", "report.json", "timeline.chrome.json", "timeline.speedscope.json"})
        EXPECT_TRUE(bundle.file(name).is_object()) << name;
    EXPECT_EQ(bundle.file("system.json").at("schema"), "waitclose.system/1");
    EXPECT_EQ(run({"sqlite3", "-readonly", bundle.path + "/recording.db", "PRAGMA integrity_check"}).out,
              "ok\n");
    EXPECT_EQ(run({waitclose_binary(), "report", bundle.path + "/recording.db"}).code, 0);
    EXPECT_NE(whole(bundle.path + "/report.html").find("</html>"), std::string::npos);
    EXPECT_FALSE(whole(bundle.path + "/timeline.pftrace").empty());
    EXPECT_FALSE(whole(bundle.path + "/report.txt").empty());
    EXPECT_EQ(ran.out.find(manifest.at("headline").at(0)), 0U) << ran.out;
}

TEST(Capture, TellsWhatTheOwnersMayAndDoUse) {
    const auto culprit = Culprit::in_position({"read_eof"});
    const Bundle bundle;
    ASSERT_EQ(bundle.capture({"--port", culprit->truth().at("port").dump(), "--duration", "200ms"}).code, 0);
    const json system = bundle.file("system.json");
    ASSERT_EQ(system.at("processes").size(), 1U);
    const json& owner = system.at("processes").at(0);
    EXPECT_EQ(owner.at("pid"), culprit->truth().at("pid"));
    EXPECT_EQ(owner.at("holds"), true);
    EXPECT_GE(owner.at("tcp").at("by_state").at("CLOSE_WAIT"), 1);
    EXPECT_GE(owner.at("descriptors").at("by_kind").at("socket"), 1);
    EXPECT_FALSE(owner.at("limits").empty());
    EXPECT_TRUE(system.at("settings").contains("net.ipv4.tcp_fin_timeout"));
    EXPECT_FALSE(system.at("listeners").empty());
    EXPECT_TRUE(system.at("kernel_version").is_string());
}

TEST(Capture, PrintsTheManifestAsJson) {
    const Bundle bundle;
    const Finished ran = bundle.capture({"--json", "--duration", "100ms", "--port", "9"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(json::parse(ran.out, nullptr, false), bundle.manifest());
}

TEST(Capture, KeepsSecretsOut) {
    ::setenv("WAITCLOSE_TEST_SECRET", "hush-environment", 1);
    const Keeper keeper;
    ::unsetenv("WAITCLOSE_TEST_SECRET");
    const Bundle bundle;
    ASSERT_EQ(bundle.capture({"--port", keeper.port(), "--duration", "300ms"}).code, 0);
    for (const char* secret : {"hush-environment", "hush-argument", "create_server"})
        EXPECT_EQ(files_with(bundle.path, secret), std::vector<std::string>{}) << secret;
    EXPECT_NE(whole(bundle.path + "/system.json").find("python3"), std::string::npos);
    const Bundle open;
    ASSERT_EQ(open.capture({"--port", keeper.port(), "--duration", "300ms", "--arguments"}).code, 0);
    EXPECT_FALSE(files_with(open.path, "hush-argument").empty());
    EXPECT_EQ(files_with(open.path, "hush-environment"), std::vector<std::string>{});
}

TEST(Capture, LeavesNoAddressWhereThatIsAsked) {
    Process many(culprit_command({"hold_many", "--sockets", "20", "--processes", "1", "--mode", "eof"}));
    const json ready = json::parse(many.read_line(20s).value_or(""), nullptr, false);
    ASSERT_TRUE(ready.is_object());
    const Arguments options{"--pid", ready.at("pids").at(0).dump(), "--duration", "300ms"};
    const Bundle open;
    ASSERT_EQ(open.capture(options).code, 0);
    EXPECT_FALSE(files_with(open.path, "127.1.0.1").empty());
    Arguments masked = options;
    masked.emplace_back("--redact");
    const Bundle bundle;
    const Finished ran = bundle.capture(masked);
    ASSERT_EQ(ran.code, 0) << ran.err;
    for (const char* address : {"127.1.0.1", "127.0.0.1"})
        EXPECT_EQ(files_with(bundle.path, address), std::vector<std::string>{}) << address;
    EXPECT_EQ(files_with(bundle.path, std::string("\x7f\x01\x00\x01", 4)), std::vector<std::string>{});
    const json manifest = bundle.manifest();
    EXPECT_EQ(manifest.at("secrecy").at("addresses_masked"), true);
    EXPECT_GE(manifest.at("secrecy").at("masked"), 1);
    EXPECT_FALSE(files_with(bundle.path, "240.0.0.1").empty());
    EXPECT_EQ(manifest.at("captured").at("holds"), 20);
}

TEST(Capture, OneHoldAndNoOther) {
    const auto one = Culprit::in_position({"read_eof"});
    const auto other = Culprit::in_position({"blocked", "--mode", "lock"});
    const auto seen = snapshot({"-L", one->truth().at("port").dump()});
    const json* socket = find_socket(seen.document, one->truth());
    ASSERT_NE(socket, nullptr);
    const Bundle bundle;
    const Finished ran = bundle.capture({"--hold", socket->at("id"), "--duration", "300ms"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(bundle.manifest().at("captured").at("holds"), 1);
    EXPECT_EQ(bundle.manifest().at("captured").at("processes"), 1);
    const json report = bundle.file("report.json");
    ASSERT_EQ(report.at("groups").size(), 1U);
    EXPECT_EQ(report.at("groups").at(0).at("longest").at("id"), socket->at("id"));
    const Bundle none;
    expect_refused(none.capture({"--hold", "1:1"}), 1, "no hold has the id 1:1");
    EXPECT_TRUE(none.left_nothing());
}

TEST(Capture, ASignalEndsItEarlyAndTheBundleIsThere) {
    const auto culprit = Culprit::in_position({"read_eof"});
    const Bundle bundle;
    Running running(bundle, {"--port", culprit->truth().at("port").dump(), "--duration", "5m"});
    running.process().signal(SIGINT);
    EXPECT_EQ(running.process().wait(60s), 0) << running.process().errors();
    EXPECT_EQ(bundle.manifest().at("captured").at("ended"), "asked");
    EXPECT_EQ(bundle.manifest().at("captured").at("holds"), 1);
}

TEST(Capture, ASecondSignalEndsItAtOnceAndLeavesNothing) {
    Process many(culprit_command({"hold_many", "--sockets", "5000", "--mode", "eof"}));
    ASSERT_TRUE(many.read_line(60s));
    const Bundle bundle;
    Running running(bundle, {"--duration", "5m"});
    running.process().signal(SIGINT);
    // The report of so many takes a while; until it does, the signal would be the one that is pending.
    const auto is_finishing = [&] {
        for (const auto& entry : fs::directory_iterator(bundle.directory.path()))
            for (const auto& file : fs::directory_iterator(entry.path()))
                if (file.path().filename() != "recording.db" &&
                    !file.path().filename().string().starts_with("recording.db-"))
                    return true;
        return false;
    };
    for (const Deadline deadline(30s); !is_finishing() && deadline.milliseconds_left() > 0;)
        std::this_thread::sleep_for(1ms);
    running.process().signal(SIGINT);
    const auto code = running.process().wait(10s);
    if (code == 0) GTEST_SKIP() << "the bundle was written before the second signal";
    EXPECT_EQ(code, 1) << running.process().errors();
    EXPECT_NE(running.process().errors().find("nothing was kept"), std::string::npos);
    EXPECT_TRUE(bundle.left_nothing());
}

TEST(Capture, RefusesWhatIsInTheWayAndReplacesItsOwnOnly) {
    const Bundle bundle;
    const Arguments quick{"--duration", "100ms", "--port", "9"};
    fs::create_directory(bundle.path);
    std::ofstream(bundle.path + "/precious") << "mine";
    expect_refused(bundle.capture(quick), 1, "is not empty");
    Arguments forced = quick;
    forced.emplace_back("--force");
    expect_refused(bundle.capture(forced), 1, "is not empty");
    EXPECT_EQ(whole(bundle.path + "/precious"), "mine");
    fs::remove(bundle.path + "/precious");
    ASSERT_EQ(bundle.capture(quick).code, 0);
    expect_refused(bundle.capture(quick), 1, "there is a bundle");
    EXPECT_EQ(bundle.capture(forced).code, 0);
    EXPECT_EQ(entries_of(bundle.directory.path()), 1U);
    expect_refused(run({waitclose_binary(), "capture", "-o", "/nowhere/at/all"}), 1, "cannot be created");
}

// Full at once, while threads are followed, and while reports are written.
TEST(Capture, OnAFullDiskLeavesNothing) {
    const auto culprit = Culprit::in_position({"read_eof"});
    int full = 0;
    for (const char* size : {"200k", "300k", "400k", "500k", "600k", "2m"}) {
        SCOPED_TRACE(size);
        const TemporaryDirectory directory;
        if (::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, (std::string("size=") + size).c_str()) !=
            0)
            GTEST_SKIP() << "SKIPPED: no file system can be mounted here";
        const Finished ran =
            run({waitclose_binary(), "capture", "-o", directory.path() + "/bundle", "--duration", "300ms",
                 "--min-held", "0", "--port", culprit->truth().at("port").dump()},
                60s);
        full += ran.code != 0;
        EXPECT_EQ(entries_of(directory.path()), ran.code == 0 ? 1U : 0U) << ran.err;
        EXPECT_TRUE(ran.code == 0 || (ran.code == 1 && ran.err.find("No space left") != std::string::npos) ||
                    ran.err.find("full") != std::string::npos)
            << ran.err;
        ::umount2(directory.path().c_str(), MNT_DETACH);
    }
    EXPECT_GE(full, 3);
}

TEST(Capture, StaysBelowItsSizeAndSaysWhatItLeftOut) {
    Process many(culprit_command({"hold_many", "--sockets", "9000", "--mode", "eof"}));
    ASSERT_TRUE(many.read_line(60s));
    const Bundle bundle;
    const Finished ran = bundle.capture({"--duration", "1s", "--max-size", "8M"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    std::uintmax_t size = 0;
    for (const auto& entry : fs::directory_iterator(bundle.path)) size += entry.file_size();
    EXPECT_LE(size, 8U << 20);
    EXPECT_FALSE(bundle.manifest().at("not_written").empty()) << bundle.manifest();
    const Bundle none;
    expect_refused(none.capture({"--duration", "1s", "--max-size", "4M"}), 1, "--max-size");
    EXPECT_TRUE(none.left_nothing());
}

TEST(Capture, FollowsNoMoreThreadsThanAllowed) {
    const Keeper keeper(8);
    const std::string port = keeper.port();
    const Bundle all;
    ASSERT_EQ(all.capture({"--port", port, "--duration", "300ms"}).code, 0);
    ASSERT_GE(all.manifest().at("captured").at("threads"), 9);
    const Bundle few;
    ASSERT_EQ(few.capture({"--port", port, "--duration", "300ms", "--max-threads", "4"}).code, 0);
    EXPECT_EQ(few.manifest().at("captured").at("threads"), 4);
    EXPECT_NE(few.manifest().at("lacks").dump().find("--max-threads"), std::string::npos);
}

TEST(Capture, SaysWhatIsWrongWithItsOptions) {
    const auto expect_wrong = [](const Arguments& options, const std::string& words) {
        Arguments argv{waitclose_binary(), "capture"};
        argv.insert(argv.end(), options.begin(), options.end());
        expect_refused(run(argv), 2, words);
    };
    expect_wrong({}, "--output");
    expect_wrong({"-o", ""}, "is empty");
    expect_wrong({"-o", "-"}, "cannot go to stdout");
    for (const char* length : {"99ms", "0", "601s", "x"})
        expect_wrong({"-o", "x", "--duration", length}, "--duration");
    for (const char* share : {"0%", "0.05", "101%", "-1%", "many", "nan", "3%%"})
        expect_wrong({"-o", "x", "--max-overhead", share}, "--max-overhead");
    for (const char* number : {"0", "100001", "-1", "x"})
        expect_wrong({"-o", "x", "--max-threads", number}, "--max-threads");
    for (const char* size : {"1M", "0", "x"}) expect_wrong({"-o", "x", "--max-size", size}, "--max-size");
    for (const char* id : {"4121", "pid:4121", "x"}) expect_wrong({"-o", "x", "--hold", id}, "--hold");
    expect_wrong({"-o", "x", "--port", "0"}, "--localport");
    EXPECT_FALSE(fs::exists("x"));
}

}  // namespace runtime
