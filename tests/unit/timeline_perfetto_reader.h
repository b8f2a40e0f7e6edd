// SPDX-License-Identifier: BSD-2-Clause
// Reads a Perfetto trace by the field numbers of its published protos, written down here a second time: a
// wrong number in the writer is found, not agreed with.
#pragma once

#include <cstdint>
#include <map>
#include <protozero/pbf_reader.hpp>
#include <string>
#include <vector>

namespace waitclose::timeline::testing {

struct ReadTrack {
    std::uint64_t parent = 0;
    std::string name;
    std::int32_t pid = 0;
    std::int32_t tid = 0;
    std::string process_name;
    std::string cmdline;
    std::vector<std::string> labels;
    bool counter = false;
    std::int32_t merge = 0;
};

struct ReadEvent {
    std::uint64_t at = 0;
    std::int32_t type = 0;  // 1 begin, 2 end, 3 instant, 4 counter
    std::uint64_t track = 0;
    std::string name;
    std::string category;
    double value = 0;
    std::vector<std::uint64_t> flows;
    std::vector<std::uint64_t> ending_flows;
    std::map<std::string, std::vector<std::string>> annotations;
    std::vector<std::string> stack;  // the outermost first; kernel functions end in " (kernel)"
};

class ReadTrace {
public:
    explicit ReadTrace(const std::string& bytes) {
        protozero::pbf_reader trace(bytes);
        while (trace.next()) {
            if (trace.tag() == 1) {
                packet(trace.get_message());
                ++packets;
            } else {
                wrong.push_back("a field of the trace that is no packet");
                trace.skip();
            }
        }
    }

    std::map<std::uint64_t, ReadTrack> tracks;
    std::vector<ReadEvent> events;
    std::map<std::uint32_t, std::uint64_t> clocks;
    std::string release;
    std::size_t packets = 0;
    std::vector<std::string> wrong;

    std::vector<ReadEvent> on(std::uint64_t track) const {
        std::vector<ReadEvent> found;
        for (const ReadEvent& event : events) {
            if (event.track == track) found.push_back(event);
        }
        return found;
    }
    /// The first track of that name.
    std::uint64_t track(const std::string& name) const {
        for (const auto& [uuid, track] : tracks) {
            if (track.name == name) return uuid;
        }
        return 0;
    }

private:
    using Reader = protozero::pbf_reader;
    struct FrameEntry {
        std::uint64_t function = 0;
        std::uint64_t mapping = 0;
        std::uint64_t pc = 0;
        bool has_pc = false;
        std::int32_t kind = 0;
    };

    void packet(Reader packet) {
        std::uint64_t at = 0;
        bool has_time = false;
        std::uint32_t sequence = 0;
        std::uint32_t flags = 0;
        Reader event;
        bool has_event = false;
        while (packet.next()) {
            switch (packet.tag()) {
            case 8:
                at = packet.get_uint64();
                has_time = true;
                break;
            case 10: sequence = packet.get_uint32(); break;
            case 13: flags = packet.get_uint32(); break;
            case 11:
                event = packet.get_message();
                has_event = true;
                break;
            case 12: interned(packet.get_message()); break;
            case 60: descriptor(packet.get_message()); break;
            case 6: snapshot(packet.get_message()); break;
            case 45: system(packet.get_message()); break;
            case 59: defaults(packet.get_message()); break;
            default: packet.skip(); break;
            }
        }
        if (sequence == 0) wrong.push_back("a packet of no sequence");
        if ((flags & 1U) != 0) cleared_ = true;
        if (!cleared_ || flags == 0) wrong.push_back("a packet before the state was cleared");
        if (!has_event) return;
        if (!has_time) wrong.push_back("an event of no time");
        if (!boottime_) wrong.push_back("an event of no clock");
        read_event(event, at);
    }

    void defaults(Reader reader) {
        while (reader.next(58)) boottime_ = reader.get_uint32() == 6;
    }

    void system(Reader reader) {
        while (reader.next(1)) {
            Reader name = reader.get_message();
            while (name.next()) {
                if (name.tag() == 3) {
                    release = name.get_string();
                } else {
                    name.skip();
                }
            }
        }
    }

    void snapshot(Reader reader) {
        while (reader.next()) {
            if (reader.tag() != 1) {
                reader.skip();
                continue;
            }
            Reader clock = reader.get_message();
            std::uint32_t id = 0;
            while (clock.next()) {
                if (clock.tag() == 1) {
                    id = clock.get_uint32();
                } else {
                    clocks[id] = clock.get_uint64();
                }
            }
        }
    }

    void descriptor(Reader reader) {
        ReadTrack track;
        std::uint64_t uuid = 0;
        while (reader.next()) {
            switch (reader.tag()) {
            case 1: uuid = reader.get_uint64(); break;
            case 2: track.name = reader.get_string(); break;
            case 3: process(reader.get_message(), track); break;
            case 4: thread(reader.get_message(), track); break;
            case 5: track.parent = reader.get_uint64(); break;
            case 8:
                track.counter = true;
                reader.skip();
                break;
            case 15: track.merge = reader.get_enum(); break;
            default: wrong.push_back("a field of a track that we do not know"); reader.skip();
            }
        }
        if (uuid == 0 || tracks.contains(uuid)) wrong.push_back("a track with no number of its own");
        if (track.parent != 0 && !tracks.contains(track.parent)) wrong.push_back("a track before its parent");
        tracks[uuid] = track;
    }

    static void process(Reader reader, ReadTrack& track) {
        while (reader.next()) {
            switch (reader.tag()) {
            case 1: track.pid = reader.get_int32(); break;
            case 2: track.cmdline = reader.get_string(); break;
            case 6: track.process_name = reader.get_string(); break;
            case 8: track.labels.push_back(reader.get_string()); break;
            default: reader.skip();
            }
        }
    }

    static void thread(Reader reader, ReadTrack& track) {
        while (reader.next()) {
            switch (reader.tag()) {
            case 1: track.pid = reader.get_int32(); break;
            case 2: track.tid = reader.get_int32(); break;
            case 5: track.name = reader.get_string(); break;
            default: reader.skip();
            }
        }
    }

    void read_event(Reader reader, std::uint64_t at) {
        ReadEvent event;
        event.at = at;
        while (reader.next()) {
            switch (reader.tag()) {
            case 3: event.category = name(categories_, reader.get_uint64()); break;
            case 4: annotation(reader.get_message(), event); break;
            case 9: event.type = reader.get_enum(); break;
            case 10: event.name = name(names_, reader.get_uint64()); break;
            case 11: event.track = reader.get_uint64(); break;
            case 44: event.value = reader.get_double(); break;
            case 47: event.flows.push_back(reader.get_fixed64()); break;
            case 48: event.ending_flows.push_back(reader.get_fixed64()); break;
            case 56: event.stack = stack(reader.get_uint64()); break;
            default: wrong.push_back("a field of an event that we do not know"); reader.skip();
            }
        }
        if (!tracks.contains(event.track)) wrong.push_back("an event on no track");
        events.push_back(event);
    }

    std::string name(const std::map<std::uint64_t, std::string>& names, std::uint64_t iid) {
        const auto found = names.find(iid);
        if (found != names.end()) return found->second;
        wrong.push_back("a name that was not interned before its use");
        return {};
    }

    void annotation(Reader reader, ReadEvent& event) {
        std::string key;
        std::vector<std::string> values;
        while (reader.next()) {
            switch (reader.tag()) {
            case 1: key = name(annotation_names_, reader.get_uint64()); break;
            case 2: values.emplace_back(reader.get_bool() ? "true" : "false"); break;
            case 3: values.push_back(std::to_string(reader.get_uint64())); break;
            case 6: values.push_back(reader.get_string()); break;
            case 12: {
                Reader value = reader.get_message();
                while (value.next(6)) values.push_back(value.get_string());
                break;
            }
            default: wrong.push_back("a field of an annotation that we do not know"); reader.skip();
            }
        }
        event.annotations[key] = values;
    }

    std::vector<std::string> stack(std::uint64_t iid) {
        std::vector<std::string> names;
        if (!callstacks_.contains(iid)) wrong.push_back("a stack that was not interned before its use");
        for (const std::uint64_t id : callstacks_[iid]) {
            const FrameEntry& frame = frames_[id];
            std::string text = name(functions_, frame.function);
            if (frame.mapping != 0) {
                if (!frame.has_pc) wrong.push_back("a frame with a mapping and no address");
                text += " @ " + name(paths_, mappings_[frame.mapping]) + "+" + std::to_string(frame.pc);
            }
            names.push_back(frame.kind == 2 ? text + " (kernel)" : text);
        }
        return names;
    }

    void interned(Reader reader) {
        while (reader.next()) {
            switch (reader.tag()) {
            case 1: entry(reader.get_message(), categories_); break;
            case 2: entry(reader.get_message(), names_); break;
            case 3: entry(reader.get_message(), annotation_names_); break;
            case 5: entry(reader.get_message(), functions_); break;
            case 17: entry(reader.get_message(), paths_); break;
            case 6: frame(reader.get_message()); break;
            case 7: callstack(reader.get_message()); break;
            case 19: mapping(reader.get_message()); break;
            default: wrong.push_back("interned data that we do not know"); reader.skip();
            }
        }
    }

    void entry(Reader reader, std::map<std::uint64_t, std::string>& into) {
        std::uint64_t iid = 0;
        std::string text;
        while (reader.next()) {
            if (reader.tag() == 1) {
                iid = reader.get_uint64();
            } else {
                text = reader.get_string();
            }
        }
        if (iid == 0 || !into.emplace(iid, text).second) wrong.push_back("a name interned twice, or as 0");
    }

    void frame(Reader reader) {
        std::uint64_t iid = 0;
        FrameEntry frame;
        while (reader.next()) {
            switch (reader.tag()) {
            case 1: iid = reader.get_uint64(); break;
            case 2: frame.function = reader.get_uint64(); break;
            case 3: frame.mapping = reader.get_uint64(); break;
            case 4:
                frame.pc = reader.get_uint64();
                frame.has_pc = true;
                break;
            case 7: frame.kind = reader.get_enum(); break;
            default: reader.skip();
            }
        }
        if (iid == 0 || !frames_.emplace(iid, frame).second)
            wrong.push_back("a frame interned twice, or as 0");
    }

    void callstack(Reader reader) {
        std::uint64_t iid = 0;
        std::vector<std::uint64_t> frames;
        while (reader.next()) {
            if (reader.tag() == 1) {
                iid = reader.get_uint64();
            } else {
                frames.push_back(reader.get_uint64());
                if (!frames_.contains(frames.back())) wrong.push_back("a stack before its frames");
            }
        }
        callstacks_[iid] = frames;
    }

    void mapping(Reader reader) {
        std::uint64_t iid = 0;
        while (reader.next()) {
            if (reader.tag() == 1) {
                iid = reader.get_uint64();
            } else {
                mappings_[iid] = reader.get_uint64();
            }
        }
    }

    bool cleared_ = false;
    bool boottime_ = false;
    std::map<std::uint64_t, std::string> categories_, names_, annotation_names_, functions_, paths_;
    std::map<std::uint64_t, FrameEntry> frames_;
    std::map<std::uint64_t, std::vector<std::uint64_t>> callstacks_;
    std::map<std::uint64_t, std::uint64_t> mappings_;
};

}  // namespace waitclose::timeline::testing
