// SPDX-License-Identifier: BSD-2-Clause
// How far a writer has come, told about a hundred times a run.
#pragma once

#include "timeline/format.h"

namespace waitclose::timeline {

class Progress {
public:
    /// `threads` and `holds`: whether the writer goes through these.
    Progress(const Timeline& timeline, const Options& options, bool threads, bool holds) : options_(options) {
        if (holds) total_ += timeline.holds.size();
        if (!threads) return;
        for (const Process& process : timeline.processes) {
            for (const Thread& thread : process.threads) total_ += thread.slices.size();
        }
    }

    /// That many slices or holds were written.
    void add(std::uint64_t count) {
        done_ += count;
        if (!options_.progress || done_ < next_) return;
        options_.progress(done_, total_);
        next_ = done_ + total_ / 100 + 1;
    }

private:
    const Options& options_;
    std::uint64_t total_ = 0;
    std::uint64_t done_ = 0;
    std::uint64_t next_ = 0;
};

}  // namespace waitclose::timeline
