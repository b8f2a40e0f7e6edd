// SPDX-License-Identifier: BSD-2-Clause
// The parts of the screen, each drawn from a row on.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "live/canvas.h"

namespace waitclose::live {

/// The first lines of every view; of the groups with all that is known of the machine. Returns the row
/// behind.
std::size_t draw_top(Canvas& canvas);

/// The last lines: keys, the filter being typed, or what became of the last key. `message`: that, wrapped.
void draw_footer(Canvas& canvas, std::size_t row, const std::vector<std::string>& message);

/// What became of the last key, wrapped; nothing where there is nothing to say.
std::vector<std::string> message_lines(const State& state, Size size, output::Charset charset);

void draw_groups(Canvas& canvas, std::size_t row);
void draw_sockets(Canvas& canvas, std::size_t row);
void draw_hold(Canvas& canvas, std::size_t row);
void draw_closed(Canvas& canvas, std::size_t row);
void draw_help(Canvas& canvas, std::size_t row);

/// "java (4121)"; who holds them where no process answers for the sockets.
std::string owner_text(const Canvas& canvas, const GroupRow& row);
/// "port 8080", "→ 10.0.0.9:443"
std::string place_text(const Canvas& canvas, const GroupKey& key);
/// Alarming for faults, as far as they were shown: what is merely possible accuses nobody.
Role role_of(diagnose::Cause cause, diagnose::Confidence confidence);
/// "eof-ignored, proven: the program read end-of-file and went on without close()"
std::string cause_text(diagnose::Cause cause, diagnose::Confidence confidence);
/// What stands before the story: it must not read as a finding where it is only possible.
const char* why_label(diagnose::Cause cause, diagnose::Confidence confidence);
/// How sure the cause is; "-" where there is none.
std::string sure_cell(diagnose::Cause cause, diagnose::Confidence confidence);

/// Whether the wait chain is the whole story: it tells it thread by thread, and better than a sentence.
bool chain_is_story(const diagnose::Diagnosis& diagnosis);

/// The wait chain, each thread a step further in. Nothing for a chain without links.
void add_chain(Text& text, const Canvas& canvas, const std::vector<diagnose::Link>& chain);

}  // namespace waitclose::live
