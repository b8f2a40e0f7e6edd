// SPDX-License-Identifier: BSD-2-Clause
// The reader of recordings, fed with anything. Bytes are the file; what follows a mark in them, if there is
// one, is the write-ahead log beside it. With WAITCLOSE_FUZZ it is a program of its own (libFuzzer); a short
// run over damaged recordings is among the unit tests.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <unistd.h>

#include "fuzz/recording.h"
#include "store/recording.h"

namespace {

using namespace waitclose;

/// Touches everything that it is told, so that a sanitizer sees what is not there.
class Toucher : public store::Player {
public:
    void about(const store::About& about) override {
        sum_ += about.hostname.size() + about.probes.hooks.size();
    }
    void on(const model::Entered& event) override { sum_ += event.at_ns + event.connection.local.port; }
    void on(const model::Left& event) override {
        sum_ += event.closer ? event.closer->comm_text().size() : 0;
    }
    void on(const model::Transition& event) override { sum_ += static_cast<std::uint64_t>(event.to); }
    void look_begins(std::uint64_t at_ns) override { sum_ += at_ns; }
    void look(model::Census& census) override {
        for (const auto* sockets : {&census.sockets, &census.listeners})
            for (const model::Socket& socket : *sockets) touch(census, socket);
        for (const model::Process& process : census.processes)
            for (const model::Thread& thread : census.threads_of(process)) sum_ += thread.comm.size();
        for (const model::Answer& answer : census.answers)
            if (answer.process != model::kNone)
                sum_ += census.processes.at(static_cast<std::size_t>(answer.process)).pid;
        for (const model::AcceptCalls& calls : census.accept.calls)
            sum_ += census.listeners.at(static_cast<std::size_t>(calls.listener)).cookie;
        if (census.window)
            for (const std::uint32_t worker : census.window->workers)
                sum_ += census.window->threads.at(worker).tid;
    }
    void losses(std::uint64_t, const model::Losses& so_far) override { sum_ += so_far.ring; }
    std::uint64_t sum() const { return sum_; }

private:
    void touch(const model::Census& census, const model::Socket& socket) {
        for (const model::Holder& holder : census.holders_of(socket)) sum_ += census.process_of(holder).pid;
        if (socket.listener != model::kNone)
            sum_ += census.listeners.at(static_cast<std::size_t>(socket.listener)).cookie;
        if (socket.peer_holder != model::kNone)
            sum_ += census.process_of(census.holders.at(static_cast<std::size_t>(socket.peer_holder))).pid;
    }

    std::uint64_t sum_ = 0;
};

void write_file(const std::string& path, std::string_view bytes) {
    std::FILE* file = std::fopen(path.c_str(), "wb");
    if (!file) std::abort();
    std::fwrite(bytes.data(), 1, bytes.size(), file);
    std::fclose(file);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::string kPath = "/tmp/waitclose-fuzz." + std::to_string(::getpid());
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const std::size_t mark = bytes.find(fuzz::kLogFollows);
    write_file(kPath, bytes.substr(0, mark));
    if (mark != std::string_view::npos)
        write_file(kPath + "-wal", bytes.substr(mark + fuzz::kLogFollows.size()));
    Toucher toucher;
    const auto played = store::play(kPath, toucher);
    [[maybe_unused]] static volatile std::uint64_t kept;
    kept = toucher.sum();
    if (!played && (played.error().what.empty() || played.error().remedy.empty())) std::abort();
    for (const char* suffix : {"", "-wal", "-shm"}) ::unlink((kPath + suffix).c_str());
    return 0;
}
