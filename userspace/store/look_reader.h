// SPDX-License-Identifier: BSD-2-Clause
// Makes the censuses of a recording again, one after the other. The file is hostile.
#pragma once

#include <cstdint>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "model/census.h"
#include "store/row_stream.h"

namespace waitclose::store {

class LookReader {
public:
    /// False when a table or a column is missing.
    bool prepare(Database& database, Dictionary& dictionary);

    /// The id of the next look, and when it began; nothing after the last, or when the file is damaged.
    struct Next {
        std::int64_t id = 0;
        std::uint64_t begun_ns = 0;
    };
    std::optional<Next> next();

    /// The census of the look that next() told of. Nothing when the file is damaged.
    std::optional<model::Census> read();
    /// The sockets of that census that were not asked for.
    const std::vector<model::SocketKey>& unwanted() const { return unwanted_; }

    bool damaged() const { return damaged_; }
    /// Rows read so far.
    std::uint64_t rows();

private:
    struct HeldSocket {
        std::int64_t place = 0;
        SocketLinks links;
        model::Socket socket;
        std::vector<std::pair<ProcessLink, model::Holder>> holders;
        std::vector<model::Watch> watches;
        std::vector<model::InFlight> in_flight;
    };
    struct Listener {
        std::int64_t place = 0;
        model::Socket socket;
        model::AcceptQueue queue;
        std::vector<std::pair<ProcessLink, model::Holder>> holders;
    };
    struct ThreadRow {
        std::int64_t place = 0;
        ProcessLink link;
        model::Thread thread;
        std::uint64_t read_after_ns = 0;  // the look that shows it was taken so much before it was read
    };
    template <typename Link, typename Value>
    struct Linked {
        std::int64_t place = 0;
        Link link;
        Value value;
    };
    struct NoLink {};

    template <typename Value>
    using Known = std::unordered_map<std::int64_t, Value>;

    bool apply(model::Census& census);
    bool apply_sockets();
    bool apply_listeners();
    bool apply_processes_and_threads(const model::Census& census);
    bool apply_accept_side();
    bool apply_answers();
    bool read_lists_of_look(model::Census& census);
    bool read_window(model::Window& window);

    bool build(model::Census& census);
    bool add_processes(model::Census& census);
    bool add_sockets(model::Census& census);
    bool add_holders(model::Census& census, model::Socket& socket,
                     const std::vector<std::pair<ProcessLink, model::Holder>>& holders);
    bool add_accept_side(model::Census& census);
    bool add_answers(model::Census& census);
    std::optional<std::uint32_t> process_index(const ProcessLink& link) const;

    /// In the order of kTables.
    auto tables() {
        return std::tie(sockets_, listeners_, processes_, threads_, accept_calls_, networks_, answers_,
                        epolls_, holders_, watches_, in_flight_, queue_states_, states_, earlier_holds_,
                        thread_times_, sleeps_, throttled_, jvms_, eof_reads_);
    }

    std::int64_t look_ = 0;
    bool damaged_ = false;
    std::vector<model::SocketKey> unwanted_;
    Dictionary* dictionary_ = nullptr;
    Statement looks_;
    bool has_row_ = false;

    VersionStream<SocketLinks, model::Socket> sockets_;
    VersionStream<model::Socket, model::AcceptQueue> listeners_;
    VersionStream<model::Process> processes_;
    VersionStream<ProcessLink, model::Thread> threads_;
    VersionStream<ListenerLink, model::AcceptCalls> accept_calls_;
    VersionStream<NetworkId, model::NetworkFacts> networks_;
    VersionStream<ProcessLink, model::Answer> answers_;
    VersionStream<model::EpollHolder> epolls_;
    ListStream<ProcessLink, model::Holder> holders_;
    ListStream<model::Watch> watches_;
    ListStream<model::InFlight> in_flight_;
    ListStream<StateCount> queue_states_;
    ListStream<StateCount> states_;
    ListStream<EarlierCount> earlier_holds_;
    ListStream<Worker, model::ThreadTime> thread_times_;
    ListStream<model::Slept> sleeps_;
    ListStream<model::Throttling> throttled_;
    ListStream<model::JvmPauses> jvms_;
    ListStream<EofReads> eof_reads_;

    Known<HeldSocket> known_sockets_;
    Known<Listener> known_listeners_;
    Known<Linked<NoLink, model::Process>> known_processes_;
    Known<ThreadRow> known_threads_;
    Known<Linked<ListenerLink, model::AcceptCalls>> known_calls_;
    Known<Linked<NetworkId, model::NetworkFacts>> known_networks_;
    Known<Linked<ProcessLink, model::Answer>> known_answers_;
    Known<Linked<NoLink, model::EpollHolder>> known_epolls_;
    std::unordered_map<std::int64_t, std::uint32_t> process_index_;  // by id, into the census being built
    std::unordered_map<std::int64_t, std::int32_t> listener_index_;
};

}  // namespace waitclose::store
