// SPDX-License-Identifier: BSD-2-Clause
// Plays a recording through the ledger and the diagnosis that watch uses, and collects what it comes to.
#pragma once

#include <bitset>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "diagnose/diagnoser.h"
#include "model/growth.h"
#include "model/ledger.h"
#include "model/selection.h"
#include "replay/captured.h"
#include "replay/counters.h"
#include "replay/course.h"
#include "replay/incident.h"
#include "replay/keepers.h"
#include "replay/lanes.h"
#include "replay/spans.h"
#include "store/recording.h"

namespace waitclose::replay {

/// Which holds to tell of.
struct Wanted {
    model::Selection selection;  // its min_held_ns: what ended sooner is only counted
    bool ipv4 = true;
    bool ipv6 = true;
    std::optional<std::uint32_t> netns;
    std::optional<std::bitset<65536>> local_ports;
    std::optional<std::bitset<65536>> remote_ports;
    std::string words;  // the options that say so, as typed; empty: none does

    bool has_address(const model::Connection& connection) const;
};

/// Every hold is decided on at every look that sees it; the words are made only when the decision changes,
/// and at the last look: hundreds of thousands are looked at again and again. What no look saw is only
/// counted, and told one by one where it lasted.
class Replay final : public store::Player {
public:
    explicit Replay(Wanted wanted);
    ~Replay() override;

    void about(const store::About& about) override;
    void on(const model::Entered& event) override;
    void on(const model::Left& event) override;
    void on(const model::Transition& event) override;
    void look_begins(std::uint64_t at_ns) override;
    /// Of the next look: sockets that were recorded for what they tell about others only.
    void unwanted(const std::vector<model::SocketKey>& sockets) override;
    void look(model::Census& census) override;
    void losses(std::uint64_t at_ns, const model::Losses& so_far) override;
    void activity(model::Activity& activity) override;

    /// To be called once, when everything has been played.
    Incident finish();

private:
    /// A census that has been reconciled, until the next one is.
    struct Look {
        explicit Look(model::Census&& taken) : census(std::move(taken)), diagnoser(census) {}
        model::Census census;
        diagnose::Diagnoser diagnoser;
        std::vector<std::uint32_t> holds;     // that it saw, into facts_
        std::vector<std::uint32_t> followed;  // parallel to the census's processes: into the timeline's
        std::set<std::uint32_t> keepers;      // of the holds, into its processes
    };
    /// Of a hold that a look saw: how it was seen last.
    struct Sight {
        std::uint64_t look = 0;               // number of that look
        std::uint32_t socket = 0;             // into its census
        bool worded = false;                  // that look's diagnosis has been written down
        std::optional<model::Deed> touch;     // the first since the FIN that is known
        std::optional<std::uint64_t> eof_ns;  // when end-of-file was read first
        bool queued = false;                  // it sat in an accept queue
        Keepers keepers;
    };

    void passes(std::uint64_t at_ns);
    /// Counts an unseen hold of which nothing is to be told.
    bool is_stray(const model::Connection& connection, bool is_short = false);
    /// Than the recording: the first look found it.
    bool is_older(model::Precision precision, std::uint64_t since_ns) const;
    void count_unseen();
    void forget_young();
    void measure_gaps();
    void count_open();
    std::uint32_t add_hold(const model::Connection& connection);
    void see(Look& look, std::uint32_t index);
    void note_touches(Sight& sight, const model::Socket& socket);
    void note_keepers(Look& look, const model::Socket& socket, std::uint32_t hold, std::uint32_t owner);
    std::vector<timeline::Tenure> tenures_of(std::uint32_t hold);
    std::uint32_t note_cause(Look& look, const model::Socket& socket, std::uint32_t hold);
    Words words_at_last_look(std::uint32_t hold);
    std::uint32_t follow(Look& look, std::uint32_t process);
    void follow_answers(Look& look);
    std::set<std::uint32_t> listeners_told(const Look& look) const;
    void note_descriptors(const Look& look);
    void note_growth(const Look& look);
    void forecast();
    void compare_with_earlier(Look& look);
    void write_down(std::uint32_t hold);
    void ended(const model::Closed& closed);
    void ended_briefly(std::uint16_t local_port, std::uint64_t held_ns);
    void forget(std::uint32_t hold);
    void lay_out_activity();
    void share_held_time(Captured& captured);
    void find_doings();
    void tell_threads(Captured& captured);
    void finish_tracks();
    void sort_holds();

    Wanted wanted_;              // its selection without the age
    std::uint64_t min_held_ns_;  // what ended sooner is only counted
    Incident incident_;
    timeline::Timeline& timeline_;
    model::Ledger ledger_;
    std::optional<Lanes> lanes_;
    std::optional<Captured> captured_;  // of incident_.activity
    Counters counters_;
    Durations brief_durations_;
    std::vector<Fact> facts_;
    std::vector<Sight> sights_;        // parallel to facts_
    std::vector<Course> courses_;      // parallel to facts_
    std::vector<std::uint32_t> free_;  // into facts_: forgotten
    std::unordered_map<model::SocketKey, std::uint32_t, model::SocketKeyHash> open_;  // into facts_
    std::unique_ptr<Look> look_;
    std::uint64_t latest_ns_ = 0;
    std::uint64_t first_look_ns_ = 0;
    std::uint64_t look_before_ns_ = 0;  // the one before the latest
    std::map<std::pair<std::uint32_t, std::uint64_t>, model::Growth>
        growths_;                                                      // of the holds, by pid and start
    std::unordered_map<std::uint32_t, diagnose::FdOutlook> outlooks_;  // by process of the timeline
    std::optional<model::EarlierLook> earlier_;  // to measure growth by: a minute old or so
    std::optional<model::EarlierLook> next_earlier_;
    std::unordered_set<model::SocketKey, model::SocketKeyHash> unwanted_;  // in the look to come
    enum class Stray : std::uint8_t { kLeftOut, kNotSelected };
    std::unordered_map<model::SocketKey, Stray, model::SocketKeyHash> strays_;  // open, seen, not wanted
    bool recorded_by_holder_ = false;                // the recorder was asked for certain processes
    std::optional<std::uint64_t> watched_since_ns_;  // the last look, where something was held then
    std::vector<Gap> waits_;                         // between looks, while something was held
    HolderSets holder_sets_;
    std::vector<std::uint32_t> holders_;  // of the socket that is looked at
    Spans spans_;  // states before and after holds, where every transition was recorded
};

}  // namespace waitclose::replay
