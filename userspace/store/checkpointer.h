// SPDX-License-Identifier: BSD-2-Clause
// Brings the write-ahead log into the file, beside the writing: it waits for the disk, which writing must
// not.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "store/database.h"

namespace waitclose::store {

class Checkpointer {
public:
    /// `path` is being written by another connection. A thread has the capabilities of the one that starts
    /// it.
    explicit Checkpointer(const std::string& path);
    Checkpointer(const Checkpointer&) = delete;
    Checkpointer& operator=(const Checkpointer&) = delete;
    ~Checkpointer();

private:
    void work();

    Database database_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool ends_ = false;
    std::thread thread_;
};

}  // namespace waitclose::store
