// SPDX-License-Identifier: BSD-2-Clause
// What a diagnosis says about one held socket.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "diagnose/catalogue.h"
#include "model/census.h"

namespace waitclose::diagnose {

/// A measured fact that a cause rests on. `text` says it in words, with where it was read.
struct Evidence {
    std::string fact;
    std::variant<bool, std::int64_t, std::string> value;
    std::string text;
};

/// The thread that should have called close(). `tid` is absent when no single thread can be named.
struct Culprit {
    std::uint32_t pid = 0;
    std::optional<std::uint32_t> tid;
    std::string comm;
    Basis basis = Basis::kProcess;
};

struct ThreadId {
    std::uint32_t pid = 0;
    std::uint32_t tid = 0;  // 0: which of its threads is not known
};

/// One link of a wait chain.
struct Link {
    std::uint32_t pid = 0;
    std::uint32_t tid = 0;
    std::string comm;
    std::string waits_for;  // a wait class of the contract
    std::optional<std::uint64_t> for_ns;
    std::string detail;
    std::optional<ThreadId> on;
    std::string function = {};  // of the program, in which it is; empty: not known
};

struct Diagnosis {
    Cause cause = Cause::kUnknown;
    Confidence confidence = Confidence::kPossible;
    std::optional<Culprit> culprit;  // absent when not even a process can be named
    std::string summary;             // one sentence; names are raw, output escapes them
    std::vector<Link> because;
    std::vector<std::string> contributing;
    std::vector<Evidence> evidence;
    std::string advice;  // the cause's advice, and whether anything will ever end the hold
    std::string ending;  // the latter alone: the end of `advice`
};

/// Names the cause of one hold from a census. Pure: reads nothing but its arguments.
/// `socket` must be one of `census.sockets`.
/// Of many sockets, let a `Diagnoser` do it (diagnoser.h).
Diagnosis diagnose(const model::Census& census, const model::Socket& socket);

/// The program has read end-of-file. False also where a read took the FIN together with data, so that the
/// program cannot have noticed.
bool eof_read(const model::Census& census, const model::Socket& socket);

}  // namespace waitclose::diagnose
