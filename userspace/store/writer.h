// SPDX-License-Identifier: BSD-2-Clause
// Writes a recording: a player that keeps what it is told.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "diagnose/diagnosis.h"
#include "failure.h"
#include "model/ledger.h"
#include "model/selection.h"
#include "store/activity_writer.h"
#include "store/checkpointer.h"
#include "store/hold_book.h"
#include "store/look_writer.h"
#include "store/recording.h"
#include "system/files.h"

namespace waitclose::store {

struct WriterSettings {
    std::string path;
    bool force = false;  // replace a recording that is there
    std::uint64_t max_bytes = std::uint64_t{1} << 30;
    model::Selection selection;
};

/// Never throws away what it has committed: killed at any moment it leaves a recording that opens, and the
/// last half second is missing. Not for several threads at once.
class Writer : public Player {
public:
    /// Creates the file, for its owner alone. Fails where there is a file already, unless that is a recording
    /// and may be replaced.
    static Result<std::unique_ptr<Writer>> create(WriterSettings settings);
    /// Without finish() the file is as if the program had been killed.
    ~Writer() override;

    void about(const About& about) override;
    void on(const model::Entered& event) override;
    void on(const model::Left& event) override;
    void on(const model::Transition& event) override;
    void look_begins(std::uint64_t at_ns) override;
    /// Does not change the census.
    void look(model::Census& census) override;
    void losses(std::uint64_t at_ns, const model::Losses& so_far) override;
    /// Once, after the last look. What has no room below max_bytes is left out, the intervals and samples of
    /// threads that no diagnosis names first, and the recording says so among what the capture lacks. Does
    /// not change the activity.
    void activity(model::Activity& activity) override;

    /// A hold of which the ledger found out by a census alone that it has ended.
    void missed(const model::Closed& closed);

    /// The diagnosis of a hold, as it stands at the latest look; written where its `verdict` is another than
    /// before, and not 0. Holds with the same verdict share one diagnosis: it is asked for once only.
    void diagnosed(const model::SocketKey& key, std::uint64_t verdict,
                   const std::function<diagnose::Diagnosis()>& diagnosis);

    /// To be called often: writes what is due, and hands it to the kernel twice a second. False when nothing
    /// more can be written; `ending` says why.
    bool keep_up(std::uint64_t now_ns);
    Ending ending() const { return ending_; }

    /// The recording ends here because something else could not be done.
    void fail(const Failure& failure) { stop(Ending::kFailed, failure); }

    /// Ends the recording: one file, complete. The failure that ended it, if one did.
    Result<void> finish(Ending ending, std::uint64_t now_ns);

    /// Ends it and removes the file: the recording never began.
    void discard();

    /// Holds not worth a row.
    std::uint64_t dropped() const { return holds_.dropped(); }
    std::uint64_t bytes() const;

private:
    Writer(WriterSettings settings, system::Descriptor place)
        : settings_(std::move(settings)), place_(std::move(place)) {}

    Result<void> open();
    bool prepare();
    bool begin();
    void commit(std::uint64_t now_ns);
    void check_size();
    void check_whereabouts();
    void check_errors();
    void stop(Ending ending, Failure failure);
    void write_diagnosis(std::int64_t id, std::int64_t hold, const diagnose::Diagnosis& diagnosis);
    void write_because(std::int64_t id, const diagnose::Diagnosis& diagnosis);
    void write_evidence(std::int64_t id, const diagnose::Diagnosis& diagnosis);

    WriterSettings settings_;
    system::Descriptor place_;  // closed when SQLite is done with the file, not earlier
    system::Descriptor room_;   // for the last words, on a disk that is full by then
    Database database_;
    std::optional<Checkpointer> checkpointer_;
    Interner interner_;
    HoldBook holds_;
    LookWriter looks_;
    ActivityWriter activity_;
    ThreadNames named_;      // by some diagnosis
    std::int64_t look_ = 0;  // the latest that has begun
    std::int64_t step_ = 0;  // 2 × the latest look that is over; odd while one is taken
    std::uint64_t look_begun_ns_ = 0;
    std::uint64_t kept_up_ns_ = 0;
    std::optional<model::Losses> losses_;
    Ending ending_ = Ending::kNot;
    Failure failure_;
    std::unordered_map<std::uint64_t, std::int64_t> diagnoses_;  // by verdict
    std::int64_t last_diagnosis_ = 0;
    Statement insert_transition_;
    Statement insert_losses_;
    Statement begin_;
    Statement commit_;
    Statement update_recording_;
    Statement insert_diagnosis_;
    Statement insert_because_;
    Statement insert_contributing_;
    Statement insert_evidence_;
    Statement insert_hold_diagnosis_;
};

}  // namespace waitclose::store
