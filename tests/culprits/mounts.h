// SPDX-License-Identifier: BSD-2-Clause
// File systems that make whoever uses them wait, in a mount namespace of the judge's own: nothing of them is
// left when the culprit has ended, however it ended.
#pragma once

#include <string>

namespace culprit {

inline constexpr const char* private_directory = "/tmp";
inline constexpr const char* frozen_directory = "/tmp/disk";

/// A new mount namespace with this directory empty. Once; the judge only, before it starts a child.
void enter_private_directory(const std::string& directory = private_directory);

/// Mounts an ext4 on frozen_directory, with an empty audit.log. A process of its own waits for the judge's
/// end and thaws it: who waits for a frozen file system cannot be killed.
void mount_freezable();
void freeze();

/// Mounts a file of 4096 bytes that can be opened, and neither read, written nor synchronised: its server
/// does not answer. It lies in `directory`, which becomes private.
void mount_mute(const std::string& path, const std::string& directory = private_directory);
void answer_in_background();

/// In a child: it shall not keep the server's end.
void leave_file_system_alone();

/// The judge's exit sets everybody free before it waits for them. After the first child was started.
void set_free_at_exit();

}  // namespace culprit
