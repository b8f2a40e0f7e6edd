// SPDX-License-Identifier: BSD-2-Clause
#include "captures.h"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "store/recording.h"

namespace runtime {

namespace fs = std::filesystem;
namespace model = waitclose::model;

namespace {

constexpr auto patience = 60s;

std::string read_whole(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

class Keeper : public waitclose::store::Player {
public:
    explicit Keeper(model::Activity& kept) : kept_(kept) {}

    void about(const waitclose::store::About&) override {}
    void on(const model::Entered&) override {}
    void on(const model::Left&) override {}
    void on(const model::Transition&) override {}
    void look_begins(std::uint64_t) override {}
    void look(model::Census&) override {}
    void losses(std::uint64_t, const model::Losses&) override {}
    void activity(model::Activity& activity) override { kept_ = std::move(activity); }

private:
    model::Activity& kept_;
};

std::map<std::string, std::uint64_t> flames_in(const std::string& folded) {
    std::map<std::string, std::uint64_t> flames;
    std::istringstream lines(folded);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t blank = line.rfind(' ');
        flames[line.substr(0, blank)] = std::stoull(line.substr(blank + 1));
    }
    return flames;
}

// That the bundle is whole: every file that the manifest lists, with so many bytes, and nothing else.
void check_files(const std::string& directory, Bundle& bundle) {
    std::set<std::string> listed{"manifest.json"};
    for (const json& file : bundle.manifest.at("files")) {
        const std::string name = file.at("name");
        listed.insert(name);
        std::error_code missing;
        const auto bytes = fs::file_size(fs::path(directory) / name, missing);
        if (missing || bytes != file.at("bytes"))
            bundle.wrong.push_back(name + " is not as long as the manifest says");
    }
    for (const auto& entry : fs::directory_iterator(directory))
        if (!listed.contains(entry.path().filename()))
            bundle.wrong.push_back(entry.path().filename().string() + " is not in the manifest");
}

Bundle read_bundle(const std::string& directory, Finished finished) {
    Bundle bundle;
    bundle.finished = std::move(finished);
    bundle.manifest = json::parse(read_whole(directory + "/manifest.json"), nullptr, false);
    if (bundle.manifest.is_discarded()) {
        bundle.manifest = nullptr;
        bundle.wrong.push_back("there is no manifest; on stderr: " + bundle.finished.err);
        return bundle;
    }
    check_files(directory, bundle);
    bundle.report = read_whole(directory + "/report.txt");
    std::istringstream lines(bundle.report);
    std::string line;
    for (int i = 0; i < 3 && std::getline(lines, line); ++i)
        bundle.first_lines +=
            (i ? " " : "") + line.substr(std::min(line.find_first_not_of(' '), line.size()));
    std::istringstream holds(read_whole(directory + "/timeline.ndjson"));
    while (std::getline(holds, line)) bundle.holds.push_back(json::parse(line));
    bundle.flames = flames_in(read_whole(directory + "/timeline.folded"));
    Keeper keeper(bundle.activity);
    if (const auto played = waitclose::store::play(directory + "/recording.db", keeper); !played)
        bundle.wrong.push_back(played.error().what);
    return bundle;
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

Capture::Capture(const Arguments& options, const std::string& duration) {
    const std::string ready = directory_.path() + "/ready";
    // These tests are not about its budget: on a busy machine it would leave looks and samples out.
    Arguments argv{waitclose_binary(), "capture", "-o",         directory(), "--duration",     duration,
                   "--ready-file",     ready,     "--min-held", "0ms",       "--max-overhead", "100%"};
    argv.insert(argv.end(), options.begin(), options.end());
    process_ = std::make_unique<Process>(argv);
    wait_for_file(ready);
}

Bundle Capture::finish() {
    const int code = process_->wait(patience).value_or(-1);
    return read_bundle(directory(), {code, process_->output(), process_->errors()});
}

Bundle Capture::stop(std::chrono::milliseconds seen) {
    std::this_thread::sleep_for(seen);  // the scenario, not a synchronisation
    process_->signal(SIGINT);
    return finish();
}

Bundle capture(const Arguments& options, const std::string& duration) {
    return Capture(options, duration).finish();
}

const json* hold_of(const Bundle& bundle, const json& truth) {
    for (const json& hold : bundle.holds)
        if (is_about({{"socket", hold}}, truth)) return &hold;
    return nullptr;
}

const model::ThreadActivity* thread_of(const Bundle& bundle, const json& tid) {
    const auto found =
        std::ranges::find(bundle.activity.threads, tid.get<std::uint32_t>(), &model::ThreadActivity::tid);
    return found == bundle.activity.threads.end() ? nullptr : &*found;
}

std::set<std::string> functions_of(const Bundle& bundle, const json& tid) {
    const model::ThreadActivity* thread = thread_of(bundle, tid);
    std::set<std::uint32_t> stacks;
    if (thread) {
        stacks.insert(thread->resting_stack);
        for (const model::CpuSample& sample : thread->samples) stacks.insert(sample.stack);
        for (const model::Interval& interval : thread->intervals)
            if (interval.sleep != model::kNowhere)
                stacks.insert(bundle.activity.sleeps.at(interval.sleep).stack);
    }
    stacks.erase(model::kNowhere);
    std::set<std::string> functions;
    for (const std::uint32_t stack : stacks)
        for (const model::Frame& frame : bundle.activity.stacks.at(stack)) functions.insert(frame.function);
    return functions;
}

std::string widest_flame(const Bundle& bundle, const std::string& comm) {
    const std::pair<const std::string, std::uint64_t>* widest = nullptr;
    for (const auto& flame : bundle.flames)
        if (flame.first.starts_with(comm + ";") && (!widest || flame.second > widest->second))
            widest = &flame;
    return widest ? widest->first : "";
}

std::uint64_t spent(const model::ThreadActivity& thread, model::Doing doing) {
    std::uint64_t sum = 0;
    for (const model::Interval& interval : thread.intervals)
        if (interval.doing == doing) sum += interval.end_ns - interval.begin_ns;
    return sum;
}

std::vector<std::string> not_named(const Bundle& bundle, const json& truth) {
    std::vector<std::string> missing = bundle.wrong;
    const std::string function = truth.at("function");
    const auto seen = functions_of(bundle, truth.at("tid"));
    if (std::ranges::none_of(seen, [&](const std::string& name) { return has(name, function); }))
        missing.push_back("no stack of thread " + truth.at("tid").dump() + " has " + function +
                          " in it, but " + json(seen).dump());
    const json* hold = hold_of(bundle, truth);
    if (!hold) {
        missing.push_back("the hold is not in the bundle");
        return missing;
    }
    if (truth.at("cause") == "unknown") return missing;  // the culprit does not ask for more
    if (hold->at("cause").is_null() || hold->at("cause").at("id") != truth.at("cause"))
        missing.push_back("the cause is not " + truth.at("cause").dump() + ": " + hold->at("cause").dump(1));
    const json because = hold->at("cause").is_null() ? json::array() : hold->at("cause").at("because");
    const json& chain = truth.at("chain");
    for (std::size_t i = 0; i < chain.size(); ++i) {
        const json link = i < because.size() ? because[i] : json{{"tid", 0}, {"function", ""}};
        const std::string named = link.at("function").is_null() ? "" : link.at("function").get<std::string>();
        if (link.at("tid") != chain[i].at("tid") || !has(named, chain[i].at("function")))
            missing.push_back("the wait chain has not " + chain[i].dump() + " but " + link.dump());
    }
    const std::string comm = hold->at("owner").is_null() ? "" : hold->at("owner").value("comm", "");
    if (const std::string widest = widest_flame(bundle, comm); !has(widest, function))
        missing.push_back("the widest flame of " + comm + " is '" + widest + "'");
    return missing;
}

std::vector<std::string> not_in_first_lines(const Bundle& bundle, const json& truth) {
    std::vector<std::string> missing;
    const model::ThreadActivity* thread = thread_of(bundle, truth.at("tid"));
    for (const std::string& word :
         {thread ? thread->comm : "the thread's name", truth.at("tid").dump(),
          truth.at("function").get<std::string>(), truth.at("resource").get<std::string>()})
        if (!has(bundle.first_lines, word))
            missing.push_back(word + " is not in the first three lines: " + bundle.first_lines);
    return missing;
}

}  // namespace runtime
