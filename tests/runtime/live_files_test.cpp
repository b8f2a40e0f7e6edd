// SPDX-License-Identifier: BSD-2-Clause
// The live view: what it records and writes, and what it says where it cannot.
#include <iterator>
#include <utility>

#include "screen.h"

namespace runtime {

TEST_F(Live, WritesWhatItShows) {
    Screen screen(100, 30);
    const auto culprit = Culprit::in_position({"read_eof"});
    screen.start({"live", pid_option(*culprit)}, "cd " + screen.directory() + "; ");
    screen.wait_for("read_eof");
    screen.press({"w"});
    screen.wait_for("written: ");
    screen.press({"q"});
    screen.expect_sane("left with 0");
    json document;
    std::string text;
    for (const auto& entry : std::filesystem::directory_iterator(screen.directory())) {
        std::ifstream file(entry.path());
        const std::string content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
        if (entry.path().extension() == ".json") document = json::parse(content, nullptr, false);
        if (entry.path().extension() == ".txt") text = content;
    }
    EXPECT_TRUE(shows(text, "read_eof")) << text;
    ASSERT_TRUE(document.is_object()) << document;
    EXPECT_EQ(document.at("sockets").size(), 1U);
    EXPECT_TRUE(find_socket(document, culprit->truth()));
}

TEST_F(Live, RecordsWhatIsWatched) {
    Screen screen(100, 30);
    const auto before = Culprit::in_position({"read_eof", "--comm", "live-rec"});
    screen.start({"live", "--comm live-rec"}, "cd " + screen.directory() + "; ");
    screen.wait_for("eof-ignored");
    const auto seen_begin = Culprit::in_position({"read_eof", "--comm", "live-rec"});
    screen.wait_for("live-rec (" + seen_begin->truth().at("pid").dump() + ")");
    screen.press({"r"});
    screen.wait_for("r ends it");
    screen.wait_for("REC");
    const auto meanwhile = Culprit::in_position({"read_eof", "--comm", "live-rec"});
    screen.wait_for("live-rec (" + meanwhile->truth().at("pid").dump() + ")");
    screen.press({"r"});
    const std::string seen = screen.wait_for("recorded: waitclose-");
    EXPECT_FALSE(shows(seen, "REC")) << seen;
    const auto paths = files_in(screen.directory(), ".db");
    ASSERT_EQ(paths.size(), 1U);
    EXPECT_TRUE(files_in(screen.directory(), ".db-wal").empty());
    const Finished report = run({waitclose_binary(), "report", paths.front()});
    EXPECT_EQ(report.code, 0) << report.err;
    for (const auto* culprit : {before.get(), seen_begin.get(), meanwhile.get()})
        EXPECT_TRUE(shows(report.out, "(" + culprit->truth().at("pid").dump() + ")")) << report.out;
    EXPECT_TRUE(shows(report.out, "eof-ignored")) << report.out;
    // What the session saw before is not forgotten.
    // Others on this machine may hold something, too.
    EXPECT_EQ(
        run({"sqlite3", paths.front(), "SELECT count(*) >= 2 FROM holds WHERE precision = 'exact'"}).out,
        "1\n");
    screen.press({"q"});
    screen.expect_sane("left with 0");
}

TEST_F(Live, SaysWhyItCannotRecordAndGoesOn) {
    Screen screen(120, 24);
    const auto culprit = Culprit::in_position({"read_eof"});
    screen.start({"live", pid_option(*culprit)}, "cd /proc; ");
    screen.wait_for("eof-ignored");
    for (const auto& [key, words] : {std::pair{"r", "cannot be created"}, {"w", "cannot write to"}}) {
        screen.press({key});
        const std::string seen = screen.wait_for(words);
        EXPECT_TRUE(shows(seen, "start waitclose in a")) << seen;
        EXPECT_FALSE(shows(seen, "REC")) << seen;
    }
    screen.press({"Enter"});
    screen.wait_for("one hold");
    screen.press({"q"});
    screen.expect_sane("left with 0");
}

TEST_F(Live, SurvivesAFullDisk) {
    Screen screen(120, 24);
    const std::string directory = screen.directory() + "/small";
    std::filesystem::create_directory(directory);
    if (run({"mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", directory}).code != 0)
        GTEST_SKIP() << "SKIPPED: no tmpfs can be mounted here";
    const auto culprit = Culprit::in_position({"read_eof"});
    // What the machine holds goes into the recording, too. Else a quiet one would take minutes to fill the
    // disk.
    Process crowd({culprit_path("crowd"), "--connections", "1000"});
    ASSERT_TRUE(crowd.read_line(20s)) << crowd.errors();
    screen.start({"live", pid_option(*culprit)}, "cd " + directory + "; ");
    screen.wait_for("eof-ignored");
    screen.press({"r"});
    const auto is_full = [](const std::string& seen) {
        return shows(seen, "the disk of") || shows(seen, "cannot");
    };
    screen.wait_until([&](const std::string& seen) { return shows(seen, "REC") || is_full(seen); });
    crowd.write_line("start");
    screen.wait_until(is_full);
    EXPECT_FALSE(shows(screen.text(), "REC"));
    screen.press({"Enter"});
    screen.wait_for("one hold");
    screen.press({"q"});
    screen.expect_sane("left with 0");
    run({"umount", "-l", directory});
}

}  // namespace runtime
