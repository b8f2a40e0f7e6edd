// SPDX-License-Identifier: BSD-2-Clause
#include <fmt/format.h>

#include <algorithm>

#include "diagnose/wait.h"
#include "output/escape.h"
#include "output/explain.h"
#include "output/format.h"
#include "output/json.h"
#include "output/labels.h"
#include "output/layout.h"
#include "output/outlook.h"
#include "output/story.h"

namespace waitclose::output {

namespace {

constexpr std::size_t kLabelWidth = 14;
constexpr std::size_t kHang = 2;  // a fact's further lines
constexpr std::size_t kLeastText = 20;

/// Labelled text, wrapped beside its label; without a label it goes on under the one before.
class Fields {
public:
    Fields(Sink& sink, const TextStyle& style) : sink_(sink), style_(style) {}

    void add(std::string_view label, std::string_view text, Paint how = Paint::kPlain,
             std::size_t indent = 0) {
        std::string head = paint(style_, Paint::kDim, pad(label, kLabelWidth)) + std::string(indent, ' ');
        const std::size_t left = kLabelWidth + indent + kHang;
        const std::size_t width = std::max(style_.width, left + kLeastText) - left;
        for (const std::string& line : wrap(sentence(text, style_), width, 100, style_.charset)) {
            sink_.write(head + paint(style_, how, line) + "\n");
            head.assign(left, ' ');
        }
    }
    void gap() { sink_.write("\n"); }

private:
    Sink& sink_;
    const TextStyle& style_;
};

std::string id_of(const model::Socket& socket) {
    return id_text({socket.netns, socket.cookie});
}

const char* role_text(model::Role role) {
    switch (role) {
    case model::Role::kServer: return "the peer opened it";
    case model::Role::kClient: return "this side opened it";
    case model::Role::kUnknown: break;
    }
    return "who opened it is not known";
}

std::string held_text(const model::Census& census, const model::Socket& socket) {
    const auto since = static_cast<std::int64_t>(socket.held_since_ns) + census.wall_offset_ns;
    const bool exact = socket.precision == model::Precision::kExact;
    return fmt::format("for {}{}, since {} {}", exact ? "" : "at least ",
                       duration_text(census.held_ns(socket)), rfc3339(since),
                       exact ? "(exact: its beginning was traced)"
                             : "or before (the time of the peer's last segment, as the kernel stamped it)");
}

std::string unread_text(const model::Socket& socket) {
    return fmt::format("{} of {} bytes received are unread; {} bytes sent are not acknowledged",
                       count_text(socket.unread_bytes), count_text(socket.received_bytes),
                       count_text(socket.unsent_bytes));
}

std::string holder_line(const model::Census& census, const model::Holder& holder) {
    const model::Process& process = census.process_of(holder);
    std::string text = fmt::format("{} (pid {}) fd {}", process.comm, process.pid, holder.fd);
    if (holder.close_on_exec) text += ", close-on-exec";
    if (process.exe) text += ", " + *process.exe;
    if (process.cgroup) text += ", cgroup " + *process.cgroup;
    return text;
}

void add_holders(Fields& fields, const model::Census& census, const model::Socket& socket) {
    constexpr std::size_t kShown = 10;
    const auto holders = census.holders_of(socket);
    if (holders.empty())
        fields.add("Held by", socket.listener != model::kNone ? "no program yet: it waits in an accept queue"
                                                              : "no descriptor that can be seen here");
    for (std::size_t i = 0; i < std::min(kShown, holders.size()); ++i)
        fields.add(i == 0 ? "Held by" : "", holder_line(census, holders[i]));
    if (holders.size() > kShown) fields.add("", fmt::format("and {} more", holders.size() - kShown));
}

void add_connection(Fields& fields, const model::Census& census, const model::Socket& socket,
                    const TextStyle& style) {
    fields.add("Hold", id_of(socket), Paint::kBold);
    fields.add("Connection",
               fmt::format("{}; {}; network namespace {}",
                           connection_text(socket.role, socket.family, socket.local, socket.remote, style),
                           role_text(socket.role), socket.netns));
    fields.add("Held", held_text(census, socket));
    add_holders(fields, census, socket);
    const bool known = socket.peer_holder != model::kNone;
    fields.add("Peer",
               known ? "on this machine: " +
                           holder_line(census, census.holders[static_cast<std::size_t>(socket.peer_holder)])
                     : "no process of this machine, as far as can be seen");
    fields.add("Data", unread_text(socket));
}

const char* meaning_of(diagnose::Basis basis) {
    switch (basis) {
    case diagnose::Basis::kReadEof: return "it read end-of-file";
    case diagnose::Basis::kLastTouch: return "it read or wrote the socket last";
    case diagnose::Basis::kOpened: return "it accepted or connected it";
    case diagnose::Basis::kBlockedOnIt: return "it sits in a system call on this very descriptor";
    case diagnose::Basis::kOnlyThread: return "it is the only thread of the process";
    case diagnose::Basis::kAcceptor: return "it is the one to call accept()";
    case diagnose::Basis::kProcess: break;
    }
    return "no single thread can be named; the evidence says why";
}

std::string culprit_line(const diagnose::Diagnosis& diagnosis) {
    if (!diagnosis.culprit) return "nobody is named";
    const diagnose::Culprit& culprit = *diagnosis.culprit;
    const std::string who =
        culprit.tid ? fmt::format("thread {} (tid {}) of process {}", culprit.comm, *culprit.tid, culprit.pid)
                    : fmt::format("process {} (pid {})", culprit.comm, culprit.pid);
    return fmt::format("{}{}; basis {}: {}", perhaps(diagnosis), who, diagnose::id_of(culprit.basis),
                       meaning_of(culprit.basis));
}

void add_chain(Fields& fields, const std::vector<diagnose::Link>& chain) {
    for (std::size_t i = 0; i < chain.size(); ++i) {
        const diagnose::Link& link = chain[i];
        fields.add(
            i == 0 ? "Waits" : "",
            fmt::format("{}{} (pid {}, tid {}){} {}: {}{}", i == 0 ? "" : relation_of(chain[i - 1]),
                        link.comm, link.pid, link.tid, in_function(link), diagnose::phrase_of(link.waits_for),
                        link.detail, link.for_ns ? ", for " + duration_text(*link.for_ns) : ""),
            Paint::kPlain, 2 * i);
    }
}

void write_hold(Sink& sink, const Explained& explained, const model::Socket& socket, const TextStyle& style) {
    const diagnose::Diagnosis diagnosis = explained.diagnoser.diagnose(socket);
    Fields fields(sink, style);
    add_connection(fields, explained.census, socket, style);
    fields.gap();
    fields.add("Cause",
               fmt::format("{}, {}: {}", diagnose::id_of(diagnosis.cause),
                           diagnose::id_of(diagnosis.confidence), diagnose::meaning_of(diagnosis.cause)),
               Paint::kBold);
    fields.add("", reason_text(diagnosis));
    fields.add("Culprit", culprit_line(diagnosis));
    add_chain(fields, diagnosis.because);
    if (!diagnosis.contributing.empty())
        fields.add("Contributing", fmt::format("{}", fmt::join(diagnosis.contributing, ", ")));
    fields.gap();
    const char* label = "Evidence";
    for (const diagnose::Evidence& fact : diagnosis.evidence)
        fields.add(std::exchange(label, ""), fmt::format("{}: {}", fact.fact, fact.text));
    fields.gap();
    label = "Ruled out";
    for (const diagnose::Alternative& one : explained.diagnoser.alternatives(socket))
        fields.add(std::exchange(label, ""), fmt::format("{}: {}", diagnose::id_of(one.cause), one.why_not));
    fields.gap();
    fields.add("Advice", advice_text(diagnosis));
}

std::string story_of(const diagnose::Group& group) {
    const std::string who = group.owner_pid ? fmt::format("{} (pid {})", group.owner_comm, *group.owner_pid)
                                            : std::string("no single process");
    const std::string where = group.remote       ? " to " + *group.remote
                              : group.local_port ? fmt::format(" on port {}", *group.local_port)
                                                 : "";
    return fmt::format("{} {} of {}{}: {}, {}", count_text(group.sockets),
                       group.sockets == 1 ? "socket" : "sockets", who, where, diagnose::id_of(group.cause),
                       diagnose::id_of(group.confidence));
}

std::string member_text(const model::Census& census, std::size_t index, const TextStyle& style) {
    const model::Socket& socket = census.sockets[index];
    return fmt::format("{}, held {}, {} bytes unread, peer {}", id_of(socket),
                       held_cell(census.held_ns(socket), socket.precision, style),
                       count_text(socket.unread_bytes), endpoint_text(socket.family, socket.remote));
}

void write_group(Sink& sink, const Explained& explained, const diagnose::Group& group,
                 const TextStyle& style) {
    Fields fields(sink, style);
    fields.add("Group", story_of(group), Paint::kBold);
    fields.add("Oldest", member_text(explained.census, group.oldest_socket, style));
    fields.add("Typical", member_text(explained.census, group.typical_socket, style));
    fields.add("Youngest", member_text(explained.census, group.youngest_socket, style));
    if (explained.census.sockets[group.most_unread_socket].unread_bytes > 0)
        fields.add("Most unread", member_text(explained.census, group.most_unread_socket, style));
    const char* label = "Culprits";
    for (const diagnose::TopCulprit& one : group.top_culprits)
        fields.add(std::exchange(label, ""),
                   fmt::format("{} (tid {}): {} {}", one.comm, one.tid, count_text(one.sockets),
                               one.sockets == 1 ? "socket" : "sockets"));
    if (group.culprits > group.top_culprits.size())
        fields.add(
            "", fmt::format("and {} more threads", count_text(group.culprits - group.top_culprits.size())));
    if (group.owner_pid) fields.add("Descriptors", outlook_text(group.fds));
    sink.write("\nIts typical member in full:\n\n");
}

void write_others(Sink& sink, const Explained& explained, const TextStyle& style) {
    constexpr std::size_t kShown = 20;
    if (explained.groups.size() < 2) return;
    Fields fields(sink, style);
    sink.write("\n");
    const std::size_t end = std::min(explained.groups.size(), kShown + 1);
    for (std::size_t i = 1; i < end; ++i)
        fields.add(i == 1 ? "Also there" : "",
                   fmt::format("{}; typical: --explain {}", story_of(explained.groups[i]),
                               id_of(explained.census.sockets[explained.groups[i].typical_socket])));
    if (explained.groups.size() > end)
        fields.add("", fmt::format("and {} more groups (use --json)", explained.groups.size() - end));
}

}  // namespace

void write_explained_text(Sink& sink, const Explained& explained, const TextStyle& style) {
    if (explained.one_hold)
        return write_hold(sink, explained, explained.census.sockets[explained.hold], style);
    const diagnose::Group& group = explained.groups.front();
    Fields(sink, style).add("Asked for", explained.meant);
    if (group.sockets > 1) write_group(sink, explained, group, style);
    if (group.sockets == 1 && group.owner_pid)
        Fields(sink, style).add("Descriptors", outlook_text(group.fds));
    write_hold(sink, explained, explained.census.sockets[group.typical_socket], style);
    write_others(sink, explained, style);
}

}  // namespace waitclose::output
