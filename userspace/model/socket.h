// SPDX-License-Identifier: BSD-2-Clause
// A held socket and what is known of it. Plain data; times are nanoseconds of CLOCK_BOOTTIME.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/stack.h"
#include "model/watch.h"

namespace waitclose::model {

/// TCP states with the numbers of the kernel (include/net/tcp_states.h, unchanged since 2.6).
enum class TcpState : std::uint8_t {
    kEstablished = 1,
    kSynSent = 2,
    kSynRecv = 3,
    kFinWait1 = 4,
    kFinWait2 = 5,
    kTimeWait = 6,
    kClose = 7,
    kCloseWait = 8,
    kLastAck = 9,
    kListen = 10,
    kClosing = 11,
    kNewSynRecv = 12,
};

/// The name of a state as the JSON contract spells it, e.g. "CLOSE_WAIT"; "UNKNOWN" for a foreign number.
const char* name_of(TcpState state);

/// What the connection speaks: an IPv4 connection on a dual-stack IPv6 socket is kIpv4.
enum class Family : std::uint8_t { kIpv4, kIpv6 };

struct Endpoint {
    std::array<std::uint8_t, 16> address{};  // network byte order; IPv4 uses the first four bytes
    std::uint16_t port = 0;

    bool operator==(const Endpoint&) const = default;
};

/// The address as text, without the port. IPv6 in its canonical short form.
std::string address_text(Family family, const Endpoint& endpoint);

/// True for 0.0.0.0 and ::.
bool is_any_address(const Endpoint& endpoint);

/// A thread at the moment it did something; `start_ns` tells it from a later thread with the same id.
struct Actor {
    std::uint64_t start_ns = 0;
    std::uint32_t pid = 0;
    std::uint32_t tid = 0;
    std::array<char, 16> comm{};

    std::string comm_text() const;
};

enum class Operation : std::uint8_t { kNone, kRead, kWrite, kAccept, kConnect };

/// Somebody did something to a socket. `fd` is known for a close() only, else -1.
struct Deed {
    Actor actor;
    std::uint64_t at_ns = 0;
    Operation operation = Operation::kNone;
    std::int32_t fd = -1;
};

/// What tracing saw threads do to a socket. Absent for what happened before the tracer started.
struct Touches {
    std::optional<Deed> opened;  // accept() or connect()
    std::optional<Deed> last;    // the last read or write
    std::optional<Deed> eof;     // the first read that returned end-of-file
    std::optional<Deed> let_go;  // the last close() that was not the last reference
    std::uint64_t eof_reads = 0;
    std::uint64_t sent_since_fin = 0;
    StackRef opened_at;  // where in the program it was accepted or connected; read where that is asked for
};

/// SO_KEEPALIVE of a socket, its own options where set, else those of its network namespace.
struct Keepalive {
    bool on = false;
    std::optional<std::uint64_t> idle_ns;      // without a segment from the peer, before the first probe
    std::optional<std::uint64_t> interval_ns;  // between probes
    std::optional<std::uint32_t> probes;       // so many unanswered ones end the connection
    std::uint64_t user_timeout_ns = 0;         // TCP_USER_TIMEOUT, which then decides instead; 0: none
    std::uint64_t heard_ns = 0;    // the peer's last segment, or data, came at or before this time
    std::uint32_t unanswered = 0;  // probes sent since
};

enum class Role : std::uint8_t { kUnknown, kServer, kClient };
enum class Precision : std::uint8_t { kExact, kAtLeast };

/// "server", "client" or "unknown"; "exact" or "at-least".
const char* name_of(Role role);
const char* name_of(Precision precision);

/// Index values below mean "none".
inline constexpr std::int32_t kNone = -1;

/// One socket as a census read it. Held sockets and listeners share this type.
struct Socket {
    std::uint64_t cookie = 0;
    std::uint32_t netns = 0;
    Family family = Family::kIpv4;
    TcpState state = TcpState::kCloseWait;
    Role role = Role::kUnknown;
    Precision precision = Precision::kAtLeast;
    Endpoint local;
    Endpoint remote;

    bool has_file = false;         // a file refers to it: it was accepted, or opened by this side
    bool kernel_owned = false;     // made by the kernel for itself: no user program can close it
    bool fin_consumed = false;     // everything the peer sent, its FIN included, was taken by a read
    bool consumed_before = false;  // so before tracing began: who is given 0 bytes now did not find the end
    bool received_data =
        false;  // the peer sent data before its FIN; a read of data may have taken the FIN with it
    bool multipath =
        false;  // a subflow of Multipath TCP: the kernel reads it, the program reads another socket
    bool away_before = false;  // the look before, too, found no descriptor of it, though a file refers to it
    Keepalive keepalive;
    std::uint64_t received_bytes = 0;  // data that the peer has sent, read or not
    std::uint32_t unread_bytes = 0;
    std::uint32_t unsent_bytes = 0;  // written by the program, not yet acknowledged by the peer
    std::uint64_t file_references = 0;
    std::uint64_t inode = 0;  // of its file; 0 when it has none

    std::uint64_t held_since_ns = 0;  // exact, or the latest time it can have begun
    std::uint64_t last_sent_ns =
        0;  // our last data segment left at or before this time; 0 when there was none
    std::uint64_t last_data_ns =
        0;  // the peer's last data came at or before this time; 0 when there was none
    std::uint64_t oldest_sign_ns = 0;  // it existed at this time already, maybe before

    std::uint32_t first_holder = 0;  // into Census::holders
    std::uint32_t holder_count = 0;
    std::int32_t listener = kNone;     // into Census::listeners: whose accept queue it sits in
    std::int32_t peer_holder = kNone;  // into Census::holders: who holds the other end, if on this machine

    std::uint32_t backlog = 0;        // listener: connections waiting for accept()
    std::uint32_t backlog_limit = 0;  // listener

    std::unique_ptr<Touches> touches;  // null when tracing saw nothing

    Watching watching = Watching::kUnknown;       // whether anybody is on its wait queue
    std::unique_ptr<std::vector<Watch>> watches;  // who, as far as known; null when nobody is
    std::unique_ptr<std::vector<InFlight>>
        in_flight;  // references outside of descriptor tables; null: none found
};

/// Whether a program has taken it with accept(): false for one that still waits for that. Of a connection
/// opened by this side, or by nobody knows whom, the question makes no sense.
std::optional<bool> was_accepted(const Socket& socket);

}  // namespace waitclose::model
