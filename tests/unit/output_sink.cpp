// SPDX-License-Identifier: BSD-2-Clause
#include "output/sink.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace waitclose::output {
namespace {

namespace fs = std::filesystem;

class OutputSink : public testing::Test {
protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "waitclose-sink-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        directory_ = name;
        ::signal(SIGPIPE, SIG_IGN);
    }
    void TearDown() override { fs::remove_all(directory_); }

    std::string path(const char* name) const { return directory_ / name; }
    std::ptrdiff_t files() const {
        return std::distance(fs::directory_iterator(directory_), fs::directory_iterator());
    }
    static std::string read(const std::string& file) {
        std::ifstream in(file);
        return {std::istreambuf_iterator<char>(in), {}};
    }

    fs::path directory_;
};

TEST_F(OutputSink, FileAppearsWholeWhenFinished) {
    auto sink = Sink::open(path("out"));
    ASSERT_TRUE(sink);
    sink->write("hello ");
    sink->write(std::string(200'000, 'x'));
    ASSERT_TRUE(sink->flush());
    EXPECT_FALSE(fs::exists(path("out")));
    ASSERT_TRUE(sink->finish());
    EXPECT_EQ(read(path("out")), "hello " + std::string(200'000, 'x'));
    EXPECT_EQ(files(), 1);
}

TEST_F(OutputSink, NothingIsLeftWithoutFinish) {
    {
        auto sink = Sink::open(path("out"));
        ASSERT_TRUE(sink);
        sink->write("half");
        ASSERT_TRUE(sink->flush());
        EXPECT_EQ(files(), 1);
    }
    EXPECT_EQ(files(), 0);
}

TEST_F(OutputSink, OldContentStaysUntilFinishAndItsModeAfterwards) {
    std::ofstream(path("out")) << "old";
    ::chmod(path("out").c_str(), 0640);
    auto sink = Sink::open(path("out"));
    ASSERT_TRUE(sink);
    sink->write("new");
    ASSERT_TRUE(sink->flush());
    EXPECT_EQ(read(path("out")), "old");
    ASSERT_TRUE(sink->finish());
    EXPECT_EQ(read(path("out")), "new");
    EXPECT_EQ(fs::status(path("out")).permissions(), fs::perms(0640));
}

TEST_F(OutputSink, SymbolicLinkIsReplacedNotFollowed) {
    std::ofstream(path("precious")) << "keep";
    fs::create_symlink(path("precious"), path("out"));
    auto sink = Sink::open(path("out"));
    ASSERT_TRUE(sink);
    sink->write("data");
    ASSERT_TRUE(sink->finish());
    EXPECT_EQ(read(path("precious")), "keep");
    EXPECT_EQ(read(path("out")), "data");
}

TEST_F(OutputSink, FullDeviceIsASentence) {
    auto sink = Sink::open("/dev/full");
    ASSERT_TRUE(sink);
    sink->write("x");
    const auto result = sink->finish();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error(), "cannot write to /dev/full: No space left on device");
    EXPECT_TRUE(sink->ended());
    EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST_F(OutputSink, FirstErrorSticks) {
    auto sink = Sink::open("/dev/full");
    ASSERT_TRUE(sink);
    sink->write("x");
    ASSERT_FALSE(sink->flush());
    sink->write("y");
    EXPECT_FALSE(sink->flush());
    EXPECT_FALSE(sink->finish());
}

TEST_F(OutputSink, PlacesThatCannotBeWrittenAreSentences) {
    EXPECT_EQ(Sink::open(path("no/such/dir")).error(),
              "cannot write to " + path("no/such/dir") + ": No such file or directory");
    EXPECT_EQ(Sink::open("/proc/out").error(), "cannot write to /proc/out: No such file or directory");
    EXPECT_EQ(Sink::open(directory_.string()).error(),
              "cannot write to " + directory_.string() + ": Is a directory");
    EXPECT_FALSE(Sink::open(""));
    EXPECT_FALSE(Sink::open(path("new") + "/"));
    EXPECT_EQ(Sink::open(path("a\x1b[2J/b")).error(),
              "cannot write to " + path("a\\e[2J/b") + ": No such file or directory");
    EXPECT_EQ(files(), 0);
}

TEST_F(OutputSink, UnwritableDirectoryAndFile) {
    std::ofstream(path("read-only")) << "keep";
    ::chmod(path("read-only").c_str(), 0444);
    ::chmod(directory_.c_str(), 0777);
    const bool is_root = ::geteuid() == 0;  // who may write everywhere
    constexpr uid_t kNobody = 65534;
    if (is_root) {
        ASSERT_EQ(::seteuid(kNobody), 0);
    }
    EXPECT_EQ(Sink::open(path("read-only")).error(),
              "cannot write to " + path("read-only") + ": Permission denied");
    if (is_root) {
        ASSERT_EQ(::seteuid(0), 0);
    }
    ::chmod(directory_.c_str(), 0555);
    if (is_root) {
        ASSERT_EQ(::seteuid(kNobody), 0);
    }
    EXPECT_EQ(Sink::open(path("out")).error(), "cannot write to " + path("out") + ": Permission denied");
    if (is_root) {
        ASSERT_EQ(::seteuid(0), 0);
    }
    ::chmod(directory_.c_str(), 0755);
}

TEST_F(OutputSink, LongestNameIsPossible) {
    const std::string name(255, 'n');
    auto sink = Sink::open(path(name.c_str()));
    ASSERT_TRUE(sink);
    ASSERT_TRUE(sink->finish());
    EXPECT_TRUE(fs::exists(path(name.c_str())));
}

TEST_F(OutputSink, FailedRenameLeavesNothing) {
    auto sink = Sink::open(path("out"));
    ASSERT_TRUE(sink);
    fs::create_directory(path("out"));  // somebody was quicker
    const auto result = sink->finish();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error(), "cannot write to " + path("out") + ": Is a directory");
    sink = tl::unexpected(std::string());
    EXPECT_EQ(files(), 1);
}

TEST_F(OutputSink, FifoIsWrittenDirectly) {
    ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
    const int reader = ::open(path("fifo").c_str(), O_RDONLY | O_NONBLOCK);
    auto sink = Sink::open(path("fifo"));
    ASSERT_TRUE(sink);
    sink->write("line\n");
    ASSERT_TRUE(sink->finish());
    char buffer[16] = {};
    EXPECT_EQ(::read(reader, buffer, sizeof buffer), 5);
    EXPECT_TRUE(fs::is_fifo(path("fifo")));
    ::close(reader);
}

TEST_F(OutputSink, ReaderThatLeftEndsQuietly) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    ::close(ends[0]);
    Sink sink = Sink::to_descriptor(ends[1], "stdout");
    sink.write("x");
    EXPECT_TRUE(sink.flush());
    EXPECT_TRUE(sink.ended());
    EXPECT_TRUE(sink.reader_gone());
    EXPECT_TRUE(sink.finish());
    ::close(ends[1]);
}

}  // namespace
}  // namespace waitclose::output
