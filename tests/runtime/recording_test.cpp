// SPDX-License-Identifier: BSD-2-Clause
// `waitclose record`: what it keeps, and that whatever ends it leaves a recording that opens.
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <set>
#include <thread>

#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <sys/mount.h>

#include "clock.h"
#include "programs.h"
#include "store/recording.h"

namespace runtime {

namespace {

namespace model = waitclose::model;
namespace store = waitclose::store;

class Recording {
public:
    // Returns when every probe is attached.
    explicit Recording(const Arguments& options, const std::string& directory = "")
        : file_((directory.empty() ? directory_.path() : directory) + "/a.db") {
        Descriptor inotify(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
        if (inotify_add_watch(inotify.get(), directory_.path().c_str(), IN_MOVED_TO | IN_CREATE) < 0)
            throw std::runtime_error("inotify_add_watch");
        Arguments argv{waitclose_binary(),          "record", "-o", file_, "--ready-file",
                       directory_.path() + "/ready"};
        argv.insert(argv.end(), options.begin(), options.end());
        process_ = std::make_unique<Process>(argv);
        Deadline deadline(20s);
        while (!std::filesystem::exists(directory_.path() + "/ready")) {
            if (deadline.milliseconds_left() == 0 || process_->wait(0ms))
                throw std::runtime_error("waitclose record is not ready; on stderr: " + process_->errors());
            std::this_thread::sleep_for(5ms);
        }
    }

    std::optional<int> stop() {
        process_->signal(SIGINT);
        return process_->wait(30s);
    }
    Process& process() { return *process_; }
    const std::string& file() const { return file_; }
    // As somebody else reads it.
    std::string ask(const std::string& sql) const {
        const Finished asked = run({"sqlite3", "-readonly", file_, sql});
        EXPECT_EQ(asked.code, 0) << asked.err;
        return asked.out;
    }
    std::string ask_until(const std::string& sql, const std::string& answer) const {
        Deadline deadline(10s);
        std::string found;
        while ((found = ask(sql)) != answer && deadline.milliseconds_left() > 0)
            std::this_thread::sleep_for(50ms);
        return found;
    }
    bool is_one_file() const {
        return !std::filesystem::exists(file_ + "-wal") && !std::filesystem::exists(file_ + "-shm");
    }

private:
    TemporaryDirectory directory_;
    std::string file_;
    std::unique_ptr<Process> process_;
};

// What a recording says, in short.
struct Told : store::Player {
    void about(const store::About& about) override { about_ = about; }
    void on(const model::Entered& event) override {
        ++entered;
        latest_ns = std::max(latest_ns, event.at_ns);
    }
    void on(const model::Left& event) override {
        ++left;
        latest_ns = std::max(latest_ns, event.at_ns);
    }
    void on(const model::Transition&) override { ++transitions; }
    void look_begins(std::uint64_t) override {}
    void look(model::Census& census) override {
        ++looks;
        for (const model::Process& process : census.processes) comms.insert(process.comm);
    }
    void losses(std::uint64_t, const model::Losses&) override {}

    store::About about_;
    std::uint64_t entered = 0;
    std::uint64_t left = 0;
    std::uint64_t transitions = 0;
    std::uint64_t looks = 0;
    std::uint64_t latest_ns = 0;
    std::set<std::string> comms;
};

Told told_by(const std::string& file) {
    Told told;
    const auto played = store::play(file, told);
    EXPECT_TRUE(played) << played.error().what;
    return told;
}

// A small disk of its own.
class Disk {
public:
    explicit Disk(const std::string& size) {
        if (::mount("tmpfs", directory_.path().c_str(), "tmpfs", 0, ("size=" + size).c_str()) != 0)
            throw CannotRun("no file system can be mounted here");
    }
    ~Disk() { ::umount2(directory_.path().c_str(), MNT_DETACH); }
    bool make_read_only() const {
        return ::mount(nullptr, directory_.path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) == 0;
    }
    const std::string& path() const { return directory_.path(); }

private:
    TemporaryDirectory directory_;
};

}  // namespace

TEST(Recording, IsReadWhileItIsWrittenAndOneFileAtItsEnd) {
    const auto culprit = Culprit::in_position({"read_eof"});
    const std::string port = culprit->truth().at("port").dump();
    Recording recording({"-L", port, "--min-held", "0ms"});
    EXPECT_EQ(recording.ask_until("SELECT count(*), min(precision) FROM open_holds", "1|at-least\n"),
              "1|at-least\n");
    EXPECT_GE(told_by(recording.file()).looks, 1U);
    culprit->wait_until_held_for(3500ms);
    EXPECT_EQ(recording.ask_until("SELECT cause FROM open_holds", "eof-ignored\n"), "eof-ignored\n");
    culprit->close();
    EXPECT_EQ(recording.ask_until("SELECT ended_by, closer FROM ended_holds", "program|read_eof\n"),
              "program|read_eof\n");
    EXPECT_EQ(recording.stop(), 0) << recording.process().errors();
    EXPECT_TRUE(recording.is_one_file());
    EXPECT_EQ(recording.ask("PRAGMA integrity_check; SELECT ending FROM recording"), "ok\nasked\n");
    const Told told = told_by(recording.file());
    EXPECT_EQ(told.left, 1U);
    EXPECT_EQ(told.about_.ending, store::Ending::kAsked);
}

TEST(Recording, TellsWhatWasShutDownFromWhatWasClosed) {
    Culprit culprit({culprit_path("closed_meanwhile"), "shutdown"});
    const json ready = culprit.next_line();
    Recording recording({"-L", ready.at("port").dump(), "--min-held", "0ms"});
    culprit.command("go");
    EXPECT_EQ(culprit.next_line(60s).at("rounds"), 10);
    EXPECT_EQ(recording.stop(), 0) << recording.process().errors();
    EXPECT_EQ(recording.ask("SELECT ended_by, count(*) FROM ended_holds GROUP BY ended_by"), "shutdown|10\n");
}

TEST(Recording, KeepsHostileNamesByteByByte) {
    const auto culprit = Culprit::in_position({"read_eof", "--comm", "hostile"});
    Recording recording({"-L", culprit->truth().at("port").dump()});
    EXPECT_EQ(recording.stop(), 0) << recording.process().errors();
    EXPECT_TRUE(told_by(recording.file()).comms.contains("\033[2J<script>"));
}

TEST(Recording, KeepsEveryHoldOfAHealthyServer) {
    Recording recording({"--min-held", "0ms"});
    const Finished churn = run(culprit_command({"churn", "--seconds", "1", "--rate", "2000"}));
    ASSERT_EQ(churn.code, 0) << churn.err;
    const auto connections = json::parse(churn.out).at("connections").get<std::uint64_t>();
    EXPECT_EQ(recording.stop(), 0) << recording.process().errors();
    EXPECT_EQ(totals(recording.process().errors()).at("ring"), 0);
    const Told told = told_by(recording.file());
    EXPECT_GE(told.entered, connections);
    EXPECT_GE(told.left, connections);
}

TEST(Recording, EndsAtItsSize) {
    Recording recording({"--min-held", "0ms", "--max-size", "1M"});
    const Finished churn = run(culprit_command({"churn", "--seconds", "3", "--rate", "8000"}));
    ASSERT_EQ(churn.code, 0) << churn.err;
    EXPECT_EQ(recording.process().wait(10s), 0) << recording.process().errors();
    EXPECT_NE(recording.process().errors().find("has reached its size (--max-size)"), std::string::npos)
        << recording.process().errors();
    EXPECT_TRUE(recording.is_one_file());
    EXPECT_LE(std::filesystem::file_size(recording.file()), 1U << 20);
    EXPECT_EQ(told_by(recording.file()).about_.ending, store::Ending::kSize);
}

TEST(Recording, OnAFullDiskEndsAndOpens) try {
    const Disk disk("2m");
    Recording recording({"--min-held", "0ms"}, disk.path());
    const Finished churn = run(culprit_command({"churn", "--seconds", "4", "--rate", "8000"}));
    ASSERT_EQ(churn.code, 0) << churn.err;
    EXPECT_EQ(recording.process().wait(10s), 1) << recording.process().errors();
    EXPECT_NE(recording.process().errors().find("is full: the recording ends here"), std::string::npos)
        << recording.process().errors();
    const Told told = told_by(recording.file());
    EXPECT_GT(told.left, 1000U);
    EXPECT_EQ(told.about_.ending, store::Ending::kFailed) << "room was kept for these words";
    EXPECT_NE(told.about_.failure.find("is full: the recording ends here"), std::string::npos);
} catch (const CannotRun& why) {
    GTEST_SKIP() << why.what();
}

TEST(Recording, CutOffAndReadOnlyItOpensWithItsLog) try {
    const Disk disk("16m");
    Recording recording({"--min-held", "0ms"}, disk.path());
    const Finished churn = run(culprit_command({"churn", "--seconds", "1", "--rate", "1000"}));
    ASSERT_EQ(churn.code, 0) << churn.err;
    std::this_thread::sleep_for(1s);
    recording.process().signal(SIGKILL);
    ASSERT_EQ(recording.process().wait(10s), 128 + SIGKILL);
    ASSERT_TRUE(std::filesystem::exists(recording.file() + "-wal"));
    std::filesystem::remove(recording.file() + "-shm");
    ASSERT_TRUE(disk.make_read_only());
    EXPECT_GE(told_by(recording.file()).left, json::parse(churn.out).at("connections").get<std::uint64_t>());
} catch (const CannotRun& why) {
    GTEST_SKIP() << why.what();
}

// Another user, who may read it but not write beside it; and what it looked like is what it looks like after.
TEST(Recording, CutOffItIsReadByAnotherUserAndStaysAsItIs) {
    if (::geteuid() != 0 || run({"setpriv", "--version"}).code != 0)
        GTEST_SKIP() << "SKIPPED: it takes root and setpriv (util-linux) to be another user";
    TemporaryDirectory directory;
    Recording recording({"--min-held", "0ms"}, directory.path());
    const Finished churn = run(culprit_command({"churn", "--seconds", "1", "--rate", "1000"}));
    ASSERT_EQ(churn.code, 0) << churn.err;
    std::this_thread::sleep_for(1s);
    const auto report_as_other = [&] {
        return run({"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--",
                    waitclose_binary(), "report", "--json", "--min-held", "0", recording.file()});
    };
    recording.process().signal(SIGKILL);
    ASSERT_EQ(recording.process().wait(10s), 128 + SIGKILL);
    std::filesystem::permissions(directory.path(), std::filesystem::perms(0755));
    if (run({"setpriv", "--reuid", "65534", "--clear-groups", "--", "test", "-x", waitclose_binary()}).code !=
        0)
        GTEST_SKIP() << "SKIPPED: another user cannot run " << waitclose_binary();
    std::filesystem::permissions(recording.file(), std::filesystem::perms(0644));
    EXPECT_NE(report_as_other().err.find("-wal', the newest part of the recording, cannot be read"),
              std::string::npos);
    for (const char* suffix : {"-wal", "-shm"})
        std::filesystem::permissions(recording.file() + suffix, std::filesystem::perms(0644));
    const auto sums = [&] { return run({"sh", "-c", "cd \"$0\" && md5sum *", directory.path()}).out; };
    const std::string before = sums();
    const Finished told = report_as_other();
    EXPECT_EQ(told.code, 0) << told.err;
    EXPECT_EQ(sums(), before);
    EXPECT_EQ(run({waitclose_binary(), "report", recording.file()}).code, 0);
    EXPECT_EQ(sums(), before);
    std::filesystem::remove(recording.file() + "-shm");
    EXPECT_EQ(report_as_other().out, told.out);
    EXPECT_EQ(run({waitclose_binary(), "report", recording.file()}).code, 0);
    EXPECT_FALSE(std::filesystem::exists(recording.file() + "-shm"));
}

TEST(Recording, TakenAwayItEndsAndSaysSo) {
    Recording recording({});
    const Finished second = run({waitclose_binary(), "record", "--force", "-o", recording.file()});
    EXPECT_EQ(second.code, 1);
    EXPECT_NE(second.err.find("another recorder is writing"), std::string::npos) << second.err;
    std::filesystem::remove(recording.file());
    EXPECT_EQ(recording.process().wait(10s), 1);
    EXPECT_NE(recording.process().errors().find("was removed or replaced while it was written"),
              std::string::npos)
        << recording.process().errors();
}

TEST(Recording, IsNotReplacedUnasked) {
    TemporaryDirectory directory;
    const std::string file = directory.path() + "/a.db";
    const Arguments record{waitclose_binary(), "record", "-o", file, "--duration", "1ms"};
    EXPECT_EQ(run(record).code, 0);
    const Finished again = run(record);
    EXPECT_EQ(again.code, 1);
    EXPECT_NE(again.err.find("there is a recording"), std::string::npos) << again.err;
    Arguments forced = record;
    forced.emplace_back("--force");
    EXPECT_EQ(run(forced).code, 0);
    EXPECT_EQ(run({waitclose_binary(), "record"}).code, 2);
    EXPECT_EQ(run({waitclose_binary(), "record", "-o", "/nowhere/a.db"}).code, 1);
    EXPECT_EQ(run({waitclose_binary(), "record", "-o", file, "--max-size", "many"}).code, 2);
    const auto expect_wrong = [](const Arguments& options, const std::string& words) {
        Arguments argv{waitclose_binary()};
        argv.insert(argv.end(), options.begin(), options.end());
        const Finished wrong = run(argv);
        EXPECT_EQ(wrong.code, 2) << wrong.err;
        EXPECT_NE(wrong.err.find(words), std::string::npos) << wrong.err;
    };
    expect_wrong({"record", "-o", file, "--max-size", "1023K"}, "at least 1M");
    expect_wrong({"record", "-o", file, "--duration", "0s"}, "--duration");
    expect_wrong({"watch", "--duration", "0s"}, "--duration");
    expect_wrong({"record", "-o", "-"}, "cannot go to stdout");
    expect_wrong({"record", "-o", ""}, "is empty");
}

// 20,000 events a second, and it dies at any moment.
TEST(Recording, KilledItLosesAtMostTheLastSecondLong) {
    std::uint64_t worst_ns = 0;
    for (int round = 0; round < 20; ++round) {
        SCOPED_TRACE(round);
        Recording recording({"--min-held", "0ms"});
        Process churn(culprit_command({"churn", "--seconds", "60", "--rate", "10000"}));
        std::this_thread::sleep_for(1200ms + 37ms * round);
        recording.process().signal(SIGKILL);
        const auto killed_ns = static_cast<std::uint64_t>(boot_ns());
        ASSERT_EQ(recording.process().wait(10s), 128 + SIGKILL);
        churn.signal(SIGKILL);
        const Told told = told_by(recording.file());
        EXPECT_GT(told.left, 500U);
        const std::uint64_t lost_ns = killed_ns - std::min(killed_ns, told.latest_ns);
        worst_ns = std::max(worst_ns, lost_ns);
        EXPECT_LE(lost_ns, 1'000'000'000U);
        EXPECT_EQ(run({"sqlite3", recording.file(), "PRAGMA integrity_check"}).out, "ok\n");
    }
    RecordProperty("worst_loss_ms", static_cast<int>(worst_ns / 1'000'000));
    std::printf("at worst %.3f s were lost\n", static_cast<double>(worst_ns) / 1e9);
}

}  // namespace runtime
