// SPDX-License-Identifier: BSD-2-Clause
// The shape of a recording, a public interface: schema.md says what everything means and how it changed.
#pragma once

#include <cstdint>
#include <string>

namespace waitclose::store {

/// "wcls", in the header of the file: PRAGMA application_id.
inline constexpr std::int32_t kApplicationId = 0x77636c73;

/// PRAGMA user_version. It rises when a table or a column changes its meaning or goes away, or when a reader
/// has to know of a new one; further columns and tables alone do not raise it.
inline constexpr std::int32_t kSchemaVersion = 1;

/// Everything that creates an empty recording, views included.
std::string schema_sql();

}  // namespace waitclose::store
