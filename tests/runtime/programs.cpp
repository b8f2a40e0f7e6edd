// SPDX-License-Identifier: BSD-2-Clause
#include "programs.h"

#include <algorithm>

#include <csignal>
#include <cstdlib>
#include <regex>
#include <stdexcept>

#include "clock.h"

#include <sys/inotify.h>

namespace runtime {

namespace {

std::string from_environment(const char* name, const char* otherwise) {
    const char* value = std::getenv(name);
    return value && *value ? value : otherwise;
}

}  // namespace

std::string waitclose_binary() {
    return from_environment("WAITCLOSE_BIN", WAITCLOSE_BIN_DEFAULT);
}

std::string culprit_path(const std::string& name) {
    return from_environment("WAITCLOSE_CULPRITS", WAITCLOSE_CULPRITS_DEFAULT) + "/" + name;
}

Arguments culprit_command(const Arguments& command) {
    Arguments argv = command;
    argv.front() = culprit_path(argv.front());
    return argv;
}

std::unique_ptr<Culprit> Culprit::in_position(const Arguments& command) {
    auto culprit = std::make_unique<Culprit>(culprit_command(command));
    culprit->truth_ = culprit->announced_ = culprit->first_line();
    return culprit;
}

std::unique_ptr<Culprit> Culprit::waiting(const Arguments& command, const std::string& option,
                                          const std::string& next) {
    Arguments argv = culprit_command(command);
    argv.push_back(option);
    auto culprit = std::make_unique<Culprit>(argv);
    culprit->announced_ = culprit->first_line();
    culprit->next_command_ = next;
    return culprit;
}

std::unique_ptr<Culprit> Culprit::before_fin(const Arguments& command) {
    return waiting(command, "--wait-for-fin", "fin");
}

std::unique_ptr<Culprit> Culprit::before_start(const Arguments& command) {
    return waiting(command, "--wait-for-start", "start");
}

// A client's own port is not known before it connects; its server's is.
Arguments Culprit::selection() const {
    const json& port = announced_.at("port");
    if (!port.is_null()) return {"-L", port.dump()};
    return {"-D", announced_.at("remote_port").dump()};
}

void Culprit::reach_position() {
    command(next_command_);
    truth_ = next_line(60s);
}

void Culprit::wait_until_held_for(std::chrono::milliseconds age) {
    std::int64_t end = truth_.at("fin_after_ns").get<std::int64_t>() + age.count() * 1'000'000;
    while (boot_ns() < end)
        if (process_.read_line(std::chrono::milliseconds((end - boot_ns()) / 1'000'000 + 1)))
            throw std::runtime_error("the culprit spoke without being asked");
}

json Culprit::close() {
    command("close");
    return next_line();
}

json Culprit::first_line() {
    json line = next_line(60s);  // a runtime may have to compile its program first
    if (line.contains("skip")) throw CannotRun(line.at("skip").get<std::string>());
    return line;
}

json Culprit::next_line(std::chrono::milliseconds patience) {
    std::optional<std::string> line = process_.read_line(patience);
    if (!line) throw std::runtime_error("the culprit said nothing; on stderr: " + process_.errors());
    return json::parse(*line);
}

Snapshot snapshot(const Arguments& options) {
    Arguments argv{waitclose_binary(), "snapshot", "--json"};
    argv.insert(argv.end(), options.begin(), options.end());
    if (std::find(options.begin(), options.end(), "--min-held") == options.end())
        argv.insert(argv.end(), {"--min-held", "0ms"});
    Snapshot taken{run(argv), nullptr};
    taken.document = json::parse(taken.finished.out, nullptr, false);
    if (taken.document.is_discarded()) taken.document = nullptr;
    return taken;
}

const json* find_socket(const json& snapshot, const json& truth) {
    if (!snapshot.is_object() || !snapshot.contains("sockets")) return nullptr;
    for (const json& socket : snapshot.at("sockets"))
        if (is_about({{"socket", socket}}, truth)) return &socket;
    return nullptr;
}

bool is_about(const json& event, const json& truth) {
    if (!event.contains("socket")) return false;
    const json& socket = event.at("socket");
    const auto is = [](const json& got, const json& wanted) { return wanted.is_null() || got == wanted; };
    if (truth.contains("netns") && socket.at("netns") != truth.at("netns")) return false;
    return is(socket.at("local").at("port"), truth.at("port")) &&
           is(socket.at("remote").at("port"), truth.at("remote_port"));
}

// The ready file appears when every probe is attached; inotify says so, and a process that ends early says so
// too.
Watch::Watch(const Arguments& options, Form form) : form_(form) {
    Descriptor inotify(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (inotify_add_watch(inotify.get(), directory_.path().c_str(), IN_CREATE | IN_MOVED_TO) < 0)
        throw std::runtime_error("inotify_add_watch");
    Arguments argv{waitclose_binary(), "watch", "--ready-file", directory_.path() + "/ready"};
    if (form == Form::ndjson) argv.emplace_back("--json");
    argv.insert(argv.end(), options.begin(), options.end());
    process_ = std::make_unique<Process>(argv);
    if (!process_->wait_for_exit_or(inotify.get(), 20s))
        throw std::runtime_error("waitclose watch is not ready; on stderr: " + process_->errors());
}

json Watch::parse(const std::string& line) {
    json event = json::parse(line, nullptr, false);
    if (event.is_discarded()) throw std::runtime_error("not a line of JSON: " + line);
    if (keeps_events_) events_.push_back(event);
    return event;
}

json Watch::until(const std::function<bool(const json&)>& condition, std::chrono::milliseconds patience) {
    // An emulated machine takes several times as long for everything but waiting.
    static const int times = std::atoi(from_environment("WAITCLOSE_PATIENCE", "1").c_str());
    Deadline deadline(patience * std::max(times, 1));
    while (std::optional<std::string> line =
               process_->read_line(std::chrono::milliseconds(deadline.milliseconds_left()))) {
        json event = parse(*line);
        if (condition(event)) return event;
    }
    return nullptr;
}

Finished Watch::stop() {
    process_->signal(SIGINT);
    std::optional<int> code = process_->wait(30s);
    while (form_ == Form::ndjson) {
        std::optional<std::string> line = process_->read_line(0ms);
        if (!line) break;
        parse(*line);
    }
    return {code.value_or(-1), process_->output(), process_->errors()};
}

json totals(const std::string& errors) {
    static const std::regex line(
        R"(entered (\d+), closed (\d+), still open (\d+); lost: ring (\d+), storage (\d+), reconciled (\d+))");
    std::smatch found;
    if (!std::regex_search(errors, found, line)) return nullptr;
    auto number = [&](std::size_t i) { return std::stoll(found[i]); };
    return {{"entered", number(1)}, {"closed", number(2)},  {"open", number(3)},
            {"ring", number(4)},    {"storage", number(5)}, {"reconciled", number(6)}};
}

}  // namespace runtime
