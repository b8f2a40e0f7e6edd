// SPDX-License-Identifier: BSD-2-Clause
// The files of a bundle: reports, exports, system evidence, manifest; together no larger than was allowed.
#include <csignal>
#include <cstring>
#include <functional>
#include <utility>

#include <fmt/format.h>
#include <sys/resource.h>
#include <nlohmann/json.hpp>

#include "bundle/evidence_output.h"
#include "commands/capture.h"
#include "commands/command.h"
#include "commands/incident.h"
#include "output/json.h"
#include "report/json.h"
#include "report/page.h"
#include "report/text.h"
#include "store/place.h"
#include "system/host.h"
#include "system/text.h"
#include "timeline/format.h"
#include "timeline/html_report.h"

namespace waitclose::commands {
namespace {

/// While it lives no file grows past so many bytes: writing then fails with EFBIG.
class SizeLimit {
public:
    explicit SizeLimit(std::uint64_t bytes) {
        std::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &before_);
        rlimit limit = before_;
        limit.rlim_cur = std::min<rlim_t>(bytes, before_.rlim_max);
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    SizeLimit(const SizeLimit&) = delete;
    SizeLimit& operator=(const SizeLimit&) = delete;
    ~SizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

private:
    rlimit before_{};
};

/// The strings in a value, those of its objects' values included.
void for_each_text(nlohmann::ordered_json& value, const std::function<void(std::string&)>& use) {
    if (value.is_string()) use(value.get_ref<std::string&>());
    if (value.is_structured())
        for (auto& part : value) for_each_text(part, use);
}

class Files {
public:
    Files(const bundle::Place& place, std::uint64_t max_bytes, bundle::Manifest& manifest)
        : place_(place), left_(max_bytes), manifest_(manifest) {}

    /// A file that is there.
    void add(const std::string& name, const std::string& about) {
        const std::uint64_t bytes = store::size_of(place_.file(name));
        left_ -= std::min(left_, bytes);
        manifest_.files.push_back({name, about, bytes});
    }

    /// Writes one, or notes that there was no room for it.
    Result<void> write(const std::string& name, const std::string& about,
                       const std::function<void(output::Sink&)>& write) {
        const std::uint64_t room = left_ - std::min(left_, kKeptForManifest);
        const SizeLimit limit(room);
        auto sink = open_output(place_.file(name));
        if (!sink) return tl::unexpected(sink.error());
        write(*sink);
        const auto finished = sink->finish();
        if (finished) {
            add(name, about);
            return {};
        }
        if (!finished.error().ends_with(std::strerror(EFBIG)))
            return tl::unexpected(Failure{finished.error(), "free some space, or name another directory"});
        manifest_.omissions.push_back({name, "it has no room within --max-size"});
        return {};
    }

private:
    static constexpr std::uint64_t kKeptForManifest = 256 << 10;

    const bundle::Place& place_;
    std::uint64_t left_;
    bundle::Manifest& manifest_;
};

/// What the report is about in its first lines: those before the first empty one, at most three.
std::vector<std::string> headline_of(const std::string& path) {
    constexpr std::size_t kMost = 3;
    const auto text = system::read_file(path, 64 << 10);
    std::string_view rest = text ? std::string_view(*text) : std::string_view{};
    std::vector<std::string> lines;
    while (!rest.empty() && lines.size() < kMost) {
        const std::string_view line = system::take_line(rest);
        if (line.empty()) break;
        lines.emplace_back(line);
    }
    return lines;
}

Result<void> write_reports(Files& files, const bundle::Place& place, const replay::Incident& incident,
                           bundle::Manifest& manifest) {
    output::TextStyle style;
    style.width = 110;
    style.cut_tables = false;
    auto text = files.write("report.txt", "what happened, why, and on whose account: read this first",
                            [&](output::Sink& sink) { report::write_text(sink, incident, style); });
    if (!text) return text;
    manifest.headline = headline_of(place.file("report.txt"));
    auto page = files.write(
        "report.html", "the same as a page with its timeline, for a browser", [&](output::Sink& sink) {
            timeline::write_html(incident.timeline, report::page_words(incident), {}, sink);
        });
    if (!page) return page;
    return files.write("report.json", "the same for programs",
                       [&](output::Sink& sink) { report::write_json(sink, incident); });
}

Result<void> write_system(Files& files, const Captured& captured, bundle::Redaction* redaction) {
    auto value = bundle::evidence_json(captured.evidence, captured.last);
    std::string text = bundle::evidence_text(captured.evidence, captured.last);
    if (redaction) {
        for_each_text(value, [&](std::string& part) { part = redaction->masked_text(part); });
        text = redaction->masked_text(text);
    }
    auto written = files.write("system.txt", "limits, descriptors, disks, memory, settings of the machine",
                               [&](output::Sink& sink) { sink.write(text); });
    if (!written) return written;
    return files.write("system.json", "the same for programs",
                       [&](output::Sink& sink) { sink.write(output::dump(value) + "\n"); });
}

Result<void> write_exports(Files& files, const replay::Incident& incident) {
    for (const timeline::Format& format : timeline::formats()) {
        auto written = files.write(
            fmt::format("{}{}", format.name == "chrome" ? "timeline.chrome" : "timeline", format.suffix),
            std::string(format.about), [&](output::Sink& sink) {
                format.write(incident.timeline, {timeline::Weight::kHeldTime, {}}, sink);
            });
        if (!written) return written;
    }
    return {};
}

/// The recording tells what was selected; all of it is wanted.
Request whole(const CaptureRequest& request) {
    Request all;
    all.probes.filter.ipv4 = all.probes.filter.ipv6 = true;
    all.selection.min_held_ns = request.common.selection.min_held_ns;
    return all;
}

}  // namespace

Result<void> write_bundle(const bundle::Place& place, const CaptureRequest& request,
                          bundle::Redaction* redaction, Captured& captured) {
    bundle::Manifest& manifest = captured.manifest;
    Files files(place, request.max_bytes, manifest);
    files.add(kRecordingName, "everything that was seen, for 'waitclose report' and 'export', and sqlite3");
    const auto incident = read_incident(place.file(kRecordingName), whole(request));
    if (!incident) return tl::unexpected(incident.error());
    if (auto written = write_reports(files, place, *incident, manifest); !written) return written;
    if (auto written = write_system(files, captured, redaction); !written) return written;
    if (auto written = write_exports(files, *incident); !written) return written;
    if (redaction) manifest.masked = redaction->masked_count();
    manifest.cost.after_ns = system::own_cpu_ns() - manifest.cost.before_ns - manifest.cost.window_ns;
    auto sink = open_output(place.file(bundle::kManifestName));
    if (!sink) return tl::unexpected(sink.error());
    sink->write(
        bundle::manifest_json(manifest).dump(2, ' ', true, nlohmann::ordered_json::error_handler_t::replace) +
        "\n");
    return finish(*sink);
}

}  // namespace waitclose::commands
