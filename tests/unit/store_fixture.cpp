// SPDX-License-Identifier: BSD-2-Clause
#include "store_fixture.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

namespace waitclose::store {
namespace {

std::string name_of(const model::Connection& connection) {
    std::string text = fmt::format("{}:{} {}", connection.key.netns, connection.key.cookie,
                                   static_cast<int>(connection.family));
    for (const model::Endpoint& end : {connection.local, connection.remote})
        text += fmt::format(" {}:{}", model::address_text(connection.family, end), end.port);
    return text;
}

std::string holder_line(const model::Census& census, const model::Holder& holder) {
    Identities none;
    return line_of(none, "  holder", holder) + fmt::format(" of {}", census.processes[holder.process].pid);
}

void add_socket(std::vector<std::string>& lines, Identities& identities, const model::Census& census,
                const model::Socket& socket, const std::string& what) {
    lines.push_back(line_of(identities, what, socket));
    for (const model::Holder& holder : census.holders_of(socket))
        lines.push_back(holder_line(census, holder));
    if (socket.listener != model::kNone)
        lines.push_back(
            fmt::format("  listener {}", census.listeners[static_cast<std::size_t>(socket.listener)].cookie));
    if (socket.peer_holder != model::kNone)
        lines.push_back("  peer" +
                        holder_line(census, census.holders[static_cast<std::size_t>(socket.peer_holder)]));
    if (socket.watches)
        for (const model::Watch& watch : *socket.watches)
            lines.push_back(line_of(identities, "  watch", watch));
    if (socket.in_flight)
        for (const model::InFlight& one : *socket.in_flight)
            lines.push_back(line_of(identities, "  in flight", one));
}

void add_window(std::vector<std::string>& lines, Identities& identities, const model::Window& window) {
    for (const model::ThreadTime& time : window.threads) {
        lines.push_back(line_of(identities, "thread time", time));
        for (const model::Slept& slept : time.slept) lines.push_back(line_of(identities, "  slept", slept));
    }
    for (const std::uint32_t worker : window.workers) lines.push_back(fmt::format("worker {}", worker));
    for (const auto& one : window.throttled) lines.push_back(line_of(identities, "throttled", one));
    for (const auto& one : window.jvms) lines.push_back(line_of(identities, "jvm", one));
    std::vector<std::string> reads;
    for (const auto& [key, count] : window.eof_reads)
        reads.push_back(fmt::format("eof reads {}:{} {}", key.netns, key.cookie, count));
    std::ranges::sort(reads);
    lines.insert(lines.end(), reads.begin(), reads.end());
}

void fill_window(Filling& filling, model::Window& window) {
    for (int i = 0; i < 3; ++i) {
        model::ThreadTime& time = window.threads.emplace_back();
        fill(filling, time);
        for (int j = 0; j < i; ++j) fill(filling, time.slept.emplace_back());
    }
    window.workers = {0, 2};
    fill(filling, window.throttled.emplace_back());
    fill(filling, window.jvms.emplace_back());
    window.eof_reads[{1, 2}] = 3;
    window.eof_reads[{1, ~std::uint64_t{0}}] = 4;
}

void fill_sockets(Filling& filling, model::Census& census) {
    const auto hold = [&](model::Socket& socket, int count) {
        socket.first_holder = static_cast<std::uint32_t>(census.holders.size());
        socket.holder_count = static_cast<std::uint32_t>(count);
        for (int i = 0; i < count; ++i) {
            model::Holder& holder = census.holders.emplace_back();
            fill(filling, holder);
            holder.process = static_cast<std::uint32_t>(i);
        }
    };
    for (int i = 0; i < 4; ++i) {
        model::Socket& socket = census.sockets.emplace_back();
        fill(filling, socket);
        hold(socket, i % 3);
        if (i % 2) socket.listener = i / 2;
        if (i < 2) continue;
        socket.watches = std::make_unique<std::vector<model::Watch>>(2);
        for (model::Watch& watch : *socket.watches) fill(filling, watch);
        socket.in_flight = std::make_unique<std::vector<model::InFlight>>(2);
        for (model::InFlight& one : *socket.in_flight) fill(filling, one);
    }
    for (int i = 0; i < 2; ++i) {
        model::Socket& listener = census.listeners.emplace_back();
        fill(filling, listener);
        hold(listener, 1 + i);
        model::AcceptQueue& queue = census.accept.queues.emplace_back();
        fill(filling, queue);
        queue.by_state = {0, 1, 2, 0, 4};
        for (int j = 0; j < 2; ++j) {
            model::AcceptCalls& calls = census.accept.calls.emplace_back();
            fill(filling, calls);
            calls.listener = i;
        }
    }
    census.sockets[2].peer_holder = static_cast<std::int32_t>(census.holders.size());
    fill(filling, census.holders.emplace_back());
    census.holders.back().process = 2;
}

}  // namespace

std::vector<std::string> lines_of(const model::Census& census) {
    std::vector<std::string> lines;
    Identities identities;
    lines.push_back(line_of(identities, "census", census));
    for (const model::Socket& socket : census.sockets)
        add_socket(lines, identities, census, socket, "socket");
    for (std::size_t i = 0; i < census.listeners.size(); ++i) {
        add_socket(lines, identities, census, census.listeners[i], "listener");
        lines.push_back(line_of(identities, "  queue", census.accept.queues[i]));
        for (const std::uint32_t count : census.accept.queues[i].by_state)
            lines.back() += fmt::format(" {}", count);
    }
    for (const model::Process& process : census.processes) {
        lines.push_back(line_of(identities, "process", process));
        for (const model::Thread& thread : census.threads_of(process))
            lines.push_back(line_of(identities, "  thread", thread));
    }
    // Both are in the order of identities, which is another one for the numbers that stand for them.
    const auto by_pid = [](const auto& list) {
        std::vector<const std::remove_cvref_t<decltype(list[0])>*> sorted;
        for (const auto& one : list) sorted.push_back(&one);
        std::ranges::sort(sorted, {}, [](const auto* one) { return one->pid; });
        return sorted;
    };
    for (const auto* answer : by_pid(census.answers)) {
        lines.push_back(line_of(identities, "answer", *answer));
        if (answer->process != model::kNone)
            lines.back() +=
                fmt::format(" of {}", census.processes[static_cast<std::size_t>(answer->process)].pid);
    }
    for (const auto* one : by_pid(census.epolls)) lines.push_back(line_of(identities, "epoll", *one));
    for (const auto& [state, count] : census.states)
        lines.push_back(fmt::format("state {} {}", static_cast<int>(state), count));
    for (const model::AcceptCalls& calls : census.accept.calls)
        lines.push_back(
            line_of(identities, "calls", calls) +
            fmt::format(" at {}", census.listeners[static_cast<std::size_t>(calls.listener)].cookie));
    for (const auto& [netns, facts] : census.accept.networks)
        lines.push_back(line_of(identities, fmt::format("network {}", netns), facts));
    if (census.earlier)
        for (const auto& [process, held] : census.earlier->holds)
            lines.push_back(fmt::format("earlier {} {} {} {}", process.first, process.second, held.sockets,
                                        held.fds ? fmt::to_string(*held.fds) : "-"));
    if (census.window) add_window(lines, identities, *census.window);
    return lines;
}

model::Census full_census(Filling& filling) {
    model::Census census;
    fill(filling, census);
    for (int i = 0; i < 3; ++i) {
        model::Process& process = census.processes.emplace_back();
        fill(filling, process);
        process.first_thread = static_cast<std::uint32_t>(census.threads.size());
        process.thread_count = static_cast<std::uint32_t>(i);
        for (int j = 0; j < i; ++j) fill(filling, census.threads.emplace_back());
    }
    fill_sockets(filling, census);
    for (int i = 0; i < 3; ++i) {
        model::Answer& answer = census.answers.emplace_back();
        fill(filling, answer);
        answer.process = i == 0 ? model::kNone : i;
        fill(filling, census.epolls.emplace_back());
    }
    census.states = {{model::TcpState::kCloseWait, 4}, {static_cast<model::TcpState>(200), 1}};
    fill(filling, census.accept.networks[7]);
    fill(filling, census.accept.networks[4026531840]);
    if (census.earlier) census.earlier->holds = {{{1, 2}, {3, 9}}, {{4, ~std::uint64_t{0}}, {6}}};
    if (census.window) fill_window(filling, *census.window);
    return census;
}

void Listener::about(const About& about) {
    std::string text =
        fmt::format("about {} {} {} {} {} {} {} {} {} {} {}", about.program, about.hostname, about.kernel,
                    about.boot_id, about.begun_ns, about.wall_offset_ns, about.arguments,
                    about.all_transitions, about.min_held_ns, about.selects, about.failure);
    for (const auto& [need, hook] : about.probes.hooks) text += fmt::format(" {}={}", need, hook);
    for (const std::string& need : about.probes.missing) text += fmt::format(" no {}", need);
    lines.push_back(text);
}

void Listener::on(const model::Entered& event) {
    lines.push_back(fmt::format("entered {} {}", event.at_ns, name_of(event.connection)));
}

void Listener::on(const model::Left& event) {
    const model::Actor closer = event.closer.value_or(model::Actor{});
    lines.push_back(fmt::format("left {} {}:{} {} {} {} {}/{}/{} {}", event.at_ns, event.key.netns,
                                event.key.cookie, static_cast<int>(event.end), event.error,
                                event.closer.has_value(), closer.start_ns, closer.pid, closer.tid,
                                closer.comm_text()));
}

void Listener::on(const model::Transition& event) {
    lines.push_back(fmt::format("transition {} {} {} {}", event.at_ns, static_cast<int>(event.from),
                                static_cast<int>(event.to), name_of(event.connection)));
}

void Listener::look_begins(std::uint64_t at_ns) {
    lines.push_back(fmt::format("look begins {}", at_ns));
}

void Listener::look(model::Census& census) {
    for (std::string& line : lines_of(census)) lines.push_back(std::move(line));
}

void Listener::losses(std::uint64_t at_ns, const model::Losses& so_far) {
    lines.push_back(fmt::format("lost {} {} {} {}", at_ns, so_far.ring, so_far.storage, so_far.reconciled));
}

Directory::Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "waitclose-store.XXXXXX").string();
    if (::mkdtemp(name.data())) path_ = name;
}

Directory::~Directory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

std::vector<std::string> played(const std::string& path) {
    Listener listener;
    const auto done = play(path, listener);
    EXPECT_TRUE(done) << done.error().what;
    return listener.lines;
}

std::string difference(const std::vector<std::string>& expected, const std::vector<std::string>& found) {
    for (std::size_t i = 0; i < std::max(expected.size(), found.size()); ++i) {
        const std::string wanted = i < expected.size() ? expected[i] : "nothing";
        const std::string got = i < found.size() ? found[i] : "nothing";
        if (wanted != got) return fmt::format("line {}\nexpected {}\nfound    {}", i, wanted, got);
    }
    return {};
}

}  // namespace waitclose::store
