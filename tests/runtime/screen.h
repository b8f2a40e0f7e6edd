// SPDX-License-Identifier: BSD-2-Clause
// A real terminal for the live view, which is tmux.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <poll.h>

#include "programs.h"

namespace runtime {

// One window of a tmux server of its own, with a shell that is there before and after waitclose.
class Screen {
public:
    Screen(int columns, int rows, const std::string& environment = "LANG=C.UTF-8") {
        run({"tmux", "-S", socket(), "-f", "/dev/null", "new-session", "-d", "-x", std::to_string(columns),
             "-y", std::to_string(rows),
             "env PS1='ready> ' " + environment + " HISTFILE= bash --norc --noprofile"});
        wait_for("ready>");
    }
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;
    ~Screen() { tmux({"kill-server"}); }

    // `keys` as tmux names them.
    void press(const Arguments& keys) {
        Arguments command{"send-keys"};
        command.insert(command.end(), keys.begin(), keys.end());
        tmux(command);
    }
    void type(const std::string& text) { tmux({"send-keys", "-l", text}); }
    // As a terminal does it for a program that asks for marks around it.
    void paste(const std::string& text) {
        tmux({"set-buffer", "--", text});
        tmux({"paste-buffer", "-p", "-r"});
    }
    std::string terminal() {
        std::string path = tmux({"display-message", "-p", "#{pane_tty}"});
        path.erase(path.find_last_not_of('\n') + 1);
        return path;
    }
    // Whether the cursor is seen, and the other screen is shown: "1 0".
    std::string cursor_and_alternate() {
        return tmux({"display-message", "-p", "#{cursor_flag} #{alternate_on}"});
    }
    void resize(int columns, int rows) {
        tmux({"resize-window", "-x", std::to_string(columns), "-y", std::to_string(rows)});
    }
    std::string text(const Arguments& options = {}) {
        Arguments command{"capture-pane", "-p"};
        command.insert(command.end(), options.begin(), options.end());
        return tmux(command);
    }

    // The screen once it shows these words, or as it is when it has not in time.
    std::string wait_for(const std::string& words) {
        return wait_until([&](const std::string& seen) { return seen.find(words) != std::string::npos; });
    }
    std::string wait_until(const std::function<bool(const std::string&)>& is_so) {
        const Deadline deadline(30s);
        for (;;) {
            std::string seen = text();
            if (is_so(seen)) return seen;
            if (deadline.milliseconds_left() == 0) {
                ADD_FAILURE() << "never seen; the screen is\n" << seen;
                return seen;
            }
            poll(nullptr, 0, 20);
        }
    }

    // Starts waitclose there; Empty arguments: `waitclose` alone.
    void start(const Arguments& options, const std::string& before = "") {
        std::string line =
            before + "sh -c 'echo $$ >" + directory_.path() + "/pid; exec " + waitclose_binary();
        for (const std::string& option : options) line += " " + option;
        type(line + "'; echo left with $?; stty -a");
        press({"Enter"});
    }
    pid_t pid() {
        std::ifstream file(directory_.path() + "/pid");
        pid_t pid = 0;
        file >> pid;
        return pid;
    }
    const std::string& directory() const { return directory_.path(); }

    // What stty says of the terminal, and what the shell prints, once waitclose has gone.
    void expect_sane(const std::string& words) {
        wait_for(words);
        std::string after = wait_for("-xcase");
        // A terminal without another screen shows it until it has scrolled away.
        EXPECT_EQ(after.find("CAUSE"), std::string::npos) << "the view is still there\n" << after;
        std::ranges::replace(after, '\n', ' ');
        for (const char* mode : {" icanon", " echo ", " isig", " icrnl", " opost", " onlcr"})
            EXPECT_NE(after.find(mode), std::string::npos) << mode << "\n" << after;
        EXPECT_EQ(cursor_and_alternate(), "1 0\n");
    }

private:
    std::string socket() const { return directory_.path() + "/tmux"; }
    std::string tmux(const Arguments& arguments) {
        Arguments command{"tmux", "-S", socket()};
        command.insert(command.end(), arguments.begin(), arguments.end());
        return run(command).out;
    }

    TemporaryDirectory directory_;
};

class Live : public testing::Test {
protected:
    void SetUp() override {
        if (run({"sh", "-c", "command -v tmux"}).code != 0) GTEST_SKIP() << "SKIPPED: no tmux here";
    }
    std::string pid_option(const Culprit& culprit) { return "-p " + culprit.truth().at("pid").dump(); }
};

inline bool shows(const std::string& text, const std::string& words) {
    return text.find(words) != std::string::npos;
}

// The files in the directory that end so, one path a line.
inline std::vector<std::string> files_in(const std::string& directory, const std::string& extension) {
    std::vector<std::string> paths;
    for (const auto& entry : std::filesystem::directory_iterator(directory))
        if (entry.path().extension() == extension) paths.push_back(entry.path());
    return paths;
}

}  // namespace runtime
