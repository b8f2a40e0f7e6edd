// SPDX-License-Identifier: BSD-2-Clause
// The tables that are made of lists of fields (field_list.h), and what such a row refers to.
//
// Three kinds. Of what lasts (sockets, threads) a row is written when it is new or has changed: what it was
// at a look is in the latest row up to that look, and a row without `place` says that it is gone. `place`
// puts the rows of one look in order. A list that belongs to such a row is written with it, as a whole. What
// is true of one look only has rows for every look.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "store/columns.h"
#include "store/database.h"

namespace waitclose::store {

/// What a held socket refers to, by the ids of other tables.
struct SocketLinks {
    std::optional<std::int64_t> hold;
    std::optional<std::int64_t> listener;
    std::optional<std::int64_t> peer_process;
    std::optional<std::int32_t> peer_fd;
    std::optional<bool> peer_close_on_exec;
    bool wanted = true;
};
template <>
struct Fields<SocketLinks> {
    template <typename V>
    static void visit(V& v) {
        using T = SocketLinks;
        v("hold", &T::hold);
        v("listener", &T::listener);
        v("peer_process", &T::peer_process);
        v("peer_fd", &T::peer_fd);
        v("peer_close_on_exec", &T::peer_close_on_exec);
        v("wanted", &T::wanted);
    }
};

struct ProcessLink {
    std::optional<std::int64_t> process;
};
template <>
struct Fields<ProcessLink> {
    template <typename V>
    static void visit(V& v) {
        v("process", &ProcessLink::process);
    }
};

struct ListenerLink {
    std::int64_t listener = 0;
};
template <>
struct Fields<ListenerLink> {
    template <typename V>
    static void visit(V& v) {
        v("listener", &ListenerLink::listener);
    }
};

/// For people: what a thread waits for, in the words of the contract. Worked out, not measured.
struct WaitWords {
    std::string wait_class;
    std::string detail;
};
template <>
struct Fields<WaitWords> {
    template <typename V>
    static void visit(V& v) {
        v("wait_class", &WaitWords::wait_class);
        v("wait_detail", &WaitWords::detail);
    }
};

struct NetworkId {
    std::uint32_t netns = 0;
};
template <>
struct Fields<NetworkId> {
    template <typename V>
    static void visit(V& v) {
        v("netns", &NetworkId::netns);
    }
};

/// How many sockets there are in a state.
struct StateCount {
    std::uint8_t state = 0;  // the kernel's number
    std::uint64_t sockets = 0;
};
template <>
struct Fields<StateCount> {
    template <typename V>
    static void visit(V& v) {
        v("state", &StateCount::state);
        v("sockets", &StateCount::sockets);
    }
};

/// How many sockets a process held at an earlier look, and how many descriptors it had in use.
struct EarlierCount {
    std::uint32_t pid = 0;
    std::uint64_t start_ns = 0;
    std::uint64_t sockets = 0;
    std::optional<std::uint64_t> fds = {};
};
template <>
struct Fields<EarlierCount> {
    template <typename V>
    static void visit(V& v) {
        v("pid", &EarlierCount::pid);
        v("start_ns", &EarlierCount::start_ns);
        v("sockets", &EarlierCount::sockets);
        v("fds", &EarlierCount::fds);
    }
};

struct EofReads {
    std::uint32_t netns = 0;
    std::uint64_t cookie = 0;
    std::uint64_t reads = 0;
};
template <>
struct Fields<EofReads> {
    template <typename V>
    static void visit(V& v) {
        v("netns", &EofReads::netns);
        v("cookie", &EofReads::cookie);
        v("reads", &EofReads::reads);
    }
};

struct Worker {
    bool worker = false;
};
template <>
struct Fields<Worker> {
    template <typename V>
    static void visit(V& v) {
        v("worker", &Worker::worker);
    }
};

/// The columns before the fields.
enum class Keys : std::uint8_t {
    kVersion,  // look, id, place
    kPart,     // look, owner, n: a list that belongs to a versioned row, or to a row of a look
    kLook,     // look, n
};
inline constexpr int key_count(Keys keys) {
    return keys == Keys::kLook ? 2 : 3;
}

/// A table's statements, made from its lists of fields.
template <typename... Parts>
struct Table {
    const char* name;
    Keys keys;

    std::vector<Column> columns() const {
        std::vector<Column> all{{"look"}};
        if (keys == Keys::kVersion) all.insert(all.end(), {{"id"}, {"place"}});
        if (keys == Keys::kPart) all.insert(all.end(), {{"owner"}, {"n"}});
        if (keys == Keys::kLook) all.push_back({"n"});
        (append(all, columns_of<Parts>()), ...);
        return all;
    }
    std::string create() const {
        return std::string("CREATE TABLE ") + name + " (" +
               list([](const Column& one) { return one.name + (one.is_word ? " TEXT" : " INTEGER"); }) +
               ");\n";
    }
    std::string insert() const {
        return std::string("INSERT INTO ") + name + " VALUES (" +
               list([](const Column&) { return std::string("?"); }) + ")";
    }
    /// In the order in which the rows were written.
    std::string select() const {
        return select_as([](const Column& one) { return one.name; });
    }
    /// The same where a recording of an earlier build lacks the later columns.
    std::string select_of_earlier() const {
        return select_as([](const Column& one) { return one.is_later ? "NULL" : one.name; });
    }

private:
    static void append(std::vector<Column>& all, std::vector<Column> more) {
        all.insert(all.end(), more.begin(), more.end());
    }
    template <typename Say>
    std::string select_as(const Say& say) const {
        return "SELECT " + list(say) + " FROM " + name + " ORDER BY rowid";
    }
    template <typename Say>
    std::string list(const Say& say) const {
        std::string text;
        for (const Column& column : columns()) text += (text.empty() ? "" : ", ") + say(column);
        return text;
    }
};

inline constexpr Table<SocketLinks, model::Socket> kSockets{"sockets", Keys::kVersion};
inline constexpr Table<model::Socket, model::AcceptQueue> kListeners{"listeners", Keys::kVersion};
inline constexpr Table<model::Process> kProcesses{"processes", Keys::kVersion};
inline constexpr Table<ProcessLink, model::Thread, WaitWords> kThreads{"threads", Keys::kVersion};
inline constexpr Table<ListenerLink, model::AcceptCalls> kAcceptCalls{"accept_calls", Keys::kVersion};
inline constexpr Table<NetworkId, model::NetworkFacts> kNetworks{"networks", Keys::kVersion};
inline constexpr Table<ProcessLink, model::Answer> kAnswers{"answers", Keys::kVersion};
inline constexpr Table<model::EpollHolder> kEpolls{"epolls", Keys::kVersion};

inline constexpr Table<ProcessLink, model::Holder> kHolders{"holders", Keys::kPart};
inline constexpr Table<model::Watch> kWatches{"watches", Keys::kPart};
inline constexpr Table<model::InFlight> kInFlight{"in_flight", Keys::kPart};
inline constexpr Table<StateCount> kQueueStates{"queue_states", Keys::kPart};

inline constexpr Table<StateCount> kStates{"states", Keys::kLook};
inline constexpr Table<EarlierCount> kEarlierHolds{"earlier_holds", Keys::kLook};
inline constexpr Table<Worker, model::ThreadTime> kThreadTimes{"thread_times", Keys::kLook};
inline constexpr Table<model::Slept> kSleeps{"sleeps", Keys::kPart};
inline constexpr Table<model::Throttling> kThrottled{"throttled", Keys::kLook};
inline constexpr Table<model::JvmPauses> kJvms{"jvms", Keys::kLook};
inline constexpr Table<EofReads> kEofReads{"window_eof_reads", Keys::kLook};

/// A row's call stack, by number.
struct StackLink {
    std::optional<std::int64_t> stack;
};
template <>
struct Fields<StackLink> {
    template <typename V>
    static void visit(V& v) {
        v("stack", &StackLink::stack);
    }
};

/// What an interval refers to: the `n` of a way to sleep, and an actor.
struct IntervalLinks {
    std::optional<std::uint32_t> sleep;
    std::optional<std::int64_t> waker;
};
template <>
struct Fields<IntervalLinks> {
    template <typename V>
    static void visit(V& v) {
        v("sleep", &IntervalLinks::sleep);
        v("waker", &IntervalLinks::waker);
    }
};

/// A text that stands for itself.
struct TextRow {
    std::string text;
};
template <>
struct Fields<TextRow> {
    template <typename V>
    static void visit(V& v) {
        v("text", &TextRow::text);
    }
};

inline constexpr Table<model::Activity> kActivities{"activities", Keys::kLook};
inline constexpr Table<TextRow> kActivityLacks{"activity_lacks", Keys::kLook};
inline constexpr Table<model::ThreadActivity, StackLink> kActivityThreads{"activity_threads", Keys::kLook};
inline constexpr Table<model::Sleep, StackLink> kActivitySleeps{"activity_sleeps", Keys::kLook};
inline constexpr Table<model::Interval, IntervalLinks> kActivityIntervals{"activity_intervals", Keys::kPart};
inline constexpr Table<model::CpuSample, StackLink> kActivitySamples{"activity_samples", Keys::kPart};

/// Of captures. Recordings of earlier builds do not have them.
inline constexpr auto kActivityTables = std::tie(kActivities, kActivityLacks, kActivityThreads,
                                                 kActivitySleeps, kActivityIntervals, kActivitySamples);

/// All others. What reads or writes one of each is kept in this order (prepare_tables).
inline constexpr auto kTables =
    std::tie(kSockets, kListeners, kProcesses, kThreads, kAcceptCalls, kNetworks, kAnswers, kEpolls, kHolders,
             kWatches, kInFlight, kQueueStates, kStates, kEarlierHolds, kThreadTimes, kSleeps, kThrottled,
             kJvms, kEofReads);

/// Shows each table, those of captures included, to `use`.
template <typename Use>
void for_each_table(const Use& use) {
    std::apply([&](const auto&... table) { (use(table), ...); }, kTables);
    std::apply([&](const auto&... table) { (use(table), ...); }, kActivityTables);
}

/// Prepares the one part of a tied tuple after the other, each for its table. False when one cannot be.
template <typename... Parts>
bool prepare_tables(Database& database, std::tuple<Parts&...> parts) {
    static_assert(sizeof...(Parts) == std::tuple_size_v<decltype(kTables)>);
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return (std::get<I>(parts).prepare(database, std::get<I>(kTables)) && ...);
    }
    (std::index_sequence_for<Parts...>{});
}

}  // namespace waitclose::store
