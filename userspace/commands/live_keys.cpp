// SPDX-License-Identifier: BSD-2-Clause
// What keys make the live view do, beyond moving about in it (live/state.h).
#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "commands/live_view.h"
#include "live/draw.h"
#include "output/format.h"
#include "system/host.h"

namespace waitclose::commands {
namespace {

/// "waitclose-20261120-200000"; with a number where a file of that second is there already.
std::string name_for(std::int64_t epoch_ns) {
    std::string name = "waitclose-";
    for (const char c : output::date_time_text(epoch_ns).substr(0, 19))
        if (std::isdigit(static_cast<unsigned char>(c)))
            name += c;
        else if (c == ' ')
            name += '-';
    const auto is_taken = [](const std::string& free) {
        return std::ranges::any_of(std::array{".db", ".txt", ".json"}, [&](const char* ending) {
            return ::access((free + ending).c_str(), F_OK) == 0;
        });
    };
    std::string free = name;
    for (int i = 2; is_taken(free) && i < 100; ++i) free = fmt::format("{}-{}", name, i);
    return free;
}

}  // namespace

/// False when the user has had enough.
bool LiveView::answer_keys() {
    while (const auto input = terminal_.read()) {
        if (input->key) press(*input->key);
        if (state_.wish == live::Wish::kQuit) return false;
        if (input->redraw) beat_at_ns_ = 0;  // it may have been stopped for long
        drawn_ = false;
    }
    if (!drawn_) show();
    return true;
}

void LiveView::press(const live::Key& key) {
    state_ = live::press(std::move(state_), key, chronicle_.picture());
    message_until_ns_ = system::boottime_ns() + kNoticeStaysNs;
    const live::Wish wish = state_.wish;
    if (wish == live::Wish::kQuit) return;
    state_.wish = live::Wish::kNone;
    if (wish == live::Wish::kFilter) filter();
    if (wish == live::Wish::kWrite) write();
    if (wish == live::Wish::kRecord) record();
    if (state_.message.empty() && !state_.typing && system::boottime_ns() < notice_until_ns_)
        say_in_view(notice_);
}

void LiveView::filter() {
    auto parsed = parse_filter(state_.typing->text);
    if (!parsed) return say_in_view(notice_of(parsed.error()));
    state_.filter = std::exchange(state_.typing, std::nullopt)->text;
    wanted_.filter = std::move(*parsed);
    ++wanted_.number;
    state_.paused = false;
    sort_anew_ = true;
    chronicle_.select(wanted_.shown());
}

/// A look that is under way comes first.
void LiveView::record() {
    record_key_.press();
    say_in_view({chronicle_.picture().recording ? "ending the recording ..." : "beginning to record ...",
                 false, true});
}

/// Until it is written, the census stays the one that is shown.
void LiveView::write() {
    if (write_key_.busy()) return say_in_view({"still writing"});
    const live::Picture& picture = chronicle_.picture();
    if (!picture.census) return say_in_view({"there is nothing to write before the first look"});
    std::string screen = live::whole_text(picture, state_, terminal_.size(), style_.charset);
    write_key_.begin(name_of_file(), what_is_shown(state_, picture, std::move(screen)));
    say_in_view({"writing ...", false, true});
}

std::string LiveView::name_of_file() const {
    return name_for(static_cast<std::int64_t>(system::boottime_ns()) + chronicle_.picture().wall_offset_ns);
}

void LiveView::say_in_view(Notice notice) {
    const std::uint64_t stays_ns = notice.until_done ? UINT64_MAX / 2
                                   : notice.is_error ? kErrorStaysNs
                                                     : kNoticeStaysNs;
    message_until_ns_ = system::boottime_ns() + stays_ns;
    state_.message = std::move(notice.text);
    state_.message_is_error = notice.is_error;
    drawn_ = false;
}

/// Says what no key has asked for just now: the next key does not take it away at once.
void LiveView::notify(Notice notice) {
    constexpr std::uint64_t kStaysNs = 5'000'000'000;
    notice_ = notice;
    notice_until_ns_ = system::boottime_ns() + kStaysNs;
    say_in_view(std::move(notice));
}

/// What was said has been read by now, and the keys are shown again.
void LiveView::let_go_of_notice() {
    if (state_.message.empty() || system::boottime_ns() < message_until_ns_) return;
    state_.message.clear();
    state_.message_is_error = false;
    drawn_ = false;
}

}  // namespace waitclose::commands
