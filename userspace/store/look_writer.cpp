// SPDX-License-Identifier: BSD-2-Clause
#include "store/look_writer.h"

#include <algorithm>

#include "diagnose/wait.h"

namespace waitclose::store {
namespace {

template <typename... Parts>
Print print_of(const Parts&... parts) {
    Print print;
    (print_fields(print, parts), ...);
    return print;
}

/// Each of a list with its number.
template <typename List, typename Use>
void number(const List& list, const Use& use) {
    std::int64_t n = 0;
    for (const auto& one : list) use(n++, one);
}

}  // namespace

bool LookWriter::prepare(Database& database) {
    std::string sql = "INSERT INTO looks VALUES (?, ?";
    for (std::size_t i = 0; i < columns_of<model::Census>().size(); ++i) sql += ", ?";
    insert_look_ = database.prepare(sql + ")");
    return insert_look_ && prepare_tables(database, tables());
}

void LookWriter::write(std::int64_t look, std::uint64_t begun_ns, const model::Census& census,
                       const std::vector<SocketPlace>& places, Interner& interner) {
    look_ = look;
    write_look(begun_ns, census, interner);
    write_processes(census, interner);
    write_threads(census, interner);
    write_listeners(census, interner);
    write_sockets(census, places, interner);
    write_accept_side(census, interner);
    write_answers(census, interner);
    if (census.window) write_window(*census.window, interner);
}

void LookWriter::write_look(std::uint64_t begun_ns, const model::Census& census, Interner& interner) {
    int at = 1;
    insert_look_.bind(at++, look_);
    insert_look_.bind(at++, static_cast<std::int64_t>(begun_ns));
    bind_fields(insert_look_, at, interner, census);
    insert_look_.run();
    std::int64_t n = 0;
    for (const auto& [state, sockets] : census.states)
        states_.write_of_look(interner, look_, n++, {static_cast<std::uint8_t>(state), sockets});
    if (!census.earlier) return;
    n = 0;
    for (const auto& [process, held] : census.earlier->holds)
        earlier_holds_.write_of_look(interner, look_, n++,
                                     {process.first, process.second, held.sockets, held.fds});
}

void LookWriter::write_processes(const model::Census& census, Interner& interner) {
    process_ids_.clear();
    for (const model::Process& process : census.processes)
        process_ids_.push_back(processes_.note({{process.pid, process.start_ns}}, look_, last_id_).id);
    processes_.arrange_noted();
    number(processes_.noted(), [&](std::int64_t n, Version* version) {
        const model::Process& process = census.processes[static_cast<std::size_t>(n)];
        processes_.write(*version, print_of(process), interner, look_, process);
    });
    processes_.end_look(look_);
}

void LookWriter::write_threads(const model::Census& census, Interner& interner) {
    std::vector<std::pair<std::int64_t, const model::Thread*>> threads;
    for (std::size_t i = 0; i < census.processes.size(); ++i)
        for (const model::Thread& thread : census.threads_of(census.processes[i])) {
            threads.emplace_back(process_ids_[i], &thread);
            threads_.note({{static_cast<std::uint64_t>(process_ids_[i]), thread.tid, thread.start_ns}}, look_,
                          last_id_);
        }
    threads_.arrange_noted();
    number(threads_.noted(), [&](std::int64_t n, Version* version) {
        const auto& [process, thread] = threads[static_cast<std::size_t>(n)];
        const ProcessLink link{process};
        const Print print = print_of(link, *thread);
        if (!version->moved && version->print.is_as(print)) return;
        const diagnose::Wait wait = diagnose::wait_of(*thread);
        threads_.write(*version, print, interner, look_, link, *thread,
                       {std::string(diagnose::id_of(wait.what)), wait.detail});
    });
    threads_.end_look(look_);
}

void LookWriter::write_listeners(const model::Census& census, Interner& interner) {
    listener_ids_.clear();
    for (const model::Socket& listener : census.listeners)
        listener_ids_.push_back(listeners_.note({{listener.netns, listener.cookie}}, look_, last_id_).id);
    listeners_.arrange_noted();
    number(listeners_.noted(), [&](std::int64_t n, Version* version) {
        const auto index = static_cast<std::size_t>(n);
        const model::Socket& listener = census.listeners[index];
        static const model::AcceptQueue kNothingKnown;
        const model::AcceptQueue& queue =
            index < census.accept.queues.size() ? census.accept.queues[index] : kNothingKnown;
        Print print = print_of(listener, queue);
        for (const std::uint32_t sockets : queue.by_state) print.mix(sockets);
        print_lists_of(census, listener, print);
        if (!listeners_.write(*version, print, interner, look_, listener, queue)) return;
        write_lists_of(census, listener, version->id, interner);
        for (std::size_t state = 0; state < queue.by_state.size(); ++state)
            if (queue.by_state[state])
                queue_states_.write(interner, look_, version->id, static_cast<std::int64_t>(state),
                                    {static_cast<std::uint8_t>(state), queue.by_state[state]});
    });
    listeners_.end_look(look_);
}

SocketLinks LookWriter::links_of(const model::Census& census, const model::Socket& socket,
                                 const SocketPlace& place) const {
    SocketLinks links{.hold = place.hold,
                      .listener = {},
                      .peer_process = {},
                      .peer_fd = {},
                      .peer_close_on_exec = {},
                      .wanted = place.wanted};
    if (socket.listener != model::kNone)
        links.listener = listener_ids_.at(static_cast<std::size_t>(socket.listener));
    if (socket.peer_holder != model::kNone) {
        const model::Holder& peer = census.holders.at(static_cast<std::size_t>(socket.peer_holder));
        links.peer_process = process_ids_.at(peer.process);
        links.peer_fd = peer.fd;
        links.peer_close_on_exec = peer.close_on_exec;
    }
    return links;
}

void LookWriter::write_sockets(const model::Census& census, const std::vector<SocketPlace>& places,
                               Interner& interner) {
    for (const model::Socket& socket : census.sockets)
        sockets_.note({{socket.netns, socket.cookie}}, look_, last_id_);
    sockets_.arrange_noted();
    number(sockets_.noted(), [&](std::int64_t n, Version* version) {
        const auto index = static_cast<std::size_t>(n);
        const model::Socket& socket = census.sockets[index];
        const SocketLinks links = links_of(census, socket, places[index]);
        Print print = print_of(links, socket);
        print_lists_of(census, socket, print);
        if (sockets_.write(*version, print, interner, look_, links, socket))
            write_lists_of(census, socket, version->id, interner);
    });
    sockets_.end_look(look_);
}

void LookWriter::print_lists_of(const model::Census& census, const model::Socket& socket,
                                Print& print) const {
    for (const model::Holder& holder : census.holders_of(socket)) {
        print.mix(static_cast<std::uint64_t>(process_ids_.at(holder.process)));
        print_fields(print, holder);
    }
    print.mix(socket.watches ? socket.watches->size() + 1 : 0);
    if (socket.watches)
        for (const model::Watch& watch : *socket.watches) print_fields(print, watch);
    print.mix(socket.in_flight ? socket.in_flight->size() + 1 : 0);
    if (socket.in_flight)
        for (const model::InFlight& one : *socket.in_flight) print_fields(print, one);
}

void LookWriter::write_lists_of(const model::Census& census, const model::Socket& socket, std::int64_t id,
                                Interner& interner) {
    number(census.holders_of(socket), [&](std::int64_t n, const model::Holder& holder) {
        holders_.write(interner, look_, id, n, {process_ids_.at(holder.process)}, holder);
    });
    if (socket.watches)
        number(*socket.watches, [&](std::int64_t n, const model::Watch& watch) {
            watches_.write(interner, look_, id, n, watch);
        });
    if (socket.in_flight)
        number(*socket.in_flight, [&](std::int64_t n, const model::InFlight& one) {
            in_flight_.write(interner, look_, id, n, one);
        });
}

void LookWriter::write_accept_side(const model::Census& census, Interner& interner) {
    const auto listener_of = [&](const model::AcceptCalls& calls) {
        return ListenerLink{listener_ids_.at(static_cast<std::size_t>(calls.listener))};
    };
    for (const model::AcceptCalls& calls : census.accept.calls)
        accept_calls_.note({{static_cast<std::uint64_t>(listener_of(calls).listener), calls.tid,
                             calls.thread_start_ns, calls.error}},
                           look_, last_id_);
    accept_calls_.arrange_noted();
    number(accept_calls_.noted(), [&](std::int64_t n, Version* version) {
        const model::AcceptCalls& calls = census.accept.calls[static_cast<std::size_t>(n)];
        const ListenerLink link = listener_of(calls);
        accept_calls_.write(*version, print_of(link, calls), interner, look_, link, calls);
    });
    accept_calls_.end_look(look_);

    for (const auto& [netns, facts] : census.accept.networks) networks_.note({{netns}}, look_, last_id_);
    networks_.arrange_noted();
    number(census.accept.networks, [&](std::int64_t n, const auto& network) {
        networks_.write(*networks_.noted()[static_cast<std::size_t>(n)], print_of(network.second), interner,
                        look_, {network.first}, network.second);
    });
    networks_.end_look(look_);
}

void LookWriter::write_answers(const model::Census& census, Interner& interner) {
    for (const model::Answer& answer : census.answers)
        answers_.note({{answer.question.id, static_cast<std::uint64_t>(answer.question.kind),
                        static_cast<std::uint64_t>(answer.pid) << 32 | static_cast<std::uint32_t>(answer.fd),
                        answer.start_ns}},
                      look_, last_id_);
    answers_.arrange_noted();
    number(answers_.noted(), [&](std::int64_t n, Version* version) {
        const model::Answer& answer = census.answers[static_cast<std::size_t>(n)];
        ProcessLink link;
        if (answer.process != model::kNone)
            link.process = process_ids_.at(static_cast<std::size_t>(answer.process));
        answers_.write(*version, print_of(link, answer), interner, look_, link, answer);
    });
    answers_.end_look(look_);

    for (const model::EpollHolder& one : census.epolls)
        epolls_.note({{one.epoll, one.start_ns, one.pid, static_cast<std::uint64_t>(one.fd)}}, look_,
                     last_id_);
    epolls_.arrange_noted();
    number(epolls_.noted(), [&](std::int64_t n, Version* version) {
        const model::EpollHolder& one = census.epolls[static_cast<std::size_t>(n)];
        epolls_.write(*version, print_of(one), interner, look_, one);
    });
    epolls_.end_look(look_);
}

void LookWriter::write_window(const model::Window& window, Interner& interner) {
    number(window.threads, [&](std::int64_t n, const model::ThreadTime& time) {
        const bool worker = std::ranges::binary_search(window.workers, static_cast<std::uint32_t>(n));
        thread_times_.write_of_look(interner, look_, n, {worker}, time);
        number(time.slept, [&](std::int64_t m, const model::Slept& slept) {
            sleeps_.write(interner, look_, n, m, slept);
        });
    });
    number(window.throttled, [&](std::int64_t n, const model::Throttling& one) {
        throttled_.write_of_look(interner, look_, n, one);
    });
    number(window.jvms, [&](std::int64_t n, const model::JvmPauses& one) {
        jvms_.write_of_look(interner, look_, n, one);
    });
    number(window.eof_reads, [&](std::int64_t n, const auto& one) {
        eof_reads_.write_of_look(interner, look_, n, {one.first.netns, one.first.cookie, one.second});
    });
}

}  // namespace waitclose::store
