// SPDX-License-Identifier: BSD-2-Clause
#include "system/tracefs.h"

#include <linux/magic.h>
#include <sys/vfs.h>

namespace waitclose::system {
namespace {

constexpr const char* kUsual = "/sys/kernel/tracing";
constexpr const char* kOld = "/sys/kernel/debug/tracing";

bool is_mounted_at(const char* path) {
    struct statfs info {};
    return ::statfs(path, &info) == 0 && info.f_type == TRACEFS_MAGIC;
}

}  // namespace

std::string tracefs() {
    return !is_mounted_at(kUsual) && is_mounted_at(kOld) ? kOld : kUsual;
}

bool has_tracefs() {
    return is_mounted_at(kUsual) || is_mounted_at(kOld);
}

}  // namespace waitclose::system
