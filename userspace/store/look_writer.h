// SPDX-License-Identifier: BSD-2-Clause
// Writes what a census shows, as far as it is new.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "model/census.h"
#include "store/versions.h"

namespace waitclose::store {

/// The hold of a socket, as a row of its table; and whether somebody asked for the socket.
struct SocketPlace {
    std::optional<std::int64_t> hold;
    bool wanted = true;
};

class LookWriter {
public:
    /// False when a statement cannot be prepared.
    bool prepare(Database& database);

    /// `places` are parallel to the census's sockets.
    void write(std::int64_t look, std::uint64_t begun_ns, const model::Census& census,
               const std::vector<SocketPlace>& places, Interner& interner);

private:
    struct Ids;

    void write_look(std::uint64_t begun_ns, const model::Census& census, Interner& interner);
    void write_processes(const model::Census& census, Interner& interner);
    void write_threads(const model::Census& census, Interner& interner);
    void write_listeners(const model::Census& census, Interner& interner);
    void write_sockets(const model::Census& census, const std::vector<SocketPlace>& places,
                       Interner& interner);
    void write_lists_of(const model::Census& census, const model::Socket& socket, std::int64_t id,
                        Interner& interner);
    void write_accept_side(const model::Census& census, Interner& interner);
    void write_answers(const model::Census& census, Interner& interner);
    void write_window(const model::Window& window, Interner& interner);
    void print_lists_of(const model::Census& census, const model::Socket& socket, Print& print) const;
    SocketLinks links_of(const model::Census& census, const model::Socket& socket,
                         const SocketPlace& place) const;

    /// In the order of kTables.
    auto tables() {
        return std::tie(sockets_, listeners_, processes_, threads_, accept_calls_, networks_, answers_,
                        epolls_, holders_, watches_, in_flight_, queue_states_, states_, earlier_holds_,
                        thread_times_, sleeps_, throttled_, jvms_, eof_reads_);
    }

    std::int64_t look_ = 0;
    std::int64_t last_id_ = 0;
    std::vector<std::int64_t> process_ids_;   // parallel to the census's processes
    std::vector<std::int64_t> listener_ids_;  // and to its listeners

    Statement insert_look_;
    Versions<SocketLinks, model::Socket> sockets_;
    Versions<model::Socket, model::AcceptQueue> listeners_;
    Versions<model::Process> processes_;
    Versions<ProcessLink, model::Thread, WaitWords> threads_;
    Versions<ListenerLink, model::AcceptCalls> accept_calls_;
    Versions<NetworkId, model::NetworkFacts> networks_;
    Versions<ProcessLink, model::Answer> answers_;
    Versions<model::EpollHolder> epolls_;
    Rows<ProcessLink, model::Holder> holders_;
    Rows<model::Watch> watches_;
    Rows<model::InFlight> in_flight_;
    Rows<StateCount> queue_states_;
    Rows<StateCount> states_;
    Rows<EarlierCount> earlier_holds_;
    Rows<Worker, model::ThreadTime> thread_times_;
    Rows<model::Slept> sleeps_;
    Rows<model::Throttling> throttled_;
    Rows<model::JvmPauses> jvms_;
    Rows<EofReads> eof_reads_;
};

}  // namespace waitclose::store
