// SPDX-License-Identifier: BSD-2-Clause
#include "store/look_reader.h"

#include <algorithm>
#include <utility>

#include "store/print.h"

namespace waitclose::store {
namespace {

/// What is known, in the order of places.
template <typename Value>
std::vector<std::pair<std::int64_t, Value*>> in_order(std::unordered_map<std::int64_t, Value>& known) {
    std::vector<std::pair<std::int64_t, Value*>> sorted;
    sorted.reserve(known.size());
    for (auto& [id, value] : known) sorted.emplace_back(id, &value);
    std::ranges::sort(sorted, [](const auto& one, const auto& other) {
        return std::pair(one.second->place, one.first) < std::pair(other.second->place, other.first);
    });
    return sorted;
}

model::Socket copy_of(const model::Socket& socket) {
    model::Socket copy;
    Copier<model::Socket> copier(socket, copy);
    Fields<model::Socket>::visit(copier);
    return copy;
}

}  // namespace

bool LookReader::prepare(Database& database, Dictionary& dictionary) {
    dictionary_ = &dictionary;
    std::string sql = "SELECT id, begun_ns";
    for (const Column& column : columns_of<model::Census>()) sql += ", " + column.name;
    looks_ = database.prepare(sql + " FROM looks ORDER BY id");
    return looks_ && prepare_tables(database, tables());
}

std::uint64_t LookReader::rows() {
    return std::apply([](const auto&... table) { return (table.rows() + ...); }, tables());
}

std::optional<LookReader::Next> LookReader::next() {
    if (damaged_) return std::nullopt;
    has_row_ = looks_.step() == Statement::Step::kRow;
    damaged_ = !has_row_ && looks_.failed();
    if (!has_row_) return std::nullopt;
    const std::int64_t id = looks_.integer(0);
    constexpr std::int64_t kMostLooks = std::int64_t{1} << 40;
    if (id <= look_ || id > kMostLooks || !looks_.is_integer(1) || looks_.integer(1) < 0) {
        damaged_ = true;
        return std::nullopt;
    }
    look_ = id;
    return Next{id, static_cast<std::uint64_t>(looks_.integer(1))};
}

std::optional<model::Census> LookReader::read() {
    model::Census census;
    if (damaged_ || !has_row_ || !apply(census) || !build(census)) {
        damaged_ = true;
        return std::nullopt;
    }
    return census;
}

bool LookReader::apply(model::Census& census) {
    bool good = true;
    int at = 2;
    read_fields(looks_, at, *dictionary_, good, census);
    good = good && static_cast<std::int64_t>(census.taken_ns) >= 0;  // no clock runs before it was started
    return good && apply_processes_and_threads(census) && apply_listeners() && apply_sockets() &&
           apply_accept_side() && apply_answers() && read_lists_of_look(census);
}

bool LookReader::apply_processes_and_threads(const model::Census& census) {
    return processes_.read(
               look_, *dictionary_,
               [&](std::int64_t id, std::int64_t place, model::Process& process) {
                   known_processes_[id] = {place, {}, std::move(process)};
               },
               [&](std::int64_t id) { known_processes_.erase(id); }) &&
           threads_.read(
               look_, *dictionary_,
               [&](std::int64_t id, std::int64_t place, ProcessLink& link, model::Thread& thread) {
                   const std::uint64_t after = thread.read_ns - census.taken_ns;
                   known_threads_[id] = {place, link, std::move(thread), after};
               },
               [&](std::int64_t id) { known_threads_.erase(id); });
}

bool LookReader::apply_listeners() {
    return listeners_.read(
               look_, *dictionary_,
               [&](std::int64_t id, std::int64_t place, model::Socket& socket, model::AcceptQueue& queue) {
                   known_listeners_[id] = {place, std::move(socket), queue, {}};
               },
               [&](std::int64_t id) { known_listeners_.erase(id); }) &&
           queue_states_.read(look_, *dictionary_, [&](std::int64_t owner, StateCount& count) {
               const auto listener = known_listeners_.find(owner);
               if (listener == known_listeners_.end()) return false;
               auto& states = listener->second.queue.by_state;
               if (count.state >= states.size() || count.sockets > UINT32_MAX) return false;
               states[count.state] = static_cast<std::uint32_t>(count.sockets);
               return true;
           });
}

bool LookReader::apply_sockets() {
    const auto with_socket = [&](auto member) {
        return [this, member](std::int64_t owner, auto& one) {
            const auto socket = known_sockets_.find(owner);
            if (socket == known_sockets_.end()) return false;
            (socket->second.*member).push_back(std::move(one));
            return true;
        };
    };
    return sockets_.read(
               look_, *dictionary_,
               [&](std::int64_t id, std::int64_t place, SocketLinks& links, model::Socket& socket) {
                   known_sockets_[id] = {place, links, std::move(socket), {}, {}, {}};
               },
               [&](std::int64_t id) { known_sockets_.erase(id); }) &&
           holders_.read(look_, *dictionary_,
                         [&](std::int64_t owner, ProcessLink& link, model::Holder& holder) {
                             const auto socket = known_sockets_.find(owner);
                             const auto listener = known_listeners_.find(owner);
                             if (socket != known_sockets_.end())
                                 socket->second.holders.emplace_back(link, holder);
                             else if (listener != known_listeners_.end())
                                 listener->second.holders.emplace_back(link, holder);
                             else
                                 return false;
                             return true;
                         }) &&
           watches_.read(look_, *dictionary_, with_socket(&HeldSocket::watches)) &&
           in_flight_.read(look_, *dictionary_, with_socket(&HeldSocket::in_flight));
}

bool LookReader::apply_accept_side() {
    return accept_calls_.read(
               look_, *dictionary_,
               [&](std::int64_t id, std::int64_t place, ListenerLink& link, model::AcceptCalls& calls) {
                   known_calls_[id] = {place, link, calls};
               },
               [&](std::int64_t id) { known_calls_.erase(id); }) &&
           networks_.read(
               look_, *dictionary_,
               [&](std::int64_t id, std::int64_t place, NetworkId& netns, model::NetworkFacts& facts) {
                   known_networks_[id] = {place, netns, facts};
               },
               [&](std::int64_t id) { known_networks_.erase(id); });
}

bool LookReader::apply_answers() {
    return answers_.read(
               look_, *dictionary_,
               [&](std::int64_t id, std::int64_t place, ProcessLink& link, model::Answer& answer) {
                   known_answers_[id] = {place, link, std::move(answer)};
               },
               [&](std::int64_t id) { known_answers_.erase(id); }) &&
           epolls_.read(
               look_, *dictionary_,
               [&](std::int64_t id, std::int64_t place, model::EpollHolder& epoll) {
                   known_epolls_[id] = {place, {}, std::move(epoll)};
               },
               [&](std::int64_t id) { known_epolls_.erase(id); });
}

bool LookReader::read_lists_of_look(model::Census& census) {
    const bool good = states_.read(look_, *dictionary_, [&](std::int64_t, StateCount& count) {
        census.states[static_cast<model::TcpState>(count.state)] = count.sockets;
        return true;
    }) && earlier_holds_.read(look_, *dictionary_, [&](std::int64_t, EarlierCount& count) {
        if (census.earlier) census.earlier->holds[{count.pid, count.start_ns}] = {count.sockets, count.fds};
        return census.earlier.has_value();
    });
    model::Window none;
    return good && read_window(census.window ? *census.window : none) &&
           (census.window || (none.threads.empty() && none.throttled.empty() && none.jvms.empty()));
}

bool LookReader::read_window(model::Window& window) {
    return thread_times_.read(
               look_, *dictionary_,
               [&](std::int64_t, Worker& worker, model::ThreadTime& time) {
                   if (worker.worker)
                       window.workers.push_back(static_cast<std::uint32_t>(window.threads.size()));
                   window.threads.push_back(std::move(time));
                   return time.to_ns >= time.from_ns;
               }) &&
           sleeps_.read(look_, *dictionary_,
                        [&](std::int64_t owner, model::Slept& slept) {
                            const auto index = static_cast<std::uint64_t>(owner);
                            if (index >= window.threads.size()) return false;
                            window.threads[index].slept.push_back(slept);
                            return true;
                        }) &&
           throttled_.read(look_, *dictionary_,
                           [&](std::int64_t, model::Throttling& one) {
                               window.throttled.push_back(std::move(one));
                               return true;
                           }) &&
           jvms_.read(look_, *dictionary_,
                      [&](std::int64_t, model::JvmPauses& one) {
                          window.jvms.push_back(one);
                          return true;
                      }) &&
           eof_reads_.read(look_, *dictionary_, [&](std::int64_t, EofReads& one) {
               window.eof_reads[{one.netns, one.cookie}] = one.reads;
               return true;
           });
}

bool LookReader::build(model::Census& census) {
    return add_processes(census) && add_sockets(census) && add_accept_side(census) && add_answers(census);
}

std::optional<std::uint32_t> LookReader::process_index(const ProcessLink& link) const {
    const auto found = process_index_.find(link.process.value_or(0));
    if (found == process_index_.end()) return std::nullopt;
    return found->second;
}

bool LookReader::add_processes(model::Census& census) {
    process_index_.clear();
    for (const auto& [id, row] : in_order(known_processes_)) {
        process_index_[id] = static_cast<std::uint32_t>(census.processes.size());
        census.processes.push_back(row->value);
    }
    std::vector<std::vector<const ThreadRow*>> threads(census.processes.size());
    for (const auto& [id, row] : in_order(known_threads_)) {
        const auto process = process_index(row->link);
        if (!process) return false;
        threads[*process].push_back(row);
    }
    census.threads.reserve(known_threads_.size());
    for (std::size_t i = 0; i < threads.size(); ++i) {
        census.processes[i].first_thread = static_cast<std::uint32_t>(census.threads.size());
        census.processes[i].thread_count = static_cast<std::uint32_t>(threads[i].size());
        for (const ThreadRow* row : threads[i]) {
            census.threads.push_back(row->thread);
            census.threads.back().read_ns = census.taken_ns + row->read_after_ns;
        }
    }
    return true;
}

bool LookReader::add_holders(model::Census& census, model::Socket& socket,
                             const std::vector<std::pair<ProcessLink, model::Holder>>& holders) {
    socket.first_holder = static_cast<std::uint32_t>(census.holders.size());
    socket.holder_count = static_cast<std::uint32_t>(holders.size());
    for (const auto& [link, holder] : holders) {
        const auto process = process_index(link);
        if (!process) return false;
        census.holders.push_back(holder);
        census.holders.back().process = *process;
    }
    return true;
}

bool LookReader::add_sockets(model::Census& census) {
    listener_index_.clear();
    unwanted_.clear();
    const auto sockets = in_order(known_sockets_);
    const auto listeners = in_order(known_listeners_);
    census.sockets.reserve(sockets.size());
    for (const auto& [id, row] : sockets) {
        census.sockets.push_back(copy_of(row->socket));
        model::Socket& socket = census.sockets.back();
        if (!add_holders(census, socket, row->holders)) return false;
        if (!row->links.wanted) unwanted_.push_back({socket.netns, socket.cookie});
        if (!row->watches.empty()) socket.watches = std::make_unique<std::vector<model::Watch>>(row->watches);
        if (!row->in_flight.empty())
            socket.in_flight = std::make_unique<std::vector<model::InFlight>>(row->in_flight);
    }
    for (const auto& [id, row] : listeners) {
        listener_index_[id] = static_cast<std::int32_t>(census.listeners.size());
        census.listeners.push_back(copy_of(row->socket));
        census.accept.queues.push_back(row->queue);
        if (!add_holders(census, census.listeners.back(), row->holders)) return false;
    }
    for (std::size_t i = 0; i < sockets.size(); ++i) {
        const SocketLinks& links = sockets[i].second->links;
        if (links.listener) {
            const auto listener = listener_index_.find(*links.listener);
            if (listener == listener_index_.end()) return false;
            census.sockets[i].listener = listener->second;
        }
        if (!links.peer_process) continue;
        const auto process = process_index({links.peer_process});
        if (!process || !links.peer_fd || !links.peer_close_on_exec) return false;
        census.sockets[i].peer_holder = static_cast<std::int32_t>(census.holders.size());
        census.holders.push_back({*process, *links.peer_fd, *links.peer_close_on_exec});
    }
    return true;
}

bool LookReader::add_accept_side(model::Census& census) {
    for (const auto& [id, row] : in_order(known_calls_)) {
        const auto listener = listener_index_.find(row->link.listener);
        if (listener == listener_index_.end()) return false;
        census.accept.calls.push_back(row->value);
        census.accept.calls.back().listener = listener->second;
    }
    // Whoever looks for those of a listener relies on it.
    std::ranges::stable_sort(census.accept.calls, {}, &model::AcceptCalls::listener);
    for (const auto& [id, row] : known_networks_) census.accept.networks[row.link.netns] = row.value;
    return true;
}

bool LookReader::add_answers(model::Census& census) {
    for (const auto& [id, row] : in_order(known_answers_)) {
        census.answers.push_back(row->value);
        if (!row->link.process) continue;
        const auto process = process_index(row->link);
        if (!process) return false;
        census.answers.back().process = static_cast<std::int32_t>(*process);
    }
    for (const auto& [id, row] : in_order(known_epolls_)) census.epolls.push_back(row->value);
    // Numbers stand for the addresses that they were sorted by.
    std::ranges::stable_sort(census.answers, model::Answer::precedes);
    std::ranges::stable_sort(census.epolls, {}, &model::EpollHolder::epoll);
    return true;
}

}  // namespace waitclose::store
