// SPDX-License-Identifier: BSD-2-Clause
#include "hosted.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace culprit {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

// The distribution's own interpreters: a shim in front of them would be one more process.
std::string program_at(const std::string& name) {
    for (const char* directory : {"/usr/bin/", "/usr/local/bin/"})
        if (access((directory + name).c_str(), X_OK) == 0) return directory + name;
    return "";
}

void become(const std::string& program, std::vector<std::string>& command, unsigned most_files) {
    if (most_files != 0) {
        const rlimit limit{most_files, most_files};
        check(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
    }
    command[0] = program;  // what a runtime takes for itself
    std::vector<char*> argv;
    for (std::string& word : command) argv.push_back(word.data());
    argv.push_back(nullptr);
    execv(program.c_str(), argv.data());
    fail("execv");
}

// The inode of the socket that has these ports; 0 when no file belongs to it.
unsigned long inode_of(std::uint16_t local, std::uint16_t remote) {
    const auto port = [](const std::string& end) {
        return std::stoul(end.substr(end.rfind(':') + 1), nullptr, 16);
    };
    for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        std::ifstream file(table);
        std::string line;
        std::getline(file, line);
        while (std::getline(file, line)) {
            std::istringstream words(line);
            std::string number, here, there, unused;
            unsigned long inode = 0;
            words >> number >> here >> there;
            for (int i = 0; i < 6; ++i) words >> unused;
            words >> inode;
            if (port(here) == local && port(there) == remote) return inode;
        }
    }
    return 0;
}

}  // namespace

Hosted::Hosted(std::vector<std::string> command, unsigned most_files) {
    const std::string program = program_at(command.at(0));
    if (program.empty()) skip(command[0] + " is not installed");
    command.at(1) = (fs::read_symlink("/proc/self/exe").parent_path() / command[1]).string();
    if (!fs::exists(command[1])) skip(command[1] + " is not there");
    int in[2];
    int out[2];
    check(pipe2(in, O_CLOEXEC), "pipe2");
    check(pipe2(out, O_CLOEXEC), "pipe2");
    child_ = start_child("", [&](int) {
        check(dup2(in[0], STDIN_FILENO), "dup2");
        check(dup2(out[1], STDOUT_FILENO), "dup2");
        become(program, command, most_files);
    });
    close(in[0]);
    close(out[1]);
    orders_ = in[1];
    lines_ = fdopen(out[0], "r");
    if (!lines_) fail("fdopen");
    announced_ = hear("port");
}

json Hosted::hear() {
    char* line = nullptr;
    std::size_t size = 0;
    if (getline(&line, &size, lines_) < 0) fail("the runtime ended");
    json heard = json::parse(line);
    std::free(line);
    if (heard.contains("skip")) skip(heard.at("skip"));
    return heard;
}

json Hosted::hear(const char* expected) {
    json heard = hear();
    if (heard.contains(expected)) return heard;
    std::fprintf(stderr, "culprit: heard %s instead of %s\n", heard.dump().c_str(), expected);
    std::exit(1);
}

void Hosted::order(const char* word) const {
    write_all(orders_, std::string(word) + "\n");
}

pid_t thread_of(pid_t pid, const json& line) {
    if (line.contains("tid")) return line.at("tid");
    const std::string wanted = line.at("thread").get<std::string>().substr(0, 15);
    for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
        std::ifstream file(entry.path() / "comm");
        std::string comm;
        if (std::getline(file, comm) && comm == wanted) return std::stoi(entry.path().filename());
    }
    return -1;
}

int descriptor_of(pid_t pid, std::uint16_t local_port, std::uint16_t remote_port) {
    const std::string wanted = "socket:[" + std::to_string(inode_of(local_port, remote_port)) + "]";
    for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
        std::error_code gone;
        if (fs::read_symlink(entry.path(), gone) == wanted) return std::stoi(entry.path().filename());
    }
    return -1;
}

}  // namespace culprit
