// SPDX-License-Identifier: BSD-2-Clause
// The screens of `report`, as people see them.
#include "report/text.h"

#include <gtest/gtest.h>

#include "output_fixture.h"
#include "replay_fixture.h"
#include "report/comparison.h"
#include "report/sentences.h"

namespace waitclose::report {
namespace {

using namespace replay::testing;
using output::testing_machine::is_harmless;
using output::testing_machine::widest_line;
using output::testing_machine::written_by;
using replay::Incident;
using replay::Replay;

/// A java server that leaks ten connections and handles one slowly, behind a lock that waits for a disk.
model::Census shop(std::uint64_t taken_ns, const std::string& name = "java") {
    Builder builder;
    builder.census.taken_ns = taken_ns;
    model::Thread writer = asleep(4190, SYS_fdatasync, 12);
    writer.file = model::FileFact{model::FileKind::kRegular, "/var/log/audit.log", 7, "", 0, 0};
    writer.asleep_since_ns = kFin;
    model::Thread waiter = asleep(4188, SYS_futex, 0x7f00);
    waiter.lock_owner_tid = 4190;
    waiter.asleep_since_ns = kFin + 2 * kMs;
    auto threads = std::vector<model::Thread>{in_accept(4121), waiter, writer};
    for (auto& thread : threads) {
        thread.read_ns = taken_ns;
        thread.comm = name + std::to_string(thread.tid % 10);
    }
    const auto process = builder.process(4121, std::move(threads));
    builder.census.processes[0].comm = name;
    for (std::uint64_t i = 0; i < 10; ++i) {
        model::Socket& socket = socket_of(builder, 100 + i, {{process, static_cast<std::int32_t>(50 + i)}});
        socket.local.address = {10, 0, 0, 7};
        read_eof(socket, deed(4121, 4121, kFin + kMs, model::Operation::kRead));
    }
    model::Socket& slow = socket_of(builder, 200, {{process, 70}});
    slow.local.address = {10, 0, 0, 7};
    touches(slow).last = deed(4121, 4188, kFin + kMs, model::Operation::kRead);
    touches(slow).opened = deed(4121, 4188, kOpened, model::Operation::kAccept);
    return std::move(builder.census);
}

Incident incident(const std::string& name = "java") {
    output::testing_machine::Machine sets_the_time_zone;
    replay::Wanted wanted;
    wanted.selection.min_held_ns = 250 * kMs;
    Replay replay(wanted);
    store::About made = about();
    made.hostname = made.kernel = made.arguments = name;
    replay.about(made);
    for (std::uint64_t i = 0; i < 10; ++i) replay.on(entered(100 + i, kFin));
    replay.on(entered(200, kFin));
    for (std::uint64_t i = 0; i < 1000; ++i) {
        replay.on(entered(5000 + i, kFin + i * kMs));
        replay.on(left(5000 + i, kFin + i * kMs + 20'000, 4121, 4121));
    }
    replay.on(entered(9000, kFin, 9090));
    replay.on(left(9000, kFin + 300 * kMs, 77, 77));
    model::Census first = shop(kTaken - 5 * kSec, name);
    model::Socket listener;
    listener.local.port = 8080;
    first.listeners.push_back(std::move(listener));
    look(replay, std::move(first));
    replay.losses(kTaken - 4 * kSec, {12, 0, 1});
    replay.on(left(100, kTaken - 3 * kSec, 4121, 4121));
    model::Census second = shop(kTaken, name);
    second.sockets.erase(second.sockets.begin());
    look(replay, std::move(second));
    return replay.finish();
}

std::string screen_of(const Incident& incident, const output::TextStyle& style = {}) {
    return written_by(
        [&](output::Sink& sink) { write_text(sink, incident, 250 * kMs, style); });
}

TEST(ReportText, OneLeakAndOneSlowHandler) {
    EXPECT_EQ(screen_of(incident()), "");
}

TEST(ReportText, FitsAnyWidthAndObeysNobody) {
    for (const std::size_t width : {40U, 60U, 80U, 120U, 200U}) {
        for (const std::string name : {"java", "\x1b]0;evil\a", "\xff\xfe", "\xe2\x80\xaetxt"}) {
            const std::string text = screen_of(incident(name), {.width = width});
            EXPECT_LE(widest_line(text), width) << text;
            EXPECT_TRUE(is_harmless(text)) << text;
        }
    }
}

TEST(ReportText, InPlainAscii) {
    const std::string text = screen_of(incident(), {.charset = output::Charset::kAscii});
    EXPECT_TRUE(std::ranges::all_of(text, [](char c) { return (c & 0x80) == 0; })) << text;
}

}  // namespace
}  // namespace waitclose::report
