// SPDX-License-Identifier: BSD-2-Clause
// What every format has to say of a recording, whichever it is: a thread's slices do not overlap, nest, and
// sum to its part of the window; a hold is as long as it was held. Each file is read back and told in the
// same words.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "timeline/timeline.h"
#include "timeline_perfetto_reader.h"

namespace waitclose::timeline::testing {

using Lengths = std::multiset<std::uint64_t>;  // in nanoseconds

/// What a file tells. A hold that was passed on is the sum of its parts.
struct Told {
    Lengths threads;
    Lengths holds;
    std::vector<std::string> wrong;  // what breaks the rules
};

/// What all of them should.
inline Told told_by(const Timeline& timeline) {
    Told told;
    for (const Process& process : timeline.processes)
        for (const Thread& thread : process.threads)
            if (!thread.slices.empty()) told.threads.insert(thread.to_ns - thread.from_ns);
    for (const Hold& hold : timeline.holds)
        if (hold.held_ns.value_or(0) > 0) told.holds.insert(*hold.held_ns);
    return told;
}

/// Beginnings and ends of one lane, in the order of the file.
class ReadLane {
public:
    void begin(std::uint64_t at, const std::string& name) {
        pass(at);
        if (open_.empty()) {
            if (has_slices_ && at != at_end_) gaps_ = true;
            if (!has_slices_) from_ = at;
        }
        has_slices_ = true;
        open_.emplace_back(name, at);
    }
    /// Its length and name.
    std::pair<std::string, std::uint64_t> end(std::uint64_t at) {
        pass(at);
        if (open_.empty()) {
            wrong_ = "an end without a beginning";
            return {};
        }
        const auto [name, begun] = open_.back();
        open_.pop_back();
        if (open_.empty()) at_end_ = at;
        return {name, at - begun};
    }
    bool is_gapless() const { return !gaps_; }
    std::uint64_t length() const { return at_end_ - from_; }
    std::string wrong() const { return open_.empty() ? wrong_ : "a beginning without an end"; }

private:
    void pass(std::uint64_t at) {
        if (at < latest_) wrong_ = fmt::format("time runs backwards at {}", at);
        latest_ = at;
    }

    std::vector<std::pair<std::string, std::uint64_t>> open_;
    std::uint64_t from_ = 0;
    std::uint64_t at_end_ = 0;
    std::uint64_t latest_ = 0;
    bool has_slices_ = false;
    bool gaps_ = false;
    std::string wrong_;
};

/// A file as it is read: lanes of threads, lanes of sockets, and what of these is which hold.
class Reading {
public:
    ReadLane& thread(const std::string& key) { return threads_[key]; }
    ReadLane& socket(const std::string& key) { return sockets_[key]; }
    void end_on_socket(const std::string& lane, const std::string& hold, std::uint64_t at) {
        const auto [name, length] = sockets_[lane].end(at);
        if (name.starts_with("CLOSE_WAIT")) holds_[hold] += length;
    }
    Told told() {
        for (auto& [key, lane] : threads_) {
            told_.threads.insert(lane.length());
            if (!lane.is_gapless()) told_.wrong.push_back("a gap in thread " + key);
            if (!lane.wrong().empty()) told_.wrong.push_back("thread " + key + ": " + lane.wrong());
        }
        for (auto& [key, lane] : sockets_)
            if (!lane.wrong().empty()) told_.wrong.push_back("socket " + key + ": " + lane.wrong());
        for (const auto& [key, length] : holds_) told_.holds.insert(length);
        return std::move(told_);
    }

private:
    Told told_;
    std::map<std::string, ReadLane> threads_;
    std::map<std::string, ReadLane> sockets_;
    std::map<std::string, std::uint64_t> holds_;
};

inline Told told_by_chrome(const std::string& text) {
    Reading reading;
    const auto trace = nlohmann::json::parse(text);
    const auto ns = [](const nlohmann::json& us) {
        return static_cast<std::uint64_t>(std::llround(us.get<double>() * 1000));
    };
    std::size_t thread = 0;  // each is named before it is told: ids may come again
    for (const auto& event : trace.at("traceEvents")) {
        const std::string phase = event.at("ph");
        const std::string name = event.at("name");
        if (phase == "M" && name == "thread_name") ++thread;
        if (phase == "B") reading.thread(std::to_string(thread)).begin(ns(event.at("ts")), name);
        if (phase == "E") reading.thread(std::to_string(thread)).end(ns(event.at("ts")));
        if (phase != "b" && phase != "e") continue;
        const std::string id = event.at("id");
        if (phase == "b") reading.socket(id).begin(ns(event.at("ts")), name);
        if (phase == "e") reading.end_on_socket(id, id.substr(0, id.find('.')), ns(event.at("ts")));
    }
    return reading.told();
}

inline Told told_by_perfetto(const std::string& bytes) {
    Reading reading;
    const ReadTrace trace(bytes);
    std::map<std::uint64_t, std::string> hold_of;  // by track: the parts of one have a flow in common
    for (const ReadEvent& event : trace.events)
        if (event.type == 1 && !event.flows.empty())
            hold_of[event.track] = "flow " + std::to_string(event.flows.front());
    for (const ReadEvent& event : trace.events) {
        const ReadTrack& track = trace.tracks.at(event.track);
        const std::string key = std::to_string(event.track);
        const auto hold = hold_of.find(event.track);
        if (event.type == 1)
            (track.tid != 0 ? reading.thread(key) : reading.socket(key)).begin(event.at, event.name);
        if (event.type == 2 && track.tid != 0) reading.thread(key).end(event.at);
        if (event.type == 2 && track.tid == 0)
            reading.end_on_socket(key, hold == hold_of.end() ? key : hold->second, event.at);
    }
    Told told = reading.told();
    told.wrong.insert(told.wrong.end(), trace.wrong.begin(), trace.wrong.end());
    return told;
}

/// It has no lanes of sockets.
inline Told told_by_speedscope(const std::string& text) {
    Reading reading;
    const auto file = nlohmann::json::parse(text);
    const auto& profiles = file.at("profiles");
    for (std::size_t i = 1; i < profiles.size(); ++i) {
        ReadLane& lane = reading.thread(std::to_string(i));
        for (const auto& event : profiles[i].at("events")) {
            const std::uint64_t at = event.at("at");
            if (event.at("type") == "O")
                lane.begin(at, event.at("frame").dump());
            else if (lane.end(at).first != event.at("frame").dump())
                reading.thread("crossed").end(at);
        }
    }
    return reading.told();
}

/// It has no lanes of threads.
inline Told told_by_ndjson(const std::string& text) {
    Told told;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const auto hold = nlohmann::json::parse(line);
        if (hold.at("held_ns").is_null() || hold.at("held_ns") == 0) continue;
        told.holds.insert(hold.at("held_ns").get<std::uint64_t>());
        if (hold.at("held_by").is_null()) continue;
        std::uint64_t sum = 0;
        for (const auto& part : hold.at("held_by")) sum += part.at("held_ns").get<std::uint64_t>();
        if (sum != hold.at("held_ns")) told.wrong.push_back("its owners had it for another time");
    }
    return told;
}

/// Each line is rounded to the millisecond.
inline std::uint64_t milliseconds_in_folded(const std::string& text) {
    std::uint64_t sum = 0;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) sum += std::stoull(line.substr(line.rfind(' ') + 1));
    return sum;
}

}  // namespace waitclose::timeline::testing
