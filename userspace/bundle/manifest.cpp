// SPDX-License-Identifier: BSD-2-Clause
#include "bundle/manifest.h"

#include <nlohmann/json.hpp>

#include "bundle/redaction.h"
#include "output/format.h"
#include "output/snapshot_json.h"

namespace waitclose::bundle {
namespace {

using nlohmann::ordered_json;

ordered_json or_null(const std::string& text) {
    return text.empty() ? ordered_json(nullptr) : ordered_json(text);
}

ordered_json asked_json(const Asked& asked) {
    return {{"duration_ns", asked.duration_ns},
            {"selects", or_null(asked.selects)},
            {"hold", asked.hold ? ordered_json(*asked.hold) : ordered_json(nullptr)},
            {"min_held_ns", asked.min_held_ns},
            {"max_threads", asked.max_threads},
            {"max_bytes", asked.max_bytes},
            {"max_overhead", asked.max_overhead},
            {"redact", asked.redact},
            {"arguments", asked.arguments},
            {"ask_runtime", asked.ask_runtime},
            {"disabled_hooks", asked.disabled_hooks}};
}

ordered_json secrecy_json(const Manifest& manifest) {
    ordered_json left_out{"environment variables", "memory of the programs",
                          "addresses of the kernel's code and data"};
    if (!manifest.asked.arguments)
        left_out.push_back(
            "arguments of command lines: of argv[0] what stands before the first blank is kept");
    return {{"left_out", std::move(left_out)},
            {"addresses_masked", manifest.asked.redact},
            {"rule", manifest.asked.redact ? ordered_json(Redaction::kRule) : ordered_json(nullptr)},
            {"masked", manifest.masked}};
}

ordered_json captured_json(const Manifest& manifest) {
    const auto wall = [&](std::uint64_t ns) {
        return output::rfc3339(static_cast<std::int64_t>(ns) + manifest.wall_offset_ns);
    };
    return {{"from", wall(manifest.from_ns)},
            {"to", wall(manifest.to_ns)},
            {"length_ns", manifest.to_ns - manifest.from_ns},
            {"ended", manifest.ended},
            {"holds", manifest.holds},
            {"processes", manifest.processes},
            {"threads", manifest.threads},
            {"intervals", manifest.intervals},
            {"samples", manifest.samples},
            {"stacks", manifest.stacks}};
}

ordered_json files_json(const Manifest& manifest) {
    ordered_json files = ordered_json::array();
    for (const File& file : manifest.files)
        files.push_back({{"name", file.name}, {"bytes", file.bytes}, {"about", file.about}});
    return files;
}

}  // namespace

ordered_json manifest_json(const Manifest& manifest) {
    ordered_json omissions = ordered_json::array();
    for (const Omission& omission : manifest.omissions)
        omissions.push_back({{"name", omission.name}, {"why", omission.why}});
    ordered_json host = output::host_json(manifest.host);
    host["version"] = or_null(manifest.kernel_version);
    return {{"schema", kManifestSchema},
            {"program", manifest.program},
            {"headline", manifest.headline},
            {"host", std::move(host)},
            {"captured", captured_json(manifest)},
            {"asked", asked_json(manifest.asked)},
            {"probes", output::probes_json(manifest.probes)},
            {"losses",
             {{"ring", manifest.losses.ring},
              {"storage", manifest.losses.storage},
              {"reconciled", manifest.losses.reconciled},
              {"activity", manifest.lost_activity}}},
            {"lacks", manifest.lacks},
            {"shed", manifest.shed},
            {"cost",
             {{"overhead", manifest.cost.overhead},
              {"cpu_before_ns", manifest.cost.before_ns},
              {"cpu_window_ns", manifest.cost.window_ns},
              {"cpu_after_ns", manifest.cost.after_ns}}},
            {"secrecy", secrecy_json(manifest)},
            {"files", files_json(manifest)},
            {"not_written", std::move(omissions)}};
}

}  // namespace waitclose::bundle
