// SPDX-License-Identifier: BSD-2-Clause
// The peer has only closed its sending side, and the program is still sending: no leak, so nobody is accused.
#include <fmt/format.h>

#include <algorithm>

#include "diagnose/families.h"
#include "diagnose/text.h"

namespace waitclose::diagnose {

namespace {

/// Any stream that paused this long may still go on.
constexpr std::uint64_t kRecentlyNs = 10'000'000'000;
/// Whoever sent for the first time so long after the FIN, or went on for so long, may pause for as long again
/// before the next time: a stream of events has its own rhythm. That is as sure as what was seen; that the
/// pause may be some times longer is likely. Neither for ever: one that has ended leaks.
constexpr std::uint64_t kLikelyTimes = 3;
constexpr std::uint64_t kLongestSureNs = 60'000'000'000;
constexpr std::uint64_t kLongestLikelyNs = 600'000'000'000;

/// When data was last sent, by the kernel's own stamp, if that was after the FIN beyond doubt; else 0. Not
/// every hook sees every write, and a hook may be missing.
std::uint64_t stamped_after_fin_ns(const Scene& scene) {
    const model::Socket& socket = scene.socket;
    const bool after = socket.precision == model::Precision::kExact &&
                       socket.last_sent_ns > socket.held_since_ns + kStampErrorNs;
    return after ? socket.last_sent_ns : 0;
}

std::uint64_t last_write_ns(const Scene& scene) {
    const bool wrote_last = scene.last && scene.last.deed->operation == model::Operation::kWrite;
    return wrote_last ? std::max(scene.last.deed->at_ns, stamped_after_fin_ns(scene))
                      : scene.socket.last_sent_ns;
}

/// How long after the FIN the last data left; 0 when that is not known.
std::uint64_t sent_for_ns(const Scene& scene) {
    const std::uint64_t wrote_ns = last_write_ns(scene);
    return wrote_ns > scene.socket.held_since_ns ? wrote_ns - scene.socket.held_since_ns : 0;
}

/// How sure it is that a stream which has sent since the FIN goes on; nothing when its pause is too long.
std::optional<Confidence> goes_on(const Scene& scene) {
    const std::uint64_t wrote_ns = last_write_ns(scene);
    if (scene.socket.unsent_bytes > 0) return Confidence::kProven;
    if (wrote_ns == 0) return std::nullopt;
    const std::uint64_t pause = scene.ago(wrote_ns);
    const std::uint64_t sent_for = sent_for_ns(scene);
    if (pause < std::clamp(sent_for, kRecentlyNs, kLongestSureNs)) return Confidence::kProven;
    if (pause < std::clamp(kLikelyTimes * sent_for, kRecentlyNs, kLongestLikelyNs))
        return Confidence::kLikely;
    return std::nullopt;
}

/// Untraced, whether the last data left before or after the FIN is not known; but who sends so long after the
/// peer's last word answers no request.
bool sent_lately(const Scene& scene) {
    const model::Socket& socket = scene.socket;
    if (socket.last_sent_ns == 0) return false;
    const bool unasked = socket.last_data_ns != 0 && socket.last_sent_ns > socket.last_data_ns;
    const std::uint64_t after = unasked ? socket.last_sent_ns - socket.last_data_ns : 0;
    return scene.ago(socket.last_sent_ns) < std::clamp(kLikelyTimes * after, kRecentlyNs, kLongestSureNs);
}

void add_unsent(const Scene& scene, Diagnosis& diagnosis) {
    add_fact(diagnosis, "unsent_bytes", std::uint64_t{scene.socket.unsent_bytes},
             fmt::format("{} bytes are written and not yet acknowledged by the peer (census)",
                         scene.socket.unsent_bytes));
}

void word_sent_since_fin(const Scene& scene, const Verdict&, Diagnosis& diagnosis) {
    const std::uint64_t bytes = scene.socket.touches ? scene.socket.touches->sent_since_fin : 0;
    const std::string ago = duration_text(scene.ago(last_write_ns(scene)));
    if (bytes > 0) {
        diagnosis.summary = fmt::format(
            "the program has sent {} bytes since the peer's FIN, the last of them {} ago", bytes, ago);
        add_fact(diagnosis, "sent_since_fin", bytes,
                 fmt::format("{} bytes were sent since the FIN (traced)", bytes));
    } else {
        diagnosis.summary =
            fmt::format("the program has sent data since the peer's FIN, the last {} ago", ago);
        add_fact(diagnosis, "sent_since_fin", true,
                 fmt::format("data left {} ago, and the FIN had come before (census)", ago));
    }
    if (const std::uint64_t sent_for = sent_for_ns(scene))
        add_fact(
            diagnosis, "sent_for_ns", sent_for,
            fmt::format("its last data left {} after the FIN, so a pause of {} is no sign that it has ended "
                        "({})",
                        duration_text(sent_for), ago, bytes > 0 ? "traced" : "census"));
    add_unsent(scene, diagnosis);
}

void word_still_sending(const Scene& scene, const Verdict&, Diagnosis& diagnosis) {
    diagnosis.summary = "the program is still sending to a peer that has only closed its own side";
    add_unsent(scene, diagnosis);
    add_fact(diagnosis, "fin_consumed", scene.socket.fin_consumed,
             scene.socket.fin_consumed ? "copied_seq has passed the peer's FIN (census)"
                                       : "the peer's FIN is still unread (census)");
    for (const Sleeper& sleeper : scene.sleepers)
        if (sleeper.access == Access::kWrite)
            add_fact(diagnosis, "writer", std::uint64_t{sleeper.thread->tid},
                     fmt::format("{} {}, which is this socket (census)", thread_text(*sleeper.thread),
                                 activity_text(*sleeper.thread)));
}

void word_leak_or_stream(const Scene& scene, const Verdict&, Diagnosis& diagnosis) {
    const std::string ago = duration_text(scene.ago(scene.socket.last_sent_ns));
    diagnosis.summary =
        fmt::format("it last sent data {} ago: a half-open stream, or a leak just begun", ago);
    add_fact(diagnosis, "fin_consumed", true, "copied_seq has passed the peer's FIN (census)");
    add_fact(diagnosis, "last_sent_ns", scene.ago(scene.socket.last_sent_ns),
             fmt::format("its last data left {} ago, before or after the FIN, which was not traced (census)",
                         ago));
    diagnosis.advice = "Look again with --observe: one that sends since the FIN is no leak.";
}

}  // namespace

std::optional<Verdict> half_open(const Scene& scene) {
    const model::Socket& socket = scene.socket;
    const bool sent = (socket.touches && socket.touches->sent_since_fin > 0) || stamped_after_fin_ns(scene);
    if (const auto confidence = sent ? goes_on(scene) : std::nullopt)
        return Verdict{Cause::kHalfOpen, *confidence, {}, word_sent_since_fin};
    if ((socket.unsent_bytes > 0 && socket.fin_consumed) || scene.writing_to_it())
        return Verdict{Cause::kHalfOpen, Confidence::kLikely, {}, word_still_sending};
    // Who saw the last touch knows whether it was a write, even when it began to look after the FIN.
    const bool saw_last = scene.last && socket.last_sent_ns <= scene.last.deed->at_ns + kStampErrorNs;
    const bool unseen = !scene.watched_since_fin() && !saw_last;
    if (unseen && socket.fin_consumed && sent_lately(scene))
        return Verdict{Cause::kUnknown, Confidence::kPossible, {}, word_leak_or_stream};
    return std::nullopt;
}

}  // namespace waitclose::diagnose
