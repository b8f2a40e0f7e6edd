// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/follower.h"

#include <algorithm>
#include <cstring>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/types.h>
#include <sys/socket.h>

#include "kernel/polled.h"
#include "kernel/readings.h"
#include "kernel/records.h"
#include "system/thread_facts.h"
#include "waitclose.skel.h"

namespace waitclose::kernel {
namespace {

using model::Question;

constexpr int kMostPasses = static_cast<int>(model::kLongestChain) - 1;

template <typename Record>
const Record& as(const wc_header& header) {
    return reinterpret_cast<const Record&>(header);
}

/// Puts keys into a map for the time of one pass. A key for which there is no room is not answered.
template <typename Key>
class Wanted {
public:
    explicit Wanted(const bpf_map* map) : fd_(bpf_map__fd(map)) {}
    Wanted(const Wanted&) = delete;
    Wanted& operator=(const Wanted&) = delete;
    ~Wanted() {
        for (const Key key : keys_) bpf_map_delete_elem(fd_, &key);
    }
    void add(Key key) {
        const std::uint8_t yes = 1;
        if (bpf_map_update_elem(fd_, &key, &yes, BPF_ANY) == 0) keys_.push_back(key);
    }
    bool empty() const { return keys_.empty(); }

private:
    int fd_;
    std::vector<Key> keys_;
};

std::uint32_t ports_of(std::uint16_t local, std::uint16_t remote) {
    return static_cast<std::uint32_t>(local) << 16 | remote;
}

/// `received` is within what the other end has sent and not heard back of. Where nothing moves, as while
/// somebody sleeps in a read, all three are the same. A first sequence number depends on the addresses and on
/// the time, in steps of 64 ns (secure_tcp_seq): nothing may be allowed for what moved between two looks.
bool fits(std::uint32_t received, const wc_sequence& sender) {
    return received - sender.acknowledged <= sender.sent - sender.acknowledged;
}

bool is_loopback(const wc_socket& socket) {
    static constexpr wc_u8 kLoopback6[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    if (socket.family != AF_INET6) return socket.local[0] == 127;
    return std::memcmp(socket.local, kLoopback6, sizeof(kLoopback6)) == 0;
}

model::Answer end_of(const wc_census_end& record, const Question& question) {
    model::Answer end;
    end.question = question;
    end.pid = record.tgid;
    end.start_ns = record.leader_start_ns;
    if (question.kind == Question::Kind::kChildren) return end;
    end.fd = static_cast<std::int32_t>(record.fd);
    end.file = record.file_address;
    end.references = record.references;
    if (record.readers || record.writers) {
        end.reads = record.reads != 0;
        end.writes = record.writes != 0;
        end.readers = record.readers;
        end.writers = record.writers;
    }
    end.last_touch = actor_of(record.actor);
    return end;
}

/// Those that hold a socket in CLOSE_WAIT, and the owners of the queues in which such sockets wait.
std::set<std::uint32_t> answerable(const model::Census& census) {
    std::set<std::uint32_t> processes;
    const auto add = [&](const model::Socket& socket) {
        for (const model::Holder& holder : census.holders_of(socket)) processes.insert(holder.process);
    };
    for (const model::Socket& socket : census.sockets) {
        add(socket);
        if (socket.listener != model::kNone) add(census.listeners[static_cast<std::size_t>(socket.listener)]);
    }
    return processes;
}

Result<std::optional<Iterator>> attach(bpf_program* program) {
    if (!program) return std::nullopt;
    auto iterator = Iterator::attach(program);
    if (!iterator) return tl::unexpected(iterator.error());
    return std::optional(std::move(*iterator));
}

}  // namespace

bool are_two_ends(const Connection& one, const Connection& other) {
    const wc_socket& a = one.socket;
    const wc_socket& b = other.socket;
    if (a.netns != b.netns && (is_loopback(a) || is_loopback(b))) return false;
    return a.family == b.family && a.local_port == b.remote_port && a.remote_port == b.local_port &&
           std::memcmp(a.local, b.remote, sizeof(a.local)) == 0 &&
           std::memcmp(a.remote, b.local, sizeof(a.local)) == 0 &&
           fits(one.sequence.received, other.sequence) && fits(other.sequence.received, one.sequence);
}

Result<Follower> Follower::prepare(const Probes& probes) {
    auto ends = attach(probes.program_for("chain", 0));
    auto children = attach(probes.program_for("chain", 1));
    if (!ends) return tl::unexpected(ends.error());
    if (!children) return tl::unexpected(children.error());
    return Follower(probes, std::move(*ends), std::move(*children));
}

void Follower::begin(const Readings& readings) {
    connections_.clear();
    asked_.clear();
    known_.clear();
    if (!ends_) return;
    for (const wc_census_thread& record : readings.threads) remember(record);
}

void Follower::remember(const wc_census_thread& record) {
    const wc_socket& socket = record.file_socket;
    if (socket.address) connections_[socket.address] = {socket, record.sequence};
}

void Follower::follow(model::Census& census, const Iterator& threads) {
    if (!ends_) return;
    for (std::size_t i = 0; i < census.processes.size(); ++i)
        known_[{census.processes[i].pid, census.processes[i].start_ns}] = static_cast<std::int32_t>(i);
    const auto seeds = answerable(census);
    seeds_.assign(seeds.begin(), seeds.end());
    for (int pass = 0; pass < kMostPasses; ++pass) {
        const Waiters waiters = find_waiters(census);
        if (waiters.empty() || !ask(census, waiters)) return;
        if (!read_processes(census, waiters, threads)) return;
    }
}

/// The last threads of all chains so far, where nobody has asked yet whom they wait for.
Follower::Waiters Follower::find_waiters(const model::Census& census) {
    Waiters waiters;
    const auto add = [&](const model::Process& process, const model::Thread& thread) {
        const auto question = model::question_of(process, thread);
        if (!question || !asked_.insert(*question).second) return;
        waiters.emplace_back(static_cast<std::uint32_t>(&process - census.processes.data()),
                             static_cast<std::uint32_t>(&thread - census.threads.data()));
    };
    for (const std::uint32_t seed : seeds_) {
        const model::Process& process = census.processes[seed];
        for (const model::Thread& thread : census.threads_of(process)) {
            if (!thread.lock_owner_tid && !model::question_of(process, thread)) continue;
            const model::Steps chain = model::follow_waits(census, process, thread);
            if (chain.end == model::ChainEnd::kWaitsForNobody)
                add(*chain.steps.back().process, *chain.steps.back().thread);
        }
    }
    return waiters;
}

/// False when the answers would not be whole: half of them could make one candidate of two.
bool Follower::ask(model::Census& census, const Waiters& waiters) {
    std::vector<Question> files;
    std::vector<Question> parents;
    for (const auto& [process, thread] : waiters) {
        const auto question = model::question_of(census.processes[process], census.threads[thread]);
        (question->kind == Question::Kind::kFile ? files : parents).push_back(*question);
    }
    std::vector<model::Answer> found;
    if (!ask_for_ends(files, found) || !ask_for_children(parents, found)) return false;
    census.answers.insert(census.answers.end(), found.begin(), found.end());
    std::ranges::stable_sort(census.answers, model::Answer::precedes);
    tie_answers(census);
    return true;
}

bool Follower::ask_for_ends(const std::vector<Question>& questions, std::vector<model::Answer>& found) {
    Wanted<std::uint64_t> inodes(probes_->skeleton().maps.wanted_inodes);
    Wanted<std::uint32_t> ports(probes_->skeleton().maps.wanted_ports);
    asked_by_ports_.clear();
    asked_files_.clear();
    for (const Question& question : questions) {
        const auto connection = connections_.find(question.id);
        if (connection == connections_.end()) {
            inodes.add(question.id);
            asked_files_.insert(question.id);
            continue;
        }
        const wc_socket& asking = connection->second.socket;
        const std::uint32_t mirrored = ports_of(asking.remote_port, asking.local_port);
        ports.add(mirrored);
        asked_by_ports_.emplace(mirrored, question.id);
    }
    if (inodes.empty() && ports.empty()) return true;
    return ends_
        ->run([&](const wc_header& header) {
            if (header.kind == WC_KIND_CENSUS_END) add_answers(as<wc_census_end>(header), found);
        })
        .has_value();
}

void Follower::add_answers(const wc_census_end& record, std::vector<model::Answer>& found) const {
    if (asked_files_.contains(record.inode_address))
        found.push_back(end_of(record, {Question::Kind::kFile, record.inode_address}));
    const Connection end{record.socket, record.sequence};
    const auto [first, last] =
        asked_by_ports_.equal_range(ports_of(record.socket.local_port, record.socket.remote_port));
    for (auto asking = first; asking != last; ++asking)
        if (are_two_ends(connections_.at(asking->second), end))
            found.push_back(end_of(record, {Question::Kind::kFile, asking->second}));
}

bool Follower::ask_for_children(const std::vector<Question>& questions, std::vector<model::Answer>& found) {
    Wanted<std::uint32_t> parents(probes_->skeleton().maps.wanted_parents);
    for (const Question& question : questions) parents.add(static_cast<std::uint32_t>(question.id));
    if (parents.empty()) return true;
    const auto is_asked = [&](std::uint32_t pid) {
        return std::ranges::find(questions, std::uint64_t{pid}, &Question::id) != questions.end();
    };
    const auto add = [&](const wc_census_end& record, std::uint32_t parent) {
        if (parent && is_asked(parent)) found.push_back(end_of(record, {Question::Kind::kChildren, parent}));
    };
    return children_
        ->run([&](const wc_header& header) {
            if (header.kind != WC_KIND_CENSUS_END) return;
            const auto& record = as<wc_census_end>(header);
            add(record, record.parent_tgid);
            if (record.tracer_tgid != record.parent_tgid) add(record, record.tracer_tgid);
        })
        .has_value();
}

/// Reads the threads of those processes that alone could end one of the waits.
bool Follower::read_processes(model::Census& census, const Waiters& waiters, const Iterator& threads) {
    std::map<Key, std::vector<wc_census_thread>> fresh;
    for (const auto& [process, thread] : waiters) {
        const auto next = model::provider_of(census, census.processes[process], census.threads[thread]);
        if (next.end && !next.process) fresh[{next.end->pid, next.end->start_ns}];
    }
    if (fresh.empty()) return true;
    {
        Wanted<std::uint32_t> processes(probes_->skeleton().maps.wanted_processes);
        for (const auto& [key, records] : fresh) processes.add(key.pid);
        const auto done = threads.run([&](const wc_header& header) {
            if (header.kind != WC_KIND_CENSUS_THREAD) return;
            const auto& record = as<wc_census_thread>(header);
            // A process with that id but another start has only got the id since.
            const auto place = fresh.find({record.actor.tgid, record.leader_start_ns});
            if (place != fresh.end()) place->second.push_back(record);
        });
        if (!done) return false;
    }
    for (auto& [key, records] : fresh)
        if (!look_at_polled(*probes_, threads, records)) return false;
    for (const auto& [key, records] : fresh)
        if (!records.empty()) add_process(census, key, records);
    tie_answers(census);
    return true;
}

void Follower::add_process(model::Census& census, const Key& key,
                           const std::vector<wc_census_thread>& records) {
    model::Process process;
    process.pid = key.pid;
    process.start_ns = key.start_ns;
    process.first_thread = static_cast<std::uint32_t>(census.threads.size());
    process.thread_count = static_cast<std::uint32_t>(records.size());
    const std::int64_t run_phase_ns = probes_->skeleton().bss->counters.run_phase_ns;
    for (const wc_census_thread& record : records) {
        remember(record);
        process.parent_pid = record.parent_tgid;
        note_ended(process, record);
        census.threads.push_back(thread_of(record, run_phase_ns));
        if (record.actor.tid == process.pid || process.comm.empty())
            process.comm = census.threads.back().comm;
    }
    system::describe_waits(process, std::span(census.threads).subspan(process.first_thread));
    known_[key] = static_cast<std::int32_t>(census.processes.size());
    census.processes.push_back(std::move(process));
}

void Follower::tie_answers(model::Census& census) const {
    for (model::Answer& end : census.answers)
        if (const auto process = known_.find({end.pid, end.start_ns}); process != known_.end())
            end.process = process->second;
}

}  // namespace waitclose::kernel
