// SPDX-License-Identifier: BSD-2-Clause
// The recording of what the live view watches. All that may wait for a disk is done beside the thread that
// draws.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "commands/background.h"
#include "commands/live_looks.h"
#include "commands/live_notice.h"
#include "system/host.h"

namespace waitclose::commands {

void Looks::on(const model::Entered& event) {
    if (recorder_) recorder_->on(event);
}

void Looks::on(const model::Left& event) {
    if (recorder_) recorder_->on(event);
}

void Looks::on(const model::Transition& event) {
    if (recorder_) recorder_->on(event);
}

void Looks::look_begins(std::uint64_t at_ns) {
    if (recorder_) recorder_->look_begins(at_ns);
}

void Looks::look(model::Census& census) {
    if (recorder_) recorder_->look(census);
}

void Looks::drain() {
    constexpr std::uint64_t kEveryNs = 200'000'000;
    if (!recorder_) return session_->drain();
    const std::uint64_t now = system::boottime_ns();
    if (now - kept_up_ns_ < kEveryNs) return;
    kept_up_ns_ = now;
    work_ = in_background([this] {
        session_->drain();
        keep_up();
    });
}

void Looks::record(std::string path) {
    recorded_ = {.path = std::move(path), .bytes = 0, .on = false, .failure = {}};
    work_ = in_background([this] { begin_recording(); });
}

void Looks::stop_recording() {
    work_ = in_background([this] { end_recording(); });
}

void Looks::begin_recording() {
    store::WriterSettings settings;
    settings.path = recorded_.path;
    settings.selection = request_.selection;
    auto writer = store::Writer::create(std::move(settings));
    if (!writer) {
        recorded_.failure = writer.error();
        recorded_.failure->remedy = kElsewhere;
        return;
    }
    session_->drain();  // what happened until now is not part of it
    writer_ = std::move(*writer);
    writer_->about(about_of(*session_, request_));
    tell_begins();
    recorder_.emplace(*writer_);
    recorded_.on = true;
    keep_up();
}

/// When the open holds have begun, as far as this session has seen it. Without that the recording would take
/// them for older than it knows, and what their threads did in between for something before the FIN.
void Looks::tell_begins() {
    std::vector<const model::Hold*> exact;
    for (const auto& [key, hold] : session_->ledger().holds())
        if (hold.precision == model::Precision::kExact) exact.push_back(&hold);
    std::ranges::sort(exact, {}, &model::Hold::since_ns);
    for (const model::Hold* hold : exact) writer_->on(model::Entered{hold->since_ns, hold->connection});
}

/// What threads have done since the last look only another one tells.
void Looks::end_recording() {
    if (!recorder_) return;
    if (auto census = session_->take_next_census())
        record_diagnoses(*writer_, *session_, *census, request_.selection);
    else
        writer_->fail(census.error());
    finish(store::Ending::kAsked);
}

/// Ends a recording to which nothing more can be written.
void Looks::keep_up() {
    if (!recorder_) return;
    const bool goes_on = writer_->keep_up(system::boottime_ns());
    recorded_.bytes = writer_->bytes();
    if (!goes_on) finish(writer_->ending());
}

void Looks::finish(store::Ending ending) {
    recorder_.reset();
    const std::uint64_t now = system::boottime_ns();
    writer_->losses(now, session_->losses());
    const auto finished = writer_->finish(ending, now);
    if (!finished)
        recorded_.failure = finished.error();
    else if (writer_->ending() == store::Ending::kSize)
        recorded_.failure =
            Failure{"the recording has reached its size, 1 GiB, and ends here", "press r to begin another"};
    recorded_.bytes = writer_->bytes();
    recorded_.on = false;
    writer_.reset();
}

}  // namespace waitclose::commands
