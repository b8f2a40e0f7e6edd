// SPDX-License-Identifier: BSD-2-Clause
#include "store/checkpointer.h"

#include <chrono>

#include <sqlite3.h>

namespace waitclose::store {

Checkpointer::Checkpointer(const std::string& path) {
    int code = 0;
    auto database = Database::open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, code);
    if (!database) return;  // then the log is brought in at the end
    database_ = std::move(*database);
    database_.execute("PRAGMA synchronous = NORMAL");
    thread_ = std::thread([this] { work(); });
}

Checkpointer::~Checkpointer() {
    {
        const std::lock_guard lock(mutex_);
        ends_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void Checkpointer::work() {
    std::unique_lock lock(mutex_);
    do {
        lock.unlock();
        database_.execute("PRAGMA wal_checkpoint(PASSIVE)");
        lock.lock();
    } while (!changed_.wait_for(lock, std::chrono::milliseconds(500), [this] { return ends_; }));
}

}  // namespace waitclose::store
