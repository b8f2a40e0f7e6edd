// SPDX-License-Identifier: BSD-2-Clause
// report and export, of recordings of real culprits: what watch says meanwhile is what the report says later.
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include <csignal>

#include <gtest/gtest.h>

#include "features.h"
#include "programs.h"

namespace runtime {

namespace {

class Recording {
public:
    explicit Recording(const Arguments& options = {}) {
        Arguments argv{waitclose_binary(), "record", "-o", path(), "--ready-file", ready()};
        argv.insert(argv.end(), options.begin(), options.end());
        process_ = std::make_unique<Process>(argv);
        const Deadline deadline(30s);
        while (!std::filesystem::exists(ready()) && deadline.milliseconds_left() > 0)
            if (process_->wait(10ms)) throw std::runtime_error("record ended: " + process_->errors());
    }
    std::string path() const { return directory_.path() + "/incident.db"; }
    std::string beside(const std::string& name) const { return directory_.path() + "/" + name; }
    std::optional<int> stop() {
        process_->signal(SIGINT);
        return process_->wait(30s);
    }

private:
    std::string ready() const { return directory_.path() + "/ready"; }

    TemporaryDirectory directory_;
    std::unique_ptr<Process> process_;
};

json report(const Arguments& arguments) {
    Arguments argv{waitclose_binary(), "report", "--json", "--min-held", "0"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    const Finished ran = run(argv);
    EXPECT_EQ(ran.code, 0) << ran.err;
    const json document = json::parse(ran.out, nullptr, false);
    EXPECT_TRUE(document.is_object()) << ran.out.substr(0, 400);
    return document;
}

Finished exported(const std::string& format, const std::string& recording, const std::string& file) {
    return run({waitclose_binary(), "export", "--format", format, "--min-held", "0", "-o", file, recording});
}

std::string read_whole(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::size_t lines_in(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

/// A failure is one sentence and one line what to do.
void expect_failure(const Finished& ran, int code, const std::string& words) {
    EXPECT_EQ(ran.code, code) << ran.err;
    EXPECT_EQ(ran.out, "");
    EXPECT_EQ(lines_in(ran.err), 2U) << ran.err;
    EXPECT_NE(ran.err.find(words), std::string::npos) << ran.err;
}

/// SQLite keeps it there, the most significant byte first (its "user version").
void set_schema_version(const std::string& path, char version) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(60);
    file.write(std::string{0, 0, version, 0}.data(), 4);
    ASSERT_TRUE(file.good());
}

/// Two tracers do not agree on wall time to the nanosecond.
json without_times(json holders) {
    for (json& holder : holders) holder.erase("started_at");
    return holders;
}

class Reports : public testing::TestWithParam<Arguments> {};

}  // namespace

TEST_P(Reports, SayWhatWatchSaidMeanwhile) {
    if (const auto missing = missing_feature(GetParam())) GTEST_SKIP() << *missing;
    auto culprit = Culprit::before_start(GetParam());
    Recording recording;
    Watch watch(culprit->selection());
    culprit->reach_position();
    culprit->wait_until_held_for(1500ms);
    const auto is_diagnosed = [&](const json& event) {
        return is_about(event, culprit->truth()) && !event.at("socket").at("cause").is_null() &&
               event.at("socket").at("cause").at("id") == culprit->truth().at("cause");
    };
    const json event = watch.until(is_diagnosed, 20s);
    ASSERT_FALSE(event.is_null()) << culprit->truth();
    const std::string id = event.at("socket").at("id");
    // Another look of the recorder's has come to the same conclusion by then: it looks as often as watch
    // does.
    json socket;
    for (const Deadline deadline(20s); deadline.milliseconds_left() > 0;) {
        const json document = report({"-L", culprit->truth().at("port").dump(), recording.path()});
        for (const json& group : document.at("groups"))
            if (group.at("longest").at("id") == id) socket = group.at("longest");
        if (!socket.is_null() && socket.at("cause").at("id") == culprit->truth().at("cause")) break;
    }
    watch.stop();
    EXPECT_EQ(recording.stop(), 0);
    ASSERT_FALSE(socket.is_null());
    const json& said = event.at("socket");
    EXPECT_EQ(socket.at("culprit"), said.at("culprit"));
    // Pressure contributes by each one's own window.
    for (const char* key : {"id", "confidence"})
        EXPECT_EQ(socket.at("cause").at(key), said.at("cause").at(key)) << key;
    for (const char* key :
         {"local", "remote", "role", "accepted", "eof_read", "unread_bytes", "held_precision"})
        EXPECT_EQ(socket.at(key), said.at(key)) << key;
    EXPECT_EQ(without_times(socket.at("holders")), without_times(said.at("holders")));
}

INSTANTIATE_TEST_SUITE_P(Culprits, Reports,
                         testing::Values(Arguments{"read_eof", "--mode", "worker"},
                                         Arguments{"never_accepted", "--mode", "single"},
                                         Arguments{"blocked", "--mode", "lock"},
                                         Arguments{"inherited", "--mode", "fork-after"}));

TEST(Report, TellsWhoClosedAndEveryFormatIsReadBack) {
    auto culprit = Culprit::before_start({"blocked", "--mode", "lock"});
    Recording recording({"--all-transitions"});
    culprit->reach_position();
    culprit->wait_until_held_for(1500ms);
    const json closed = culprit->close();
    EXPECT_EQ(recording.stop(), 0);
    const json port = culprit->truth().at("port");

    ASSERT_EQ(exported("ndjson", recording.path(), recording.beside("n")).code, 0);
    std::istringstream lines(read_whole(recording.beside("n")));
    json held;
    for (std::string line; std::getline(lines, line);) {
        const json one = json::parse(line, nullptr, false);
        ASSERT_TRUE(one.is_object()) << line;
        if (one.at("local").at("port") == port) held = one;
    }
    ASSERT_FALSE(held.is_null());
    EXPECT_EQ(held.at("open"), false);
    EXPECT_EQ(held.at("cause").at("id"), "handler-blocked");
    EXPECT_EQ(held.at("wait_class"), "lock");
    EXPECT_EQ(held.at("closer").at("pid"), closed.at("closer_pid"));
    EXPECT_EQ(held.at("closer").at("tid"), closed.at("closer_tid"));

    for (const char* format : {"chrome", "speedscope"}) {
        ASSERT_EQ(exported(format, recording.path(), recording.beside("j")).code, 0);
        EXPECT_TRUE(json::parse(read_whole(recording.beside("j")), nullptr, false).is_object()) << format;
    }
    ASSERT_EQ(exported("folded", recording.path(), recording.beside("f")).code, 0);
    const std::string folded = read_whole(recording.beside("f"));
    EXPECT_TRUE(std::regex_search(folded, std::regex("blocked;handler-blocked;blocked;lock[^\n]* \\d+\n")))
        << folded;
    ASSERT_EQ(exported("perfetto", recording.path(), recording.beside("p")).code, 0);
    if (run({"sh", "-c", "command -v protoc"}).code == 0) {
        const std::string decode = "protoc --decode_raw < " + recording.beside("p");
        EXPECT_EQ(run({"sh", "-c", decode + " > /dev/null"}).code, 0);
    }
    const std::string page = recording.beside("page.html");
    ASSERT_EQ(run({waitclose_binary(), "report", "--html", page, recording.path()}).code, 0);
    EXPECT_NE(read_whole(page).find("handler-blocked"), std::string::npos);
    const Finished text = run({waitclose_binary(), "report", "-L", port.dump(), recording.path()});
    const std::string unwrapped = std::regex_replace(text.out, std::regex("\n +"), " ");
    EXPECT_NE(unwrapped.find(" it was closed by thread blocked"), std::string::npos) << text.out;
}

TEST(Report, ComparesTwoRecordings) {
    Recording quiet;
    EXPECT_EQ(quiet.stop(), 0);
    auto culprit = Culprit::before_start({"never_accepted", "--mode", "single"});
    Recording recording;
    culprit->reach_position();
    culprit->wait_until_held_for(1500ms);
    EXPECT_EQ(recording.stop(), 0);
    const std::string port = culprit->truth().at("port").dump();
    const json changed = report({"-L", port, quiet.path(), recording.path()});
    ASSERT_EQ(changed.at("groups").size(), 1U) << changed;
    EXPECT_EQ(changed.at("groups").at(0).at("change"), "new");
    EXPECT_EQ(changed.at("groups").at(0).at("cause"), "never-accepted");
    const json back = report({"-L", port, recording.path(), quiet.path()});
    EXPECT_EQ(back.at("groups").at(0).at("change"), "gone");
    const json same = report({"-L", port, recording.path(), recording.path()});
    EXPECT_EQ(same.at("groups").at(0).at("change"), "same");
    const Finished text = run({waitclose_binary(), "report", "-L", port, quiet.path(), recording.path()});
    EXPECT_NE(text.out.find("1 group is new."), std::string::npos) << text.out;
}

TEST(Report, FailsInOneSentence) {
    const TemporaryDirectory directory;
    const std::string waitclose = waitclose_binary();
    const std::string missing = directory.path() + "/missing.db";
    expect_failure(run({waitclose, "report", missing}), 1, "missing.db");
    expect_failure(run({waitclose, "export", missing, "--format", "ndjson", "-o", missing + ".out"}), 1,
                   "missing.db");
    EXPECT_FALSE(std::filesystem::exists(missing + ".out"));
    const std::string foreign = directory.path() + "/foreign.db";
    std::ofstream(foreign) << "this is no recording, and was never meant to be one, however long it is";
    expect_failure(run({waitclose, "report", foreign}), 1, "foreign.db");
    expect_failure(run({waitclose, "report", directory.path()}), 1, directory.path());
    expect_failure(run({waitclose, "export", foreign, "--format", "gif"}), 2, "there is no format 'gif'");
    expect_failure(run({waitclose, "report", foreign, foreign, "--html", missing}), 2, "--html");
    EXPECT_EQ(run({waitclose, "report", foreign, "--min-held", "long"}).code, 2);
    EXPECT_EQ(run({waitclose, "report"}).code, 2);
}

TEST(Report, NeverWritesOverARecording) {
    Recording recording;
    EXPECT_EQ(recording.stop(), 0);
    const std::string waitclose = waitclose_binary();
    const std::string file = recording.path();
    const std::string other = recording.beside("other.db");
    std::filesystem::copy(file, other);
    const std::string before = read_whole(file);
    const std::string link = recording.beside("link");
    std::filesystem::create_symlink(file, link);
    const std::string hard = recording.beside("hard");
    std::filesystem::create_hard_link(file, hard);
    for (const std::string& output : {file, other, link, hard}) {
        SCOPED_TRACE(output);
        expect_failure(run({waitclose, "report", file, "--html", output}), 1, "it is not written over");
        expect_failure(run({waitclose, "report", file, "-o", output}), 1, "it is not written over");
        expect_failure(run({waitclose, "report", file, other, "-o", output}), 1, "it is not written over");
        expect_failure(run({waitclose, "export", "--format", "ndjson", file, "-o", output}), 1,
                       "it is not written over");
        expect_failure(run({waitclose, "snapshot", "-o", output}), 1, "it is not written over");
        expect_failure(run({waitclose, "watch", "-o", output}), 1, "it is not written over");
    }
    expect_failure(run({waitclose, "report", file, "-o", file + "-wal"}), 1, "belongs to a recording");
    EXPECT_EQ(read_whole(file), before);
    EXPECT_EQ(read_whole(other), before);
    EXPECT_TRUE(std::filesystem::is_symlink(link));
    const std::string plain = recording.beside("plain");
    std::ofstream(plain) << "old";
    EXPECT_EQ(run({waitclose, "report", file, "-o", plain}).code, 0);
    EXPECT_NE(read_whole(plain), "old");
}

TEST(Report, HelpsAndRefusesByFormat) {
    for (const char* command : {"report", "export"}) {
        const Finished help = run({waitclose_binary(), command, "--help"});
        EXPECT_EQ(help.out.find("as root"), std::string::npos) << help.out;
        EXPECT_NE(help.out.find("needs no privileges"), std::string::npos) << help.out;
    }
    for (const char* format : {"perfetto", "chrome", "ndjson"})
        expect_failure(run({waitclose_binary(), "export", "F.db", "--format", format, "--by", "count"}), 2,
                       "adds nothing up");
}

TEST(Report, FailsInOneSentenceOnARecordingOfLaterAndOnAFullDisk) {
    Recording recording;
    EXPECT_EQ(recording.stop(), 0);
    const std::string waitclose = waitclose_binary();
    const std::string full = "exec \"$0\" \"$@\" > /dev/full";
    for (const Arguments& arguments : {Arguments{"report", recording.path()},
                                       Arguments{"export", "--format", "speedscope", recording.path()}}) {
        Arguments argv{"sh", "-c", full, waitclose};
        argv.insert(argv.end(), arguments.begin(), arguments.end());
        expect_failure(run(argv), 1, "No space left on device");
    }
    set_schema_version(recording.path(), 9);
    expect_failure(run({waitclose, "report", recording.path()}), 1, "newer");
}

// Cases 3, 4, 8 and 17 at once, recorded, in all six outputs.
TEST(Report, OneCommandShowsFourFieldCases) {
    const std::string script = WAITCLOSE_SCRIPTS "/incident";
    const auto build = std::filesystem::path(waitclose_binary()).parent_path();
    if (!std::filesystem::exists(script) || culprit_path("stuck") != build / "tests/culprits/stuck")
        GTEST_SKIP() << "SKIPPED: the tests do not run where they were built";
    if (run({"python3", "--version"}).code != 0) GTEST_SKIP() << "SKIPPED: python3 is not installed";
    const TemporaryDirectory directory;
    const Finished ran = run({script, "--build", build, "--seconds", "2", directory.path()}, 120s);
    EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
    for (const char* name : {"incident.pftrace", "incident.chrome.json", "incident.folded",
                             "incident.speedscope.json", "incident.ndjson", "incident.html", "incident.txt"})
        EXPECT_GT(read_whole(directory.path() + "/" + name).size(), 100U) << name;
}

}  // namespace runtime
